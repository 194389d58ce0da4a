/// What goes with all that belongs to it.
package enum RemovalTarget: Hashable, Sendable {
    case project(ProjectID)
    case pipeline(PipelineID)
}

/// Why a project or pipeline is not removed. Nothing of it happened.
package enum RemovalRefusal: Error, Equatable, Sendable {
    case notFound
    /// `If-Match` named another version.
    case stale(current: Int)
    /// Runs of it have not ended.
    case runsGoOn
}

/// How far a removal came.
package enum RemovalStep: Equatable, Sendable {
    /// Something is left that can go now.
    case more
    /// Runs are there that have to end or go first.
    case waits
    /// Nothing is left but the rows that a run names which is being started since before; they go after ``RemovalLimits/graceMs``.
    case rests
    case done
}

package enum RemovalLimits {
    /// Longer than it takes from looking at a pipeline to the commit of its run, with a fetch of its repository between.
    package static let graceMs: Int64 = 3_600_000
}

/// Rows of projects and pipelines that are to go. Each method is one transaction, and a short one.
package protocol RemovalRepository: Sendable {
    /// Notes that it goes with all of its runs: from now on nobody finds it, nothing of it starts, and a crash does not keep it.
    ///
    /// - Parameter expected: The version that it must have.
    /// - Throws: ``RemovalRefusal``.
    func beginRemoval(_ target: RemovalTarget, expected: Int?, by actor: String, at: Int64) async throws
    /// Those that were begun, the oldest first.
    func begunRemovals() async throws -> [RemovalTarget]
    /// Runs of it that have not ended: such that were being started when the removal began.
    func unfinishedRuns(of target: RemovalTarget, limit: Int) async throws -> [RunID]
    /// Begins the deletion of ended runs of it, pinned ones as well.
    ///
    /// - Returns: How many it began with; none is left at 0.
    func beginDeletions(of target: RemovalTarget, limit: Int, at: Int64) async throws -> Int
    /// Removes at most about `limit` rows of one that has no runs any more, its own row last.
    func removePart(of target: RemovalTarget, limit: Int, now: Int64) async throws -> RemovalStep
}
