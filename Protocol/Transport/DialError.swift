import NIOCore
import NIOPosix
import NIOSSL

/// Why a dial or an exchange with a controller came to nothing.
package struct DialError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// No connection to the address.
        case unreachable
        case tls
        case timeout
        /// The connection ended early.
        case cut
        /// An HTTP status instead of a WebSocket.
        case refused(status: Int)
        /// The other side does not behave like a controller.
        case unexpected
        /// The address is not one.
        case address
    }

    package var kind: Kind
    /// A full sentence that says what to do where that is known.
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    static func from(_ error: any Error) -> DialError {
        switch error {
        case let error as DialError: error
        case let error as NIOConnectionError:
            DialError(
                .unreachable,
                "No connection to \(error.host), port \(error.port): "
                    + (error.connectionErrors.first.map { "\($0.error)" } ?? "the name has no address") + ".")
        case let error as ChannelError:
            DialError(.unreachable, "No connection: \(error).")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            DialError(.tls, TLSExplanation.text(of: error))
        default: DialError(.cut, "The connection failed: \(TLSExplanation.text(of: error))")
        }
    }
}
