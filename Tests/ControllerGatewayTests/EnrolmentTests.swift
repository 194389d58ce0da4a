import AgentLink
import AnsFlowProtocol
import AnsFlowTransport
import FoundationEssentials
import Glibc
import Logging
import NIOSSL
import Testing

@testable import ControllerGateway

/// Enrolment with the agent's own code against a real listener.
struct EnrolmentTests {
    private static let secret = "a-token-of-enough-bytes"

    private func enrolment(_ bench: GatewayBench) -> Enrolment {
        Enrolment(controller: bench.address.description, name: "b1", labels: ["os": "linux"], slots: 2)
    }

    private func token(_ bench: GatewayBench, fingerprint: String? = nil) async -> String {
        await bench.directory.addToken(Self.secret)
        return EnrolToken(
            secret: Self.secret, authorityFingerprint: fingerprint ?? bench.authority.fingerprint
        ).text
    }

    private func refusal(_ body: () async throws -> Void) async -> EnrolRefusal.Code? {
        do {
            try await body()
            return nil
        } catch LinkFailure.refused(let refusal) {
            return refusal.code
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aTokenMakesAnAgentOnce() async throws {
        try await GatewayBench.run { bench in
            let token = await token(bench)
            let directory = try TemporaryDirectory()
            let settings = try await enrolment(bench).enrol(token: token, directory: directory.path)
            let loaded = try #require(try LinkIdentity.load(directory.path))
            #expect(loaded.settings == settings)
            #expect(settings.controller == bench.address.description)
            var status = stat()
            #expect(stat(directory.path + "/agent.key", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            // The same directory needs to be told; another key is refused.
            await #expect(throws: LinkFailure.self) {
                try await enrolment(bench).enrol(token: token, directory: directory.path)
            }
            let other = try TemporaryDirectory()
            #expect(
                await refusal { _ = try await enrolment(bench).enrol(token: token, directory: other.path) } == .token)
            // A run that was cut off before its end may be repeated with the same key.
            #expect(unlink(directory.path + "/link.json") == 0)
            #expect(try await enrolment(bench).enrol(token: token, directory: directory.path).agent == settings.agent)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func ofTwoAtOnceOneWins() async throws {
        try await GatewayBench.run { bench in
            let token = await token(bench)
            let directories = try (0..<4).map { _ in try TemporaryDirectory() }
            let wins = await withTaskGroup(of: Bool.self) { group in
                for directory in directories {
                    group.addTask {
                        (try? await enrolment(bench).enrol(token: token, directory: directory.path)) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wins == 1)
            #expect(await bench.directory.enrolments == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anotherAuthorityIsNotTrusted() async throws {
        try await GatewayBench.run { bench in
            let token = await token(bench, fingerprint: String(repeating: "ab", count: 32))
            let directory = try TemporaryDirectory()
            let failure = await #expect(throws: LinkFailure.self) {
                try await enrolment(bench).enrol(token: token, directory: directory.path)
            }
            guard case .authority = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
            #expect(await bench.directory.enrolments == 0, "the secret was not shown")
            #expect(access(directory.path + "/agent.key", F_OK) != 0)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aBorrowedAuthorityGetsNothing() async throws {
        // A listener that shows the right authority's certificate beside a leaf of its own making.
        try await GatewayBench.run { honest in
            let data = try TemporaryDirectory()
            let rogue = try CertificateAuthority.open(directory: data.path)
            let server = try rogue.issueServer(names: ["127.0.0.1"])
            let leaf = try NIOSSLCertificate(bytes: Array(server.certificatePEM.utf8), format: .pem)
            let borrowed = try NIOSSLCertificate(bytes: honest.authority.certificateDER, format: .der)
            let configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: [.certificate(leaf), .certificate(borrowed)],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(server.keyPEM.utf8), format: .pem)))
            let context = try NIOSSLContext(configuration: configuration)
            let asked = AsyncFlag()
            let listener = try await RogueListener.bind(context) { asked.raise() }
            let serving = Task { try await listener.run() }
            defer { serving.cancel() }
            let token = await token(honest)
            let enrolment = Enrolment(
                controller: "https://127.0.0.1:\(listener.port)", name: "b1", labels: [:], slots: 1)
            let directory = try TemporaryDirectory()
            let failure = await #expect(throws: LinkFailure.self) {
                try await enrolment.enrol(token: token, directory: directory.path)
            }
            guard case .dial(let error) = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
            #expect(error.kind == .tls)
            let waiting = Task { await asked.wait() }
            waiting.cancel()
            #expect(await waiting.value == false, "no request reached it")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func renewal() async throws {
        try await GatewayBench.run { bench in
            let (id, agent) = try await bench.enrolled()
            let stranger = try TestAgent()
            func post(_ csr: String) async throws -> HTTPAnswer {
                let request = EnrolRequest(token: nil, csr: csr, name: "n", labels: [:], slots: 1)
                return try await bench.client.post(
                    path: ProtocolVersion.enrolPath, body: try WireCodec.encode(request), answerMax: 16 * 1024,
                    tls: try bench.tls(nil))
            }
            let renewed = try await post(agent.csrPEM)
            #expect(renewed.status == 200)
            #expect(try WireCodec.decodeEnrolResponse(renewed.body).agent == id)
            let unknown = try await post(stranger.csrPEM)
            #expect(unknown.status == 403)
            #expect(try WireCodec.decodeEnrolRefusal(unknown.body).code == .unknownKey)
            await bench.directory.revoke(id)
            #expect(try WireCodec.decodeEnrolRefusal(try await post(agent.csrPEM).body).code == .revoked)
            await bench.directory.setAvailable(false)
            #expect(try await post(agent.csrPEM).status == 503)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func bodiesAndRatesAreBounded() async throws {
        try await GatewayBench.run({
            $0.enrolBurst = 3
            $0.enrolRefill = .seconds(3600)
        }) { bench in
            func post(_ body: [UInt8]) async throws -> Int {
                try await bench.client.post(
                    path: ProtocolVersion.enrolPath, body: body, answerMax: 16 * 1024, tls: try bench.tls(nil)
                ).status
            }
            let limit = EnrolRequest.bytesMax
            let tries: [([UInt8], Int)] = [
                ([UInt8](repeating: 32, count: limit), 400), ([UInt8](repeating: 32, count: limit + 1), 413),
                ([UInt8](repeating: 32, count: limit * 100), 413), (Array("{".utf8), 400), (Array("null".utf8), 400),
                (Array("null".utf8), 429),
            ]
            for (body, expected) in tries {
                let status = try await post(body)
                #expect(status == expected, "\(body.count) bytes")
            }
        }
    }
}

/// A listener that counts requests.
enum RogueListener {
    static func bind(_ context: NIOSSLContext, asked: @escaping @Sendable () -> Void) async throws -> TransportServer {
        let handlers = TransportServer.Handlers(
            decide: { _ in
                asked()
                return .answer(.text(200, "thanks"))
            }, answer: { _, _ in .text(200, "thanks") }, serve: { _, _, _ in })
        return try await TransportServer.bind(
            .init(host: "127.0.0.1", port: 0), handlers: handlers, logger: .init(label: "test"), tls: { context })
    }
}
