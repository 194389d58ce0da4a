/// What a frame carries.
package enum Opcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    package var isControl: Bool { rawValue & 0x8 != 0 }
}

/// One WebSocket frame, its payload already unmasked.
package struct Frame: Equatable, Sendable {
    package var opcode: Opcode
    /// Whether it is its message's last frame.
    package var final: Bool
    package var payload: [UInt8]

    package init(_ opcode: Opcode, final: Bool = true, payload: [UInt8]) {
        self.opcode = opcode
        self.final = final
        self.payload = payload
    }
}

/// Bytes that are not what the rules of a connection allow.
package struct FrameViolation: Error, Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// Not RFC 6455, or a feature that this connection does not use.
        case malformed
        case tooLarge
        /// A text frame where binary is spoken, or the other way round.
        case wrongType
        /// More control frames than the connection allows in a time.
        case flood
    }

    package var kind: Kind
    /// A sentence for the peer's log.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
