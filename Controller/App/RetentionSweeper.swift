import ControllerMaintenance
import Logging
import ServiceLifecycle

/// Removes what is too old or too much: a minute after the start, then once an hour. Deletions that a crash cut off go on at once.
struct RetentionSweeper: Service {
    let retention: Retention
    private static let firstPause = Duration.seconds(60)
    private static let interval = Duration.seconds(3600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await attempt { try await retention.settle() }
            var pause = Self.firstPause
            while (try? await Task.sleep(for: pause)) != nil {
                await attempt { _ = try await retention.apply(dryRun: false) }
                pause = Self.interval
            }
        }
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            return
        } catch {
            Logger(label: "ansflow.retention").warning(
                "retention did not finish; it is taken up again in an hour", metadata: ["error": "\(error)"])
        }
    }
}
