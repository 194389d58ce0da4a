/// Frames to messages, for connections that allow fragments, and the checks that need a whole message.
struct MessageAssembler {
    private let kind: WebSocketOptions.Kind
    private let messageMax: Int
    private let fragmentsMax: Int
    private var parts: [UInt8] = []
    private var count = 0

    init(_ options: WebSocketOptions) {
        kind = options.kind
        messageMax = options.messageBytesMax
        fragmentsMax = options.fragmentsMax
    }

    /// Takes a data frame.
    ///
    /// - Returns: A whole message, or `nil` where more of it is to come.
    mutating func add(_ frame: Frame) throws(FrameViolation) -> [UInt8]? {
        if frame.opcode == .continuation {
            guard count > 0 else { throw FrameViolation(.malformed, "A message begins with a continuation.") }
        } else {
            guard count == 0 else { throw FrameViolation(.malformed, "A message begins inside another one.") }
            guard (frame.opcode == .text) == (kind == .text) else {
                throw FrameViolation(.wrongType, "Only \(kind == .text ? "text" : "binary") messages are spoken here.")
            }
        }
        guard !(frame.final && count == 0) else { return try checked(frame.payload) }
        count += 1
        guard count <= fragmentsMax else { throw FrameViolation(.tooLarge, "A message has too many fragments.") }
        guard parts.count + frame.payload.count <= messageMax else {
            throw FrameViolation(.tooLarge, "A message is too long; at most \(messageMax) bytes are allowed.")
        }
        parts += frame.payload
        guard frame.final else { return nil }
        defer {
            parts = []
            count = 0
        }
        return try checked(parts)
    }

    private func checked(_ message: [UInt8]) throws(FrameViolation) -> [UInt8] {
        if kind == .text {
            guard String(validating: message, as: UTF8.self) != nil else {
                throw FrameViolation(.malformed, "A text message is not UTF-8.")
            }
        }
        return message
    }
}
