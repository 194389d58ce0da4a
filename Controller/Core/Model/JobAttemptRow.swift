package import AnsFlowProtocol

/// One agent's work on a job, from assignment to the end of its clean-up. When it has an outcome it never changes again.
package struct JobAttemptRow: Equatable, Sendable {
    package var id: JobAttemptID
    package var job: JobID
    package var run: RunID
    package var agent: AgentID
    /// Counts the job's attempts from 1.
    package var number: Int
    package var outcome: Outcome?
    package var cause: Cause?
    /// A sentence for people.
    package var message: String?
    package var startedAt: Int64
    package var finishedAt: Int64?
    /// Of all its steps, in the order in which they stand in the plan; published with its end.
    package var outputs: [String: String]

    package init(
        id: JobAttemptID, job: JobID, run: RunID, agent: AgentID, number: Int, outcome: Outcome? = nil,
        cause: Cause? = nil, message: String? = nil, startedAt: Int64, finishedAt: Int64? = nil,
        outputs: [String: String] = [:]
    ) {
        self.id = id
        self.job = job
        self.run = run
        self.agent = agent
        self.number = number
        self.outcome = outcome
        self.cause = cause
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.outputs = outputs
    }
}
