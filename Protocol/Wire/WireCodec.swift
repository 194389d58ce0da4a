import AnsFlowRecords
// The only file of Protocol and Agent that codes JSON, and so the only one that imports FoundationEssentials.
import FoundationEssentials

/// A message that can't be read. The connection it came on is closed with ``CloseCode/malformed``.
package struct WireError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Bytes of one WebSocket message to messages and back.
///
/// A control message is a JSON object whose `type` names it. A LOG message is binary: the byte 1, the attempt (8 bytes,
/// little-endian), then whole records.
package enum WireCodec {
    private static let logKind: UInt8 = 1
    private static let logHeadSize = 9

    // MARK: From the agent

    package static func encode(_ message: AgentMessage) throws(WireError) -> [UInt8] {
        switch message {
        case .hello(let hello): try object("hello", hello)
        case .started(let attempt): try object("started", AttemptBody(attempt: attempt))
        case .declined(let attempt, let reason):
            try object("declined", AttemptBody(attempt: attempt, reason: reason))
        case .log(let frame): encode(frame)
        case .gap(let attempt, let offset, let length, let reason):
            try object("gap", GapBody(attempt: attempt, offset: offset, length: length, reason: reason))
        case .eof(let end): try object("eof", end)
        case .finish(let finish): try object("finish", finish)
        case .heartbeat(let heartbeat): try object("heartbeat", heartbeat)
        }
    }

    package static func decodeAgentMessage(_ bytes: [UInt8]) throws(WireError) -> AgentMessage {
        if bytes.first == logKind { return .log(try decodeLog(bytes)) }
        return try control(bytes, AgentEnvelope.self).message
    }

    // MARK: From the controller

    package static func encode(_ message: ControllerMessage) throws(WireError) -> [UInt8] {
        switch message {
        case .welcome(let welcome): try object("welcome", welcome)
        case .start(let start): try object("start", start)
        case .stop(let attempt, let reason, let graceMs):
            try object("stop", StopBody(attempt: attempt, reason: reason, graceMs: graceMs))
        case .logAck(let attempt, let next): try object("log_ack", OffsetBody(attempt: attempt, next: next))
        case .logResend(let attempt, let from): try object("log_resend", OffsetBody(attempt: attempt, next: from))
        case .forget(let attempt): try object("forget", AttemptBody(attempt: attempt))
        case .jobEnded(let job): try object("job_ended", JobBody(jobAttempt: job))
        case .heartbeat(let heartbeat): try object("heartbeat", heartbeat)
        case .probe: try object("probe", EmptyBody())
        case .drain: try object("drain", EmptyBody())
        }
    }

    package static func decodeControllerMessage(_ bytes: [UInt8]) throws(WireError) -> ControllerMessage {
        try control(bytes, ControllerEnvelope.self).message
    }

    // MARK: Control messages

    private enum TypeKey: CodingKey { case type }

    /// Reads `type` and the rest of the object in one pass.
    private struct AgentEnvelope: Decodable {
        let message: AgentMessage

        init(from decoder: any Decoder) throws {
            switch try decoder.container(keyedBy: TypeKey.self).decode(String.self, forKey: .type) {
            case "hello":
                let hello = try Hello(from: decoder)
                try hello.validate()
                message = .hello(hello)
            case "started": message = .started(try AttemptBody(from: decoder).attempt)
            case "declined":
                let body = try AttemptBody(from: decoder)
                message = .declined(body.attempt, reason: try WireCodec.bounded(body.reason ?? ""))
            case "gap":
                let gap = try GapBody(from: decoder)
                guard gap.length > 0, gap.offset <= UInt64(Int64.max) - min(gap.length, UInt64(Int64.max)) else {
                    throw WireError("gap: offset and length are out of range")
                }
                message = .gap(
                    gap.attempt, offset: gap.offset, length: gap.length, reason: try WireCodec.bounded(gap.reason))
            case "eof":
                let end = try LogEnd(from: decoder)
                try end.validate()
                message = .eof(end)
            case "finish":
                let finish = try Finish(from: decoder)
                try finish.validate()
                message = .finish(finish)
            case "heartbeat": message = .heartbeat(try AgentHeartbeat(from: decoder))
            case let other: throw WireError("unknown message type \"\(other.prefix(32))\" from an agent")
            }
        }
    }

    private struct ControllerEnvelope: Decodable {
        let message: ControllerMessage

        init(from decoder: any Decoder) throws {
            switch try decoder.container(keyedBy: TypeKey.self).decode(String.self, forKey: .type) {
            case "welcome": message = .welcome(try Welcome(from: decoder))
            case "start": message = .start(try Start(from: decoder))
            case "stop":
                let stop = try StopBody(from: decoder)
                message = .stop(stop.attempt, reason: stop.reason, graceMs: stop.graceMs)
            case "log_ack":
                let ack = try OffsetBody(from: decoder)
                message = .logAck(ack.attempt, next: ack.next)
            case "log_resend":
                let resend = try OffsetBody(from: decoder)
                message = .logResend(resend.attempt, from: resend.next)
            case "forget": message = .forget(try AttemptBody(from: decoder).attempt)
            case "job_ended": message = .jobEnded(try JobBody(from: decoder).jobAttempt)
            case "heartbeat": message = .heartbeat(try ControllerHeartbeat(from: decoder))
            case "probe": message = .probe
            case "drain": message = .drain
            case let other: throw WireError("unknown message type \"\(other.prefix(32))\" from the controller")
            }
        }
    }

    // MARK: LOG

    private static func encode(_ frame: LogFrame) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(logHeadSize + frame.records.count)
        bytes.append(logKind)
        bytes.append(integer: frame.attempt.rawValue)
        bytes.append(contentsOf: frame.records)
        return bytes
    }

    private static func decodeLog(_ bytes: [UInt8]) throws(WireError) -> LogFrame {
        guard bytes.count <= ProtocolLimits.logMessageBytesMax else {
            throw WireError(
                "a LOG message has \(bytes.count) bytes; at most \(ProtocolLimits.logMessageBytesMax) are allowed")
        }
        guard bytes.count > logHeadSize else { throw WireError("a LOG message is cut off") }
        let attempt = bytes.withUnsafeBytes { raw in
            Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 1, as: Int64.self))
        }
        return LogFrame(attempt: AttemptID(attempt), records: Array(bytes[logHeadSize...]))
    }

    // MARK: JSON

    private struct EmptyBody: Codable {}
    private struct AttemptBody: Codable {
        var attempt: AttemptID
        var reason: String?
    }
    private struct JobBody: Codable {
        var jobAttempt: JobAttemptID

        enum CodingKeys: String, CodingKey { case jobAttempt = "job_attempt" }
    }
    private struct GapBody: Codable {
        var attempt: AttemptID
        var offset: UInt64
        var length: UInt64
        var reason: String
    }
    private struct StopBody: Codable {
        var attempt: AttemptID
        var reason: StopReason
        var graceMs: UInt64

        enum CodingKeys: String, CodingKey {
            case attempt, reason
            case graceMs = "grace_ms"
        }
    }
    private struct OffsetBody: Codable {
        var attempt: AttemptID
        var next: UInt64
    }

    /// A body's own fields and beside them its `type`.
    private struct Tagged<Body: Encodable>: Encodable {
        var type: String
        var body: Body

        enum CodingKeys: String, CodingKey { case type }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(type, forKey: .type)
            try body.encode(to: encoder)
        }
    }

    private static func object(_ type: String, _ body: some Encodable) throws(WireError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            bytes = [UInt8](try encoder.encode(Tagged(type: type, body: body)))
        } catch {
            throw WireError("\(type) can't be encoded: \(error)")
        }
        guard bytes.count <= ProtocolLimits.controlMessageBytesMax else {
            throw WireError(
                "\(type) has \(bytes.count) bytes; at most \(ProtocolLimits.controlMessageBytesMax) are allowed")
        }
        return bytes
    }

    private static func control<Body: Decodable>(_ bytes: [UInt8], _ type: Body.Type) throws(WireError) -> Body {
        guard bytes.count <= ProtocolLimits.controlMessageBytesMax else {
            throw WireError(
                "a control message has \(bytes.count) bytes; at most \(ProtocolLimits.controlMessageBytesMax) are allowed"
            )
        }
        return try body(bytes, type)
    }

    private static func body<Body: Decodable>(_ bytes: [UInt8], _ type: Body.Type = Body.self) throws(WireError) -> Body
    {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as WireError {
            throw error
        } catch {
            throw WireError("not a valid message: \(error)")
        }
    }

    private static func bounded(_ text: String) throws(WireError) -> String {
        guard text.utf8.count <= ProtocolLimits.reasonBytesMax else { throw WireError("a reason is too long") }
        return text
    }

    // MARK: Specifications at rest

    /// A step's specification as JSON, for the agent's journal and the shim's start message.
    package static func encodeSpec(_ spec: StepSpec) throws(WireError) -> [UInt8] {
        try object("spec", spec)
    }

    package static func decodeSpec(_ bytes: [UInt8]) throws(WireError) -> StepSpec {
        try body(bytes)
    }

    // MARK: Enrolment

    package static func encode(_ request: EnrolRequest) throws(WireError) -> [UInt8] { try plain(request) }
    package static func encode(_ response: EnrolResponse) throws(WireError) -> [UInt8] { try plain(response) }
    package static func encode(_ refusal: EnrolRefusal) throws(WireError) -> [UInt8] { try plain(refusal) }
    package static func encode(_ settings: LinkSettings) throws(WireError) -> [UInt8] { try plain(settings) }

    package static func decodeEnrolRequest(_ bytes: [UInt8]) throws(WireError) -> EnrolRequest {
        let request: EnrolRequest = try plain(bytes)
        try request.validate()
        return request
    }

    package static func decodeEnrolResponse(_ bytes: [UInt8]) throws(WireError) -> EnrolResponse { try plain(bytes) }
    package static func decodeEnrolRefusal(_ bytes: [UInt8]) throws(WireError) -> EnrolRefusal { try plain(bytes) }
    package static func decodeLinkSettings(_ bytes: [UInt8]) throws(WireError) -> LinkSettings { try plain(bytes) }

    // MARK: Artifacts

    package static func encode(_ manifest: ArtifactManifest) throws(WireError) -> [UInt8] { try plain(manifest) }
    package static func encode(_ receipt: ArtifactReceipt) throws(WireError) -> [UInt8] { try plain(receipt) }
    package static func encode(_ listing: ArtifactListing) throws(WireError) -> [UInt8] { try plain(listing) }

    package static func decodeManifest(_ bytes: [UInt8]) throws(WireError) -> ArtifactManifest {
        let manifest: ArtifactManifest = try plain(bytes, max: ArtifactLimits.manifestBytesMax)
        try manifest.validate()
        return manifest
    }

    package static func decodeReceipt(_ bytes: [UInt8]) throws(WireError) -> ArtifactReceipt {
        try plain(bytes, max: ArtifactLimits.manifestBytesMax)
    }

    package static func decodeListing(_ bytes: [UInt8]) throws(WireError) -> ArtifactListing {
        try plain(bytes, max: ArtifactLimits.manifestBytesMax)
    }

    private static func plain(_ value: some Encodable) throws(WireError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return [UInt8](try encoder.encode(value))
        } catch {
            throw WireError("A value can't be encoded: \(error)")
        }
    }

    private static func plain<Body: Decodable>(
        _ bytes: [UInt8], max: Int = EnrolRequest.bytesMax
    ) throws(WireError) -> Body {
        guard bytes.count <= max else {
            throw WireError("The body has \(bytes.count) bytes; at most \(max) are allowed.")
        }
        return try body(bytes)
    }
}
