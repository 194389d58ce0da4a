/// How an attempt ended, as the shim decided: the first of exit, stop, deadline or out of memory that it acted on.
package enum AttemptResult: String, Codable, Sendable, CaseIterable {
    case success, failed, cancelled
    case timedOut = "timed_out"
    /// Nobody can know how it ended.
    case lost
    /// It could not be run as asked.
    case error
}

/// Why an attempt, step, job or run ended as it did, in one machine-readable word. Users match on these: never rename one.
package enum Cause: String, Codable, Sendable, CaseIterable {
    case exit, signal, timeout, oom, unkillable, config
    case queueTimeout = "queue_timeout"
    case approvalExpired = "approval_expired"
    case approvalDeclined = "approval_declined"
    /// It waited too long for its concurrency group.
    case groupTimeout = "group_timeout"
    case agentLost = "agent_lost"
    case agentStateLost = "agent_state_lost"
    case agentRevoked = "agent_revoked"
    case agentGone = "agent_gone"
    /// The attempt's own deadline has surely passed on a host that was silent.
    case deadlinePassed = "deadline_passed"
    case neverStarted = "never_started"
    case cancelledByUser = "cancelled_by_user"
    case forceCancelled = "force_cancelled"
    case superseded
    case upstreamFailed = "upstream_failed"
    case conditionFalse = "condition_false"
    /// The command could not be started: no such program, no such directory.
    case startFailed = "start_failed"
    case stepFailed = "step_failed"
    /// Taken over from an earlier run.
    case reused
    /// The work went well and a step of `finally` did not.
    case cleanupFailed = "cleanup_failed"
}

/// Why a STOP is sent.
package enum StopReason: String, Codable, Sendable, CaseIterable {
    case cancel, timeout, revoked, superseded
    /// The controller has ended the attempt already.
    case ended
}

/// What a step used, as far as the host could tell.
package struct Usage: Codable, Equatable, Sendable {
    package var cpuUserMs: UInt64
    package var cpuSystemMs: UInt64
    package var memoryPeakBytes: UInt64
    /// From the child's start to its end, by the boot clock.
    package var wallMs: UInt64

    package init(cpuUserMs: UInt64 = 0, cpuSystemMs: UInt64 = 0, memoryPeakBytes: UInt64 = 0, wallMs: UInt64 = 0) {
        self.cpuUserMs = cpuUserMs
        self.cpuSystemMs = cpuSystemMs
        self.memoryPeakBytes = memoryPeakBytes
        self.wallMs = wallMs
    }

    enum CodingKeys: String, CodingKey {
        case cpuUserMs = "cpu_user_ms"
        case cpuSystemMs = "cpu_system_ms"
        case memoryPeakBytes = "memory_peak_bytes"
        case wallMs = "wall_ms"
    }
}

/// The end of an attempt's output. Sent explicitly, also for a log of no bytes.
package struct LogEnd: Codable, Equatable, Sendable {
    package var attempt: AttemptID
    /// Stored bytes.
    package var total: UInt64
    /// SHA-256 of the stored bytes, lower-case hex; absent where the agent could not read them all.
    package var sha256: String?
    /// Bytes that the step wrote and nobody stored; absent where the number can't be known.
    package var dropped: UInt64?

    package init(attempt: AttemptID, total: UInt64, sha256: String?, dropped: UInt64?) {
        self.attempt = attempt
        self.total = total
        self.sha256 = sha256
        self.dropped = dropped
    }
}

/// An attempt's end. Repeated until FORGET.
package struct Finish: Codable, Equatable, Sendable {
    package var attempt: AttemptID
    package var result: AttemptResult
    package var cause: Cause
    package var exitCode: Int32?
    package var signal: Int32?
    /// A sentence for people, where the cause alone does not say enough. No secrets: it was masked.
    package var message: String?
    package var usage: Usage
    package var log: LogEnd
    /// `name=value` pairs that the step wrote.
    package var outputs: [String: String]

    package init(
        attempt: AttemptID, result: AttemptResult, cause: Cause, exitCode: Int32? = nil, signal: Int32? = nil,
        message: String? = nil, usage: Usage = Usage(), log: LogEnd, outputs: [String: String] = [:]
    ) {
        self.attempt = attempt
        self.result = result
        self.cause = cause
        self.exitCode = exitCode
        self.signal = signal
        self.message = message
        self.usage = usage
        self.log = log
        self.outputs = outputs
    }

    enum CodingKeys: String, CodingKey {
        case attempt, result, cause, signal, message, usage, log, outputs
        case exitCode = "exit_code"
    }
}
