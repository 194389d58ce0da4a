package import AnsFlowProtocol

// Rows are what the engine decides on and the store keeps. Times are milliseconds since 1970 (wall clock, for people);
// deadlines are milliseconds of the engine's own clock, which does not count while the controller is down.

package struct RunRow: Equatable, Sendable {
    package var id: RunID
    package var project: ProjectID
    package var pipeline: PipelineID
    /// Copied from the pipeline, so that a rename does not rewrite history.
    package var pipelineName: String
    package var pipelineVersion: Int
    /// Counts a pipeline's runs from 1.
    package var number: Int64
    package var phase: Phase
    /// Known before the end: it is `failed` as soon as a job has failed for good, whatever still runs.
    package var outcome: Outcome?
    package var cause: Cause?
    /// A sentence for people where the cause is not enough.
    package var message: String?
    package var event: String
    package var ref: String
    package var branch: String
    package var tag: String
    package var commit: String
    /// Given inputs, as text by name.
    package var inputs: [String: String]
    package var priority: Int
    /// Who or what started it, for people.
    package var actor: String
    /// False where what it runs comes from somebody who may not use the project's secrets, as a fork.
    package var trusted: Bool
    /// The run that it repeats, all or in part.
    package var origin: RunID?
    package var rerun: RerunKind?
    /// The concurrency group of the whole run.
    package var group: String?
    /// Engine clock when it began to wait for its group; for the order of those that wait. It holds the group once it is neither
    /// blocked nor finished.
    package var groupSince: Int64?
    package var createdAt: Int64
    package var startedAt: Int64?
    package var finishedAt: Int64?
    /// Set when a cancel was committed.
    package var cancelledBy: String?
    package var cancelReason: String?
    /// Number of the run's last event.
    package var seq: Int64
    /// Engine clock.
    package var deadline: Int64

    package init(
        id: RunID, project: ProjectID, pipeline: PipelineID, pipelineName: String, pipelineVersion: Int, number: Int64,
        phase: Phase = .created, outcome: Outcome? = nil, cause: Cause? = nil, message: String? = nil, event: String,
        ref: String, branch: String, tag: String, commit: String, inputs: [String: String], priority: Int,
        actor: String, trusted: Bool = true, origin: RunID? = nil, rerun: RerunKind? = nil, group: String? = nil,
        groupSince: Int64? = nil, createdAt: Int64, startedAt: Int64? = nil, finishedAt: Int64? = nil,
        cancelledBy: String? = nil, cancelReason: String? = nil, seq: Int64 = 0, deadline: Int64
    ) {
        self.id = id
        self.project = project
        self.pipeline = pipeline
        self.pipelineName = pipelineName
        self.pipelineVersion = pipelineVersion
        self.number = number
        self.phase = phase
        self.outcome = outcome
        self.cause = cause
        self.message = message
        self.event = event
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
        self.inputs = inputs
        self.priority = priority
        self.actor = actor
        self.trusted = trusted
        self.origin = origin
        self.rerun = rerun
        self.group = group
        self.groupSince = groupSince
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.cancelledBy = cancelledBy
        self.cancelReason = cancelReason
        self.seq = seq
        self.deadline = deadline
    }
}

/// What of an earlier run a rerun does again.
package enum RerunKind: String, Codable, Sendable, CaseIterable {
    case all
    /// What did not end well, and all that needs it.
    case failed
    /// One job and all that needs it.
    case from
}
