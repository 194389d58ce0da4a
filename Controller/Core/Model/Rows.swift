package import AnsFlowProtocol

// The rows that the engine decides on and the store keeps. Times are milliseconds since 1970 (wall clock, for people);
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
        actor: String, createdAt: Int64, startedAt: Int64? = nil, finishedAt: Int64? = nil,
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
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.cancelledBy = cancelledBy
        self.cancelReason = cancelReason
        self.seq = seq
        self.deadline = deadline
    }
}

package struct JobRow: Equatable, Sendable {
    package var id: JobID
    package var run: RunID
    /// Its place in the plan.
    package var index: Int
    /// Its id in the pipeline file.
    package var name: String
    package var phase: Phase
    package var outcome: Outcome?
    package var cause: Cause?
    package var message: String?
    /// The newest attempt.
    package var attempt: JobAttemptID?
    package var agent: AgentID?
    package var attempts: Int
    package var queuedAt: Int64?
    package var startedAt: Int64?
    package var finishedAt: Int64?
    /// Engine clock: while queued, until `queue_timeout`; while running, until its timeout.
    package var deadline: Int64?
    /// Engine clock when it became queued; for ageing.
    package var queuedSince: Int64?

    package init(
        id: JobID, run: RunID, index: Int, name: String, phase: Phase = .created, outcome: Outcome? = nil,
        cause: Cause? = nil, message: String? = nil, attempt: JobAttemptID? = nil, agent: AgentID? = nil,
        attempts: Int = 0, queuedAt: Int64? = nil, startedAt: Int64? = nil, finishedAt: Int64? = nil,
        deadline: Int64? = nil, queuedSince: Int64? = nil
    ) {
        self.id = id
        self.run = run
        self.index = index
        self.name = name
        self.phase = phase
        self.outcome = outcome
        self.cause = cause
        self.message = message
        self.attempt = attempt
        self.agent = agent
        self.attempts = attempts
        self.queuedAt = queuedAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.deadline = deadline
        self.queuedSince = queuedSince
    }
}

package struct JobAttemptRow: Equatable, Sendable {
    package var id: JobAttemptID
    package var job: JobID
    package var run: RunID
    package var agent: AgentID
    /// Counts the job's attempts from 1.
    package var number: Int
    package var outcome: Outcome?
    package var cause: Cause?
    package var startedAt: Int64
    package var finishedAt: Int64?

    package init(
        id: JobAttemptID, job: JobID, run: RunID, agent: AgentID, number: Int, outcome: Outcome? = nil,
        cause: Cause? = nil, startedAt: Int64, finishedAt: Int64? = nil
    ) {
        self.id = id
        self.job = job
        self.run = run
        self.agent = agent
        self.number = number
        self.outcome = outcome
        self.cause = cause
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

package struct StepRow: Equatable, Sendable {
    package var id: StepID
    package var job: JobID
    package var run: RunID
    /// Its place in the job's plan.
    package var index: Int
    /// Its id in the pipeline file.
    package var name: String
    package var phase: Phase
    package var outcome: Outcome?
    package var cause: Cause?
    package var message: String?
    /// The newest attempt.
    package var attempt: AttemptID?
    package var attempts: Int
    package var exitCode: Int32?
    package var startedAt: Int64?
    package var finishedAt: Int64?

    package init(
        id: StepID, job: JobID, run: RunID, index: Int, name: String, phase: Phase = .created,
        outcome: Outcome? = nil, cause: Cause? = nil, message: String? = nil, attempt: AttemptID? = nil,
        attempts: Int = 0, exitCode: Int32? = nil, startedAt: Int64? = nil, finishedAt: Int64? = nil
    ) {
        self.id = id
        self.job = job
        self.run = run
        self.index = index
        self.name = name
        self.phase = phase
        self.outcome = outcome
        self.cause = cause
        self.message = message
        self.attempt = attempt
        self.attempts = attempts
        self.exitCode = exitCode
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

/// One assignment of a step. When it has an outcome it never changes again.
package struct AttemptRow: Equatable, Sendable {
    package var id: AttemptID
    package var step: StepID
    package var job: JobID
    package var jobAttempt: JobAttemptID
    package var run: RunID
    package var agent: AgentID
    /// Counts the step's attempts from 1.
    package var number: Int
    package var phase: Phase
    package var outcome: Outcome?
    package var cause: Cause?
    package var message: String?
    package var exitCode: Int32?
    package var signal: Int32?
    package var createdAt: Int64
    package var startedAt: Int64?
    package var finishedAt: Int64?
    /// Why it is being stopped; set while stopping.
    package var stopReason: StopReason?
    /// Engine clock: when it has surely ended on a host that stays silent.
    package var deadline: Int64
    package var usage: Usage
    package var logState: LogState
    package var logBytes: UInt64
    package var logLines: UInt64
    /// Lower-case hex, of the stored bytes.
    package var logSHA256: String?
    /// Bytes that were written and not stored; nil where nobody can know.
    package var logDropped: UInt64?
    /// `name=value` pairs that the step wrote.
    package var outputs: [String: String]

    package init(
        id: AttemptID, step: StepID, job: JobID, jobAttempt: JobAttemptID, run: RunID, agent: AgentID, number: Int,
        phase: Phase = .starting, outcome: Outcome? = nil, cause: Cause? = nil, message: String? = nil,
        exitCode: Int32? = nil, signal: Int32? = nil, createdAt: Int64, startedAt: Int64? = nil,
        finishedAt: Int64? = nil, stopReason: StopReason? = nil, deadline: Int64, usage: Usage = Usage(),
        logState: LogState = .open, logBytes: UInt64 = 0, logLines: UInt64 = 0, logSHA256: String? = nil,
        logDropped: UInt64? = 0, outputs: [String: String] = [:]
    ) {
        self.id = id
        self.step = step
        self.job = job
        self.jobAttempt = jobAttempt
        self.run = run
        self.agent = agent
        self.number = number
        self.phase = phase
        self.outcome = outcome
        self.cause = cause
        self.message = message
        self.exitCode = exitCode
        self.signal = signal
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.stopReason = stopReason
        self.deadline = deadline
        self.usage = usage
        self.logState = logState
        self.logBytes = logBytes
        self.logLines = logLines
        self.logSHA256 = logSHA256
        self.logDropped = logDropped
        self.outputs = outputs
    }
}

package struct AgentRow: Equatable, Sendable {
    package var id: AgentID
    package var name: String
    /// SHA-256 of its public key, lower-case hex. Written by enrolment only, never by the engine.
    package var key: String
    package var labels: [String: String]
    package var slots: Int
    package var version: String
    package var containment: String
    package var storeID: String?
    package var paused: Bool
    /// Why it is paused, for people.
    package var note: String?
    package var draining: Bool
    package var revoked: Bool
    package var createdAt: Int64
    package var lastSeenAt: Int64?

    package init(
        id: AgentID, name: String, key: String, labels: [String: String], slots: Int, version: String = "",
        containment: String = "", storeID: String? = nil, paused: Bool = false, note: String? = nil,
        draining: Bool = false, revoked: Bool = false, createdAt: Int64, lastSeenAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.key = key
        self.labels = labels
        self.slots = slots
        self.version = version
        self.containment = containment
        self.storeID = storeID
        self.paused = paused
        self.note = note
        self.draining = draining
        self.revoked = revoked
        self.createdAt = createdAt
        self.lastSeenAt = lastSeenAt
    }
}

package struct PipelineRow: Equatable, Sendable {
    package var id: PipelineID
    package var project: ProjectID
    package var name: String
    /// The YAML text.
    package var definition: String
    /// Empty where the pipeline checks nothing out.
    package var repositoryURL: String
    package var ref: String
    package var enabled: Bool
    /// Counts saved definitions from 1.
    package var version: Int
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: PipelineID, project: ProjectID, name: String, definition: String, repositoryURL: String, ref: String,
        enabled: Bool = true, version: Int = 1, createdAt: Int64, updatedAt: Int64
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.definition = definition
        self.repositoryURL = repositoryURL
        self.ref = ref
        self.enabled = enabled
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
