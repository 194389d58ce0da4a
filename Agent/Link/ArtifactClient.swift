package import AgentCore
package import AnsFlowProtocol
import AnsFlowTransport
import NIOCore
import NIOHTTP1
import NIOSSL

/// A built-in step's way to the controller's artifact store: a connection of its own, with the agent's certificate.
///
/// The certificate is read anew for each connection, since the agent renews it meanwhile; so the step needs the agent's files, not its
/// process.
package struct ArtifactClient: ArtifactTransport {
    private let directory: String
    private let attempt: AttemptID

    /// - Parameters:
    ///   - directory: The agent's data directory, enrolled.
    ///   - attempt: The step's.
    package init(directory: String, attempt: AttemptID) {
        self.directory = directory
        self.attempt = attempt
    }

    package func withLink<Value: Sendable>(_ body: (any ArtifactLink) async throws -> Value) async throws -> Value {
        let stream = try await connect()
        let attempt = attempt
        do {
            return try await stream.executeThenClose { inbound, outbound in
                try await body(
                    ArtifactExchange(attempt: attempt, inbound: inbound.makeAsyncIterator(), outbound: outbound))
            }
        } catch let fault as ArtifactFault {
            throw fault
        } catch is CancellationError {
            throw CancellationError()
        } catch let error
            where error is ChannelError || error is IOError || error is NIOSSLError || error is HTTPParserError
        {
            throw ArtifactFault.away("The connection to the controller broke.")
        }
    }

    private func connect() async throws(ArtifactFault) -> HTTPClientStream {
        let identity: LinkIdentity
        let tls: NIOSSLContext
        do {
            guard let found = try LinkIdentity.load(directory) else {
                throw LinkFailure.files("\(directory) is not enrolled.")
            }
            identity = found
            tls = try TransportClient.tls(
                authorities: [try NIOSSLCertificate(bytes: identity.authority, format: .pem)],
                identity: (identity.certificate, identity.key))
        } catch {
            // The agent may be writing its files just now.
            throw .away("The agent's identity can't be used: \(error)")
        }
        do {
            return try await TransportClient(try ControllerAddress(parsing: identity.settings.controller)).stream(
                tls: tls)
        } catch {
            throw .away("\(error)")
        }
    }
}
