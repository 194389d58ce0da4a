package import AnsFlowProtocol

/// Why a request about artifacts came to nothing.
package enum ArtifactFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The controller is away or busy: the same again may work.
    case away(String)
    /// The upload goes on at another byte.
    case offset(UInt64)
    /// What was sent does not have its digest: the file changed.
    case changed
    /// The controller lacks content that a manifest names.
    case incomplete
    /// It will not work; a sentence for the step's log.
    case refused(String)

    package var description: String {
        switch self {
        case .away(let text), .refused(let text): text
        case .offset(let offset): "The upload goes on at byte \(offset)."
        case .changed: "A file changed while it was sent."
        case .incomplete: "The controller lacks content that was sent before."
        }
    }
}

/// A connection to the controller's artifact store, for one request after the other. Used by one task.
///
/// All methods throw ``ArtifactFault``, and what their closures throw.
package protocol ArtifactLink {
    /// Bytes that the controller has; nil where it has all of them.
    func missing(_ digest: String, size: UInt64) async throws -> UInt64?
    /// Sends content from `offset` to its end.
    ///
    /// - Parameter next: The next piece; nil at the end.
    func send(_ digest: String, size: UInt64, offset: UInt64, next: () async throws -> [UInt8]?) async throws
    func publish(_ manifest: ArtifactManifest) async throws -> ArtifactReceipt
    func listing(job: String) async throws -> ArtifactListing
    /// Reads content from `offset` to its end.
    func fetch(_ digest: String, from offset: UInt64, into piece: ([UInt8]) async throws -> Void) async throws
}

/// Ways to the controller's artifact store.
package protocol ArtifactTransport: Sendable {
    /// Connects, lends the connection to `body`, and closes it.
    ///
    /// - Throws: ``ArtifactFault/away(_:)`` where the controller can't be reached, and what `body` throws.
    func withLink<Value: Sendable>(_ body: (any ArtifactLink) async throws -> Value) async throws -> Value
}
