import AnsFlowRecords

/// What an agent sends. Every message names its attempt and may come twice: it changes nothing the second time.
package enum AgentMessage: Equatable, Sendable {
    case hello(Hello)
    /// The start file is there: the step runs.
    case started(AttemptID)
    /// The attempt was not started and never will be.
    case declined(AttemptID, reason: String)
    /// Output: one or more whole ``LogRecord``s of one attempt with consecutive offsets.
    case log(LogFrame)
    /// Bytes that the agent cannot supply: a power cut shortened its spool, or its disk was full.
    case gap(AttemptID, offset: UInt64, length: UInt64, reason: String)
    case eof(LogEnd)
    case finish(Finish)
    case heartbeat(AgentHeartbeat)
}

/// What the controller sends.
package enum ControllerMessage: Equatable, Sendable {
    case welcome(Welcome)
    /// Start this attempt, now or never: see ``ProtocolLimits/startWithin``. Sent after its commit.
    case start(Start)
    case stop(AttemptID, reason: StopReason, graceMs: UInt64)
    /// All bytes before `next` are durable.
    case logAck(AttemptID, next: UInt64)
    /// Send the output again from `from`: what was stored does not match the hash.
    case logResend(AttemptID, from: UInt64)
    /// The attempt's end is durable: its spool may go.
    case forget(AttemptID)
    /// No step of this job attempt will come any more: its workspace may go.
    case jobEnded(JobAttemptID)
    case heartbeat(ControllerHeartbeat)
    /// Answer with a heartbeat at once: another process shows this agent's key.
    case probe
    /// Take no new job attempts; leave when the last has ended.
    case drain
}

package struct Start: Codable, Equatable, Sendable {
    package var attempt: AttemptID
    package var spec: StepSpec
    /// Variable name to value. They reach the shim through a pipe only, and are masked in all output.
    package var secrets: [String: String]
    package var startWithinMs: UInt64

    package init(attempt: AttemptID, spec: StepSpec, secrets: [String: String] = [:], startWithinMs: UInt64 = 60_000) {
        self.attempt = attempt
        self.spec = spec
        self.secrets = secrets
        self.startWithinMs = startWithinMs
    }

    enum CodingKeys: String, CodingKey {
        case attempt, spec, secrets
        case startWithinMs = "start_within_ms"
    }
}

/// Output on the wire: whole records, exactly as they stand in the spool.
package struct LogFrame: Equatable, Sendable {
    package var attempt: AttemptID
    /// Encoded ``LogRecord``s, one behind the other.
    package var records: [UInt8]

    package init(attempt: AttemptID, records: [UInt8]) {
        self.attempt = attempt
        self.records = records
    }
}

package struct AgentHeartbeat: Codable, Equatable, Sendable {
    /// Milliseconds since 1970 by the agent's wall clock; for showing a wrong clock, never for deciding.
    package var nowMs: Int64
    /// One-minute load average.
    package var load: Double
    /// Free bytes where the agent keeps spools and workspaces.
    package var diskFreeBytes: UInt64

    package init(nowMs: Int64, load: Double, diskFreeBytes: UInt64) {
        self.nowMs = nowMs
        self.load = load
        self.diskFreeBytes = diskFreeBytes
    }

    enum CodingKeys: String, CodingKey {
        case load
        case nowMs = "now_ms"
        case diskFreeBytes = "disk_free_bytes"
    }
}

package struct ControllerHeartbeat: Codable, Equatable, Sendable {
    package var nowMs: Int64
    /// False while the controller can't make anything durable: agents spool and start nothing.
    package var writable: Bool

    package init(nowMs: Int64, writable: Bool) {
        self.nowMs = nowMs
        self.writable = writable
    }

    enum CodingKeys: String, CodingKey {
        case nowMs = "now_ms"
        case writable
    }
}
