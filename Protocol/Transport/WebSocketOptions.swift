/// Every limit and rule of one WebSocket connection.
package struct WebSocketOptions: Sendable {
    package enum Role: Sendable { case client, server }
    package enum Kind: Sendable { case binary, text }

    /// The close codes that violations are answered with.
    package struct Codes: Sendable {
        package var malformed: UInt16
        package var tooLarge: UInt16
        package var wrongType: UInt16
        package var flood: UInt16
        package var silence: UInt16

        /// The codes of RFC 6455, for browsers and other clients.
        package static let standard = Codes(
            malformed: 1002, tooLarge: 1009, wrongType: 1003, flood: 1008, silence: 1001)
        /// The codes of the agent protocol.
        package static let agent = Codes(malformed: 4400, tooLarge: 4400, wrongType: 4400, flood: 4429, silence: 4408)
    }

    package var role: Role
    package var kind = Kind.binary
    package var codes = Codes.agent
    package var messageBytesMax = 256 * 1024
    package var allowsFragments = false
    /// Frames of one message, where fragments are allowed.
    package var fragmentsMax = 64
    /// Nothing came for so long: the connection is closed. `nil` for never. While this side does not read because its own
    /// reader is behind, the time does not count.
    package var silence: Duration? = .seconds(30)
    /// From our close frame until the socket is closed without the peer's answer.
    package var closeTimeout = Duration.seconds(2)
    /// Ping and pong frames from the peer within ``controlWindow``.
    package var controlFramesMax = 32
    package var controlWindow = Duration.seconds(10)
    /// Bytes of messages that wait for the reader; above this nothing is read from the socket.
    package var inboundBytesMax = 512 * 1024
    /// Bytes that ``MessageConnection/send(_:)`` lets wait for the socket before it suspends.
    package var outboundBytesHigh = 512 * 1024
    /// Bytes that ``MessageConnection/trySend(_:)`` lets wait for the socket before it reports an overflow.
    package var outboundBytesMax = 4 * 1024 * 1024

    package init(role: Role) {
        self.role = role
    }

    func code(of kind: FrameViolation.Kind) -> UInt16 {
        switch kind {
        case .malformed: codes.malformed
        case .tooLarge: codes.tooLarge
        case .wrongType: codes.wrongType
        case .flood: codes.flood
        }
    }

    var parserRules: FrameParser.Rules {
        FrameParser.Rules(
            peerMasks: role == .server, payloadMax: messageBytesMax, allowsFragments: allowsFragments)
    }
}

extension Duration {
    /// The same as NIO counts time; whole nanoseconds.
    var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
