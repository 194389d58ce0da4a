package import ControllerCore
import Logging

/// Projects and pipelines that go with all that belongs to them.
extension Retention {
    /// How often it is looked whether runs have ended that were being started when a removal began, and how long apart.
    static let removalTries = 300
    static let removalPause = Duration.seconds(2)

    /// - Returns: Whether one waits for runs to end.
    func finishRemovals() async throws -> Bool {
        var waits = false
        for target in try await repository.begunRemovals() where try await !finish(target) { waits = true }
        return waits
    }

    private func finish(_ target: RemovalTarget) async throws -> Bool {
        let going = try await repository.unfinishedRuns(of: target, limit: Self.itemsAtOnce)
        for run in going { try await cancel?(run) }
        guard going.isEmpty else { return false }
        while try await repository.beginDeletions(of: target, limit: Self.itemsAtOnce, at: now()) > 0 {
            try await finishBegunRuns()
        }
        while true {
            switch try await repository.removePart(of: target, limit: Self.rowsAtOnce, now: now()) {
            case .done, .rests: return true
            case .waits: return false
            case .more: try await Task.sleep(for: pause)
            }
        }
    }

    package func remove(_ target: RemovalTarget, expected: Int?, by actor: String) async throws {
        try await repository.beginRemoval(target, expected: expected, by: actor, at: now())
        // Awaited by nobody: what is not done before a crash is done after the next start.
        Task { [logger] in
            do {
                var tries = 0
                while try await self.settle(), tries < Self.removalTries {
                    tries += 1
                    try await Task.sleep(for: Self.removalPause)
                }
            } catch {
                logger.warning("a removal is not finished; it is taken up again", metadata: ["error": "\(error)"])
            }
        }
    }
}
