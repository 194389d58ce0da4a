import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import Crypto
import FoundationEssentials
import Logging
import NIOCore
import NIOSSL
import SwiftASN1
import Testing
import X509

@testable import ControllerGateway

/// A gateway on a free port with fakes behind it.
struct GatewayBench: Sendable {
    let authority: CertificateAuthority
    let directory: FakeDirectory
    let events: FakeEvents
    let gateway: Gateway
    let data: TemporaryDirectory

    var address: ControllerAddress { ControllerAddress(host: "127.0.0.1", port: gateway.port) }
    var client: TransportClient { TransportClient(address) }

    static func run(
        _ change: (inout Gateway.Configuration) -> Void = { _ in }, writable: Bool = true,
        _ body: (GatewayBench) async throws -> Void
    ) async throws {
        let data = try TemporaryDirectory()
        let authority = try CertificateAuthority.open(directory: data.path)
        let directory = FakeDirectory()
        let events = FakeEvents()
        var configuration = Gateway.Configuration(host: "127.0.0.1", port: 0)
        configuration.enrolBurst = 1000
        change(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let gateway = try await Gateway.bind(
            configuration, authority: authority, directory: directory, events: events,
            state: Gateway.State(writable: { writable }, generation: { 1 }), logger: logger)
        let bench = GatewayBench(
            authority: authority, directory: directory, events: events, gateway: gateway, data: data)
        let serving = Task { try await gateway.run() }
        do {
            try await body(bench)
        } catch {
            serving.cancel()
            throw error
        }
        serving.cancel()
        _ = await serving.result
    }

    /// A key that the directory knows, with a certificate.
    func enrolled() async throws -> (AgentID, TestAgent) {
        var agent = try TestAgent()
        let id = await directory.add(key: agent.fingerprint)
        agent.certificatePEM = try authority.issueAgent(agent.request, agent: id)
        return (id, agent)
    }

    func dial(_ agent: TestAgent?, _ change: (inout WebSocketOptions) -> Void = { _ in }) async throws
        -> MessageConnection
    {
        var options = WebSocketOptions(role: .client)
        change(&options)
        return try await client.webSocket(
            path: ProtocolVersion.path, subprotocol: ProtocolVersion.subprotocol, options: options, tls: try tls(agent))
    }

    func tls(_ agent: TestAgent?) throws -> NIOSSLContext {
        let root = try NIOSSLCertificate(bytes: authority.certificateDER, format: .der)
        return try TransportClient.tls(
            authorities: [root],
            identity: agent.map { (Array($0.certificatePEM.utf8), Array($0.key.pemRepresentation.utf8)) })
    }

    /// Dials and says HELLO.
    func join(_ agent: TestAgent, nonce: String = "nonce") async throws -> MessageConnection {
        let connection = try await dial(agent)
        try await connection.send(try WireCodec.encode(.hello(Self.hello(nonce: nonce))))
        return connection
    }

    static func hello(nonce: String = "nonce", minimum: Int = 1, maximum: Int = 1) -> Hello {
        Hello(
            protocolMin: minimum, protocolMax: maximum, version: "test", processNonce: nonce, bootID: "boot",
            storeID: "store", highestAttemptSeen: AttemptID(0), containment: .cgroup2, slots: 1, labels: [:],
            attempts: [])
    }
}

/// An agent's key and certificate, without the agent's code.
struct TestAgent: Sendable {
    let key = P256.Signing.PrivateKey()
    let csrPEM: String
    let request: SigningRequest
    var certificatePEM = ""

    var fingerprint: String { request.keyFingerprint }

    init() throws {
        let csr = try CertificateSigningRequest(
            version: .v1, subject: try DistinguishedName { CommonName("test") },
            privateKey: Certificate.PrivateKey(key), attributes: CertificateSigningRequest.Attributes())
        csrPEM = try csr.serializeAsPEM().pemString
        request = try SigningRequest(pem: csrPEM)
    }
}

extension MessageConnection {
    /// The next message from the controller.
    func next() async throws -> ControllerMessage {
        try WireCodec.decodeControllerMessage(try #require(try await receive()))
    }

    func say(_ message: AgentMessage) async throws { try await send(try WireCodec.encode(message)) }
}

let heartbeat = AgentMessage.heartbeat(AgentHeartbeat(nowMs: 1, load: 0, diskFreeBytes: 1))
