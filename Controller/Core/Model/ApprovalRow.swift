import AnsFlowProtocol

/// A gate at which a job, or a whole untrusted run, waits for somebody's word. There is at most one of each job and run.
package struct ApprovalRow: Equatable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case waiting, approved, declined, expired
        /// The run ended, or was cancelled, before anybody answered.
        case withdrawn
    }

    package var run: RunID
    /// `nil` where the whole run waits.
    package var job: JobID?
    package var state: State
    /// Who answered, for people.
    package var by: String?
    package var reason: String?
    /// What the approver gave, checked against the plan's inputs, defaults filled in.
    package var inputs: [String: InputValue]
    /// Wall clock, in ms since 1970.
    package var askedAt: Int64
    package var answeredAt: Int64?
    /// Engine clock when it expires.
    package var deadline: Int64

    package init(
        run: RunID, job: JobID? = nil, state: State = .waiting, by: String? = nil, reason: String? = nil,
        inputs: [String: InputValue] = [:], askedAt: Int64, answeredAt: Int64? = nil, deadline: Int64
    ) {
        self.run = run
        self.job = job
        self.state = state
        self.by = by
        self.reason = reason
        self.inputs = inputs
        self.askedAt = askedAt
        self.answeredAt = answeredAt
        self.deadline = deadline
    }
}
