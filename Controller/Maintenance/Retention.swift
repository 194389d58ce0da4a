import AnsFlowProtocol
package import ControllerCore
package import Logging

/// Removes what the policy lets go and what people delete: first the intent is durable, then files go, then rows in short
/// transactions. Whatever a crash leaves is taken up by the next pass.
package actor Retention {
    private let policy: RetentionPolicy
    let repository: any RetentionRepository
    private let logs: any LogRemoving
    private let artifacts: any ArtifactRemoving
    let now: @Sendable () -> Int64
    let pause: Duration
    let cancel: (@Sendable (RunID) async throws -> Void)?
    let logger: Logger
    /// Held while something must stay as it is, such as during a backup.
    private var holds = 0
    private var isWorking = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Rows that one transaction deletes.
    static let rowsAtOnce = 1_000
    static let itemsAtOnce = 100

    /// - Parameters:
    ///   - now: Milliseconds since 1970.
    ///   - pause: Between two transactions, so that what people and agents wait for comes in between.
    ///   - cancel: Cancels a run that goes on though its project or pipeline goes; without it, its end is awaited.
    package init(
        policy: RetentionPolicy, repository: any RetentionRepository, logs: any LogRemoving,
        artifacts: any ArtifactRemoving, now: @escaping @Sendable () -> Int64,
        pause: Duration = .milliseconds(5), cancel: (@Sendable (RunID) async throws -> Void)? = nil,
        logger: Logger
    ) {
        self.policy = policy
        self.repository = repository
        self.logs = logs
        self.artifacts = artifacts
        self.now = now
        self.pause = pause
        self.cancel = cancel
        self.logger = logger
    }

    // MARK: One at a time

    /// Runs `body` while nothing is removed. Several may hold at once.
    package func holding<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        while isWorking { await wait() }
        holds += 1
        defer {
            holds -= 1
            wake()
        }
        return try await body()
    }

    /// Runs `body`, which removes something, alone.
    package func removing<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        try await working { try await body() }
    }

    private func working<Value: Sendable>(_ body: () async throws -> Value) async rethrows -> Value {
        while isWorking || holds > 0 { await wait() }
        isWorking = true
        defer {
            isWorking = false
            wake()
        }
        return try await body()
    }

    private func wait() async { await withCheckedContinuation { waiting.append($0) } }

    private func wake() {
        let all = waiting
        waiting = []
        for continuation in all { continuation.resume() }
    }

    // MARK: Passes

    /// Finishes what was begun, before a crash or by a request.
    ///
    /// - Returns: Whether something is left that waits for runs to end.
    @discardableResult
    package func settle() async throws -> Bool {
        try await working { try await finishBegun() }
    }

    private func finishBegun() async throws -> Bool {
        try await finishBegunRuns()
        while true {
            let runs = try await repository.begunLogRemovals(limit: Self.itemsAtOnce)
            for run in runs { try await finishLogRemoval(of: run) }
            if runs.count < Self.itemsAtOnce { break }
        }
        return try await finishRemovals()
    }

    func finishBegunRuns() async throws {
        while true {
            let runs = try await repository.begunDeletions(limit: Self.itemsAtOnce)
            for run in runs { try await finishDeletion(of: run) }
            if runs.count < Self.itemsAtOnce { break }
        }
    }

    private func finishDeletion(of run: RunID) async throws {
        let remains = try await repository.remains(of: run)
        // Files first: while the rows are there, a crash forgets none of them.
        for attempt in remains.attempts { try await logs.removeLog(attempt) }
        while try await !repository.deletePart(of: run, limit: Self.rowsAtOnce) { try await Task.sleep(for: pause) }
        // Rows first: content that a row names must be there. What a crash leaves goes with the next sweep.
        try await artifacts.removeUnused(remains.digests)
        try await Task.sleep(for: pause)
    }

    private func finishLogRemoval(of run: RunID) async throws {
        for attempt in try await repository.remains(of: run).attempts { try await logs.removeLog(attempt) }
        try await repository.endLogRemoval(of: run)
        try await Task.sleep(for: pause)
    }

    /// One pass over everything.
    private func pass(dryRun: Bool) async throws -> RetentionReport {
        var report = RetentionReport(dryRun: dryRun)
        let now = self.now()
        if !dryRun { _ = try await finishBegun() }
        var gone: Set<RunID> = []
        try await each {
            try await self.repository.dueRuns(self.policy, now: now, after: $0, limit: $1)
        } take: { item in
            report.runs.add(item)
            gone.insert(item.run)
            if !dryRun { try await self.delete(item) }
            return true
        }
        var lighter: Set<RunID> = []
        try await each {
            try await self.repository.dueLogs(self.policy, now: now, after: $0, limit: $1)
        } take: { item in
            guard !gone.contains(item.run) else { return true }
            report.logs.add(item)
            lighter.insert(item.run)
            if !dryRun { try await self.removeLogs(item) }
            return true
        }
        try await shrinkLogs(&report, dryRun: dryRun, skipping: gone.union(lighter))
        try await shrinkArtifacts(&report, dryRun: dryRun, skipping: gone)
        return report
    }

    private func shrinkLogs(
        _ report: inout RetentionReport, dryRun: Bool, skipping gone: Set<RunID>
    ) async throws {
        guard let most = policy.logBytesMax else { return }
        var held = try await repository.logBytes()
        if dryRun { held -= min(held, report.runs.bytes + report.logs.bytes) }
        guard held > most else { return }
        var part = report.logs
        try await each {
            try await self.repository.oldestLogs(self.policy, after: $0, limit: $1)
        } take: { item in
            guard held > most else { return false }
            guard !gone.contains(item.run) else { return true }
            part.add(item)
            held -= min(held, item.bytes)
            if !dryRun { try await self.removeLogs(item) }
            return true
        }
        report.logs = part
    }

    private func shrinkArtifacts(
        _ report: inout RetentionReport, dryRun: Bool, skipping gone: Set<RunID>
    ) async throws {
        guard let most = policy.artifactBytesMax else { return }
        var held = artifacts.storedBytes
        guard held > most else { return }
        var part = report.artifacts
        try await each {
            try await self.repository.oldestArtifacts(self.policy, after: $0, limit: $1)
        } take: { item in
            guard held > most else { return false }
            guard !gone.contains(item.run) else { return true }
            part.add(item)
            if dryRun {
                held -= min(held, item.bytes)
            } else {
                try await self.removeArtifacts(of: item.run)
                held = self.artifacts.storedBytes
            }
            return true
        }
        report.artifacts = part
    }

    /// Goes through a list page by page.
    ///
    /// - Parameter take: False where no more is wanted.
    private func each(
        _ page: (RetentionItem?, Int) async throws -> [RetentionItem], take: (RetentionItem) async throws -> Bool
    ) async throws {
        var last: RetentionItem?
        while true {
            let items = try await page(last, Self.itemsAtOnce)
            for item in items where try await !take(item) { return }
            guard items.count == Self.itemsAtOnce, let newest = items.last else { return }
            last = newest
        }
    }

    private func delete(_ item: RetentionItem) async throws {
        do {
            try await repository.beginDeletion(of: item.run, by: "retention", reason: item.reason, at: now())
        } catch is RunDeletionRefusal {
            // Pinned or deleted meanwhile.
            return
        }
        try await finishDeletion(of: item.run)
    }

    private func removeLogs(_ item: RetentionItem) async throws {
        try await repository.beginLogRemoval(of: item.run, reason: item.reason, at: now())
        try await finishLogRemoval(of: item.run)
    }

    private func removeArtifacts(of run: RunID) async throws {
        while true {
            let digests = try await repository.deleteArtifacts(of: run, limit: Self.rowsAtOnce)
            try await artifacts.removeUnused(digests)
            try await Task.sleep(for: pause)
            if digests.count < Self.rowsAtOnce { return }
        }
    }
}

extension Retention: RetentionService {
    package func apply(dryRun: Bool) async throws -> RetentionReport {
        if dryRun { return try await pass(dryRun: true) }
        let report = try await working { try await pass(dryRun: false) }
        if report.runs.count + report.logs.count + report.artifacts.count > 0 {
            logger.info(
                "retention removed what is too old or too much",
                metadata: [
                    "runs": "\(report.runs.count)", "logs": "\(report.logs.count)",
                    "artifacts": "\(report.artifacts.count)",
                ])
        }
        return report
    }

    package func deleteRun(_ run: RunID, by actor: String) async throws {
        try await repository.beginDeletion(of: run, by: actor, reason: .asked, at: now())
        // Awaited by nobody: what is not done before a crash is done by the next pass.
        Task { [logger] in
            do {
                try await self.settle()
            } catch {
                logger.warning(
                    "a deletion is not finished; it is taken up again", metadata: ["error": "\(error)"])
            }
        }
    }

    package func pin(_ run: RunID, by actor: String, note: String?) async throws {
        try await repository.pin(run, RunPin(by: actor, note: note, at: now()))
    }

    package func unpin(_ run: RunID) async throws { try await repository.unpin(run) }
    package func pin(of run: RunID) async throws -> RunPin? { try await repository.pin(of: run) }
    package func logsRemovedAt(_ run: RunID) async throws -> Int64? { try await repository.logsRemovedAt(run) }
}
