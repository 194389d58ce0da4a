package import AnsFlowProtocol

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
