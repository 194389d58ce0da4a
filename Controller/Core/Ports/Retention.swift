package import AnsFlowProtocol

/// How long things are kept. `nil` is for ever, or without limit.
///
/// Whatever it says, these stay: runs that have not ended, pinned runs, the newest of each pipeline, the run that an environment shows
/// as what is deployed there, and a run whose results a rerun that goes on has taken over.
package struct RetentionPolicy: Equatable, Sendable {
    package static let dayMs: Int64 = 24 * 3_600_000

    /// From a run's end until all of it goes.
    package var runsMs: Int64? = 365 * dayMs
    /// From a run's end until its logs go.
    package var logsMs: Int64? = 90 * dayMs
    /// Newest runs of each pipeline that always stay, with their logs.
    package var keptPerPipeline = 10
    /// Runs of one pipeline.
    package var runsPerPipelineMax: Int?
    /// Of all logs together, as steps wrote them; the oldest go first.
    package var logBytesMax: UInt64?
    /// Of all artifacts together, each content once; those of the oldest runs go first.
    package var artifactBytesMax: UInt64?

    package init() {}
}

/// Why something goes.
package enum RetentionReason: String, Sendable, CaseIterable {
    case age, count, bytes, asked
}

/// A run of which something goes.
package struct RetentionItem: Equatable, Sendable {
    package var run: RunID
    package var pipeline: PipelineID
    package var pipelineName: String
    package var number: Int64
    /// Its place in the order: older runs go first.
    package var createdAt: Int64
    package var finishedAt: Int64
    package var reason: RetentionReason
    /// What goes of it; of a whole run, its logs.
    package var bytes: UInt64

    package init(
        run: RunID, pipeline: PipelineID, pipelineName: String, number: Int64, createdAt: Int64,
        finishedAt: Int64, reason: RetentionReason, bytes: UInt64
    ) {
        self.run = run
        self.pipeline = pipeline
        self.pipelineName = pipelineName
        self.number = number
        self.createdAt = createdAt
        self.finishedAt = finishedAt
        self.reason = reason
        self.bytes = bytes
    }
}

/// What a pass removed, or would remove.
package struct RetentionReport: Equatable, Sendable {
    package static let itemsMax = 1_000

    /// Of one kind: counts of all, and the first ``itemsMax`` of them.
    package struct Part: Equatable, Sendable {
        package private(set) var items: [RetentionItem] = []
        package private(set) var count = 0
        package private(set) var bytes: UInt64 = 0

        package init() {}

        package mutating func add(_ item: RetentionItem) {
            if items.count < itemsMax { items.append(item) }
            count += 1
            bytes += item.bytes
        }
    }

    package var dryRun: Bool
    /// Whole runs, with all that belongs to them.
    package var runs = Part()
    /// Logs of runs that stay.
    package var logs = Part()
    /// Artifacts of runs that stay.
    package var artifacts = Part()

    package init(dryRun: Bool) {
        self.dryRun = dryRun
    }
}

/// A run that is kept for good.
package struct RunPin: Equatable, Sendable {
    package var by: String
    package var note: String?
    package var at: Int64

    package init(by: String, note: String?, at: Int64) {
        self.by = by
        self.note = note
        self.at = at
    }
}

/// Why a run is not deleted. Each text is a sentence that names the cure.
package enum RunDeletionRefusal: Error, Equatable, Sendable {
    case notFound
    case refused(String)
}

/// What is left to do of a deletion.
package struct RunRemains: Equatable, Sendable {
    package var attempts: [AttemptID]
    /// Artifact contents that the run names.
    package var digests: [String]

    package init(attempts: [AttemptID], digests: [String]) {
        self.attempts = attempts
        self.digests = digests
    }
}

/// Rows of what is to go. Each method is one transaction, and a short one.
package protocol RetentionRepository: RemovalRepository {
    /// Ended runs that the policy lets go, oldest first.
    ///
    /// - Parameter after: Only those that come behind this one in the order of the answer.
    func dueRuns(_ policy: RetentionPolicy, now: Int64, after: RetentionItem?, limit: Int) async throws
        -> [RetentionItem]
    /// Ended runs with logs that are older than the policy says, oldest first.
    func dueLogs(_ policy: RetentionPolicy, now: Int64, after: RetentionItem?, limit: Int) async throws
        -> [RetentionItem]
    /// Ended runs with logs, oldest first, whatever their age.
    func oldestLogs(_ policy: RetentionPolicy, after: RetentionItem?, limit: Int) async throws -> [RetentionItem]
    /// Ended runs with artifacts, oldest first, whatever their age.
    func oldestArtifacts(_ policy: RetentionPolicy, after: RetentionItem?, limit: Int) async throws -> [RetentionItem]
    /// Bytes of all logs that are kept, as steps wrote them.
    func logBytes() async throws -> UInt64

    /// Notes that a run goes: from now on nobody can read it, and a crash does not keep it.
    ///
    /// - Throws: ``RunDeletionRefusal``.
    func beginDeletion(of run: RunID, by actor: String, reason: RetentionReason, at: Int64) async throws
    /// Runs whose deletion was begun.
    func begunDeletions(limit: Int) async throws -> [RunID]
    func remains(of run: RunID) async throws -> RunRemains
    /// Removes at most about `limit` rows of a run whose deletion was begun, the run's own row last. True when nothing is left.
    func deletePart(of run: RunID, limit: Int) async throws -> Bool

    /// Notes that a run's logs go: from now on nobody can read them.
    func beginLogRemoval(of run: RunID, reason: RetentionReason, at: Int64) async throws
    func begunLogRemovals(limit: Int) async throws -> [RunID]
    func endLogRemoval(of run: RunID) async throws
    /// Since when a run's logs are gone; `nil` while they are kept.
    func logsRemovedAt(_ run: RunID) async throws -> Int64?

    /// Removes the rows of a run's artifacts, not those of its test results. Gives the contents that they named.
    func deleteArtifacts(of run: RunID, limit: Int) async throws -> [String]

    /// - Throws: ``RunDeletionRefusal``.
    func pin(_ run: RunID, _ pin: RunPin) async throws
    func unpin(_ run: RunID) async throws
    func pin(of run: RunID) async throws -> RunPin?
}

/// Files of logs that are to go.
package protocol LogRemoving: Sendable {
    /// Removes all of an attempt's log; whoever reads it now reads it to its end.
    func removeLog(_ attempt: AttemptID) async throws
}

/// Files of artifacts that are to go.
package protocol ArtifactRemoving: Sendable {
    /// Bytes of all contents.
    var storedBytes: UInt64 { get }
    /// Removes those of the contents that nobody keeps or is about to keep; whoever reads one now reads it to its end.
    func removeUnused(_ digests: [String]) async throws
}

/// What people ask of retention.
package protocol RetentionService: Sendable {
    /// Removes what the policy lets go, or only says what that would be.
    func apply(dryRun: Bool) async throws -> RetentionReport
    /// Returns when the deletion is sure to happen; nobody can read the run any more.
    ///
    /// - Throws: ``RunDeletionRefusal``.
    func deleteRun(_ run: RunID, by actor: String) async throws
    /// Returns when it is sure to go with all that belongs to it; nobody finds it any more.
    ///
    /// - Throws: ``RemovalRefusal``.
    func remove(_ target: RemovalTarget, expected: Int?, by actor: String) async throws
    func pin(_ run: RunID, by actor: String, note: String?) async throws
    func unpin(_ run: RunID) async throws
    func pin(of run: RunID) async throws -> RunPin?
    func logsRemovedAt(_ run: RunID) async throws -> Int64?
}
