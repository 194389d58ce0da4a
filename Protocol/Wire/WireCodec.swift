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
        switch try typeName(bytes) {
        case "hello":
            let hello: Hello = try body(bytes)
            try hello.validate()
            return .hello(hello)
        case "started": return .started(try body(bytes, AttemptBody.self).attempt)
        case "declined":
            let body: AttemptBody = try body(bytes)
            return .declined(body.attempt, reason: try bounded(body.reason ?? ""))
        case "gap":
            let gap: GapBody = try body(bytes)
            guard gap.length > 0, gap.offset <= UInt64(Int64.max) - min(gap.length, UInt64(Int64.max)) else {
                throw WireError("gap: offset and length are out of range")
            }
            return .gap(gap.attempt, offset: gap.offset, length: gap.length, reason: try bounded(gap.reason))
        case "eof":
            let end: LogEnd = try body(bytes)
            try end.validate()
            return .eof(end)
        case "finish":
            let finish: Finish = try body(bytes)
            try finish.validate()
            return .finish(finish)
        case "heartbeat": return .heartbeat(try body(bytes))
        case let other: throw WireError("unknown message type \"\(other.prefix(32))\" from an agent")
        }
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
        switch try typeName(bytes) {
        case "welcome": return .welcome(try body(bytes))
        case "start": return .start(try body(bytes))
        case "stop":
            let stop: StopBody = try body(bytes)
            return .stop(stop.attempt, reason: stop.reason, graceMs: stop.graceMs)
        case "log_ack":
            let ack: OffsetBody = try body(bytes)
            return .logAck(ack.attempt, next: ack.next)
        case "log_resend":
            let resend: OffsetBody = try body(bytes)
            return .logResend(resend.attempt, from: resend.next)
        case "forget": return .forget(try body(bytes, AttemptBody.self).attempt)
        case "job_ended": return .jobEnded(try body(bytes, JobBody.self).jobAttempt)
        case "heartbeat": return .heartbeat(try body(bytes))
        case "probe": return .probe
        case "drain": return .drain
        case let other: throw WireError("unknown message type \"\(other.prefix(32))\" from the controller")
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

    private struct TypeName: Decodable { var type: String }
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

    private static func typeName(_ bytes: [UInt8]) throws(WireError) -> String {
        guard bytes.count <= ProtocolLimits.controlMessageBytesMax else {
            throw WireError(
                "a control message has \(bytes.count) bytes; at most \(ProtocolLimits.controlMessageBytesMax) are allowed"
            )
        }
        return try body(bytes, TypeName.self).type
    }

    private static func body<Body: Decodable>(_ bytes: [UInt8], _ type: Body.Type = Body.self) throws(WireError) -> Body
    {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
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
