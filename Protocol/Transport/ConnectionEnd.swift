/// How a connection ended.
package struct ConnectionEnd: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Source: Equatable, Sendable {
        /// This side closed it.
        case local
        /// The peer sent a close frame.
        case peer
        /// The socket failed or was cut, without a word from the peer.
        case transport
    }

    /// RFC 6455's code for an end without a close frame; never sent.
    package static let abnormal: UInt16 = 1006

    package var source: Source
    package var code: UInt16
    package var reason: String

    package init(_ source: Source, code: UInt16, reason: String) {
        self.source = source
        self.code = code
        self.reason = reason
    }

    package var description: String { reason.isEmpty ? "closed with code \(code)" : "\(reason) (code \(code))" }
}
