package import AnsFlowProtocol

package struct JobRow: Equatable, Sendable {
    package var id: JobID
    package var run: RunID
    /// Its place in the plan.
    package var index: Int
    /// Its id in the pipeline file.
    package var name: String
    package var phase: Phase
    /// Known before the end where only clean-up is left.
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
    /// The environment that it deploys to.
    package var environment: String?
    /// Its own concurrency group.
    package var group: String?
    /// Engine clock when it began to wait for its group. It holds the group once it is neither blocked nor finished.
    package var groupSince: Int64?
    /// Repetitions by its retry rule; attempts that never began do not count.
    package var retries: Int
    /// Engine clock when it is queued again; while this is set it waits out its back-off.
    package var retryAt: Int64?
    /// In a rerun: the attempt of the earlier run whose result, outputs and artifacts this job has taken over.
    package var carriedFrom: JobAttemptID?
    /// Outputs that were taken over.
    package var carriedOutputs: [String: String]

    package init(
        id: JobID, run: RunID, index: Int, name: String, phase: Phase = .created, outcome: Outcome? = nil,
        cause: Cause? = nil, message: String? = nil, attempt: JobAttemptID? = nil, agent: AgentID? = nil,
        attempts: Int = 0, queuedAt: Int64? = nil, startedAt: Int64? = nil, finishedAt: Int64? = nil,
        deadline: Int64? = nil, queuedSince: Int64? = nil, environment: String? = nil, group: String? = nil,
        groupSince: Int64? = nil, retries: Int = 0, retryAt: Int64? = nil, carriedFrom: JobAttemptID? = nil,
        carriedOutputs: [String: String] = [:]
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
        self.environment = environment
        self.group = group
        self.groupSince = groupSince
        self.retries = retries
        self.retryAt = retryAt
        self.carriedFrom = carriedFrom
        self.carriedOutputs = carriedOutputs
    }
}
