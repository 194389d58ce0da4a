/// Every maximum of the agent protocol. Both ends check each, whatever the other end promised.
package enum ProtocolLimits {
    /// Bytes of a control message, encoded.
    package static let controlMessageBytesMax = 256 * 1024
    /// Bytes of output in one LOG message.
    package static let logPayloadBytesMax = 64 * 1024
    /// Bytes of a whole LOG message: its head, and records whose payloads are at most ``logPayloadBytesMax`` together.
    package static let logMessageBytesMax = 128 * 1024
    /// Bytes of a WebSocket message of any kind.
    package static let messageBytesMax = controlMessageBytesMax
    /// Bytes of an attempt's output that may be under way without an acknowledgement.
    package static let logCreditBytes = 4 * 1024 * 1024
    /// Bytes of a step's specification with environment and secrets.
    package static let stepSpecBytesMax = 224 * 1024
    /// Bytes of one secret.
    package static let secretBytesMax = 64 * 1024
    /// Bytes of all outputs that a FINISH carries.
    package static let outputsBytesMax = 64 * 1024
    /// Attempts that a HELLO may name: those that an agent runs and those whose FORGET it waits for.
    package static let attemptsPerHelloMax = 512
    package static let slotsMax = 256
    package static let labelsMax = 64
    package static let labelBytesMax = 128
    package static let agentNameBytesMax = 64
    package static let reasonBytesMax = 1024

    /// Stored bytes of one attempt's output where the step does not say.
    package static let logBytesDefault: UInt64 = 100 * 1024 * 1024
    package static let logBytesMax: UInt64 = 1024 * 1024 * 1024

    /// Both ends send a heartbeat this often, even when busy.
    package static let heartbeatInterval = Duration.seconds(10)
    /// A connection on which nothing came for this long is closed.
    package static let silenceMax = Duration.seconds(30)
    /// From TCP accept to HELLO.
    package static let helloDeadline = Duration.seconds(10)
    /// An agent that has not begun an attempt this long after it took START never will.
    package static let startWithin = Duration.seconds(60)
    /// How long an old connection may take to answer a probe when another process shows the same key.
    package static let probeDeadline = Duration.seconds(5)
    /// Between TERM and KILL where the step does not say.
    package static let graceDefault = Duration.seconds(10)
    /// After KILL, until an attempt is called unkillable.
    package static let killConfirm = Duration.seconds(5)
}

/// The version of the agent protocol: one integer that moves with every change of a byte on the wire.
package enum ProtocolVersion {
    package static let current = 1
    /// The controller speaks this one and its successors up to ``current``.
    package static let oldest = 1

    /// The version that both ends use, the newest common one; `nil` where there is none.
    package static func negotiate(minimum: Int, maximum: Int) -> Int? {
        let common = min(maximum, current)
        return minimum <= maximum && common >= max(minimum, oldest) ? common : nil
    }

    /// The WebSocket subprotocol of all versions that share framing.
    package static let subprotocol = "ansflow.agent.v1"
    package static let path = "/agent/v1"
    package static let enrolPath = "/agent/enrol"
}
