package import AnsFlowProtocol

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
    /// Repetitions by its retry rule in the job's newest attempt.
    package var retries: Int
    /// Engine clock when it is tried again; while this is set it waits out its back-off.
    package var retryAt: Int64?

    package init(
        id: StepID, job: JobID, run: RunID, index: Int, name: String, phase: Phase = .created,
        outcome: Outcome? = nil, cause: Cause? = nil, message: String? = nil, attempt: AttemptID? = nil,
        attempts: Int = 0, exitCode: Int32? = nil, startedAt: Int64? = nil, finishedAt: Int64? = nil,
        retries: Int = 0, retryAt: Int64? = nil
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
        self.retries = retries
        self.retryAt = retryAt
    }
}
