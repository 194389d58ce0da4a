import AnsFlowTransport
import ControllerCore
import ControllerGateway
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import ControllerOutgoing

/// Answers from a list, one answer for each question; the last stays.
final class ScriptedResolver: AddressResolving {
    private let answers: Mutex<[[String]]>
    let asked = Mutex<[String]>([])

    init(_ answers: [String]...) { self.answers = Mutex(answers) }

    func addresses(of host: String) async throws -> [IPAddress] {
        asked.withLock { $0.append(host) }
        let answer = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? [] }
        return answer.compactMap { IPAddress($0) }
    }
}

@Suite struct ClientTests {
    private func client(
        _ allowed: [String] = [], _ resolver: any AddressResolving = SystemResolver(), trust: [String] = []
    ) throws -> OutgoingClient {
        var configuration = OutgoingConfiguration(policy: try AddressPolicy(allowed: allowed))
        configuration.trustFiles = trust
        return try OutgoingClient(configuration, resolver: resolver)
    }

    private func failure(_ client: OutgoingClient, _ request: OutgoingRequest) async -> OutgoingFailure? {
        do throws(OutgoingFailure) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func asksAnAllowedServer() async throws {
        let peer = try HTTPPeer { request in
            HTTPPeer.Reply(201, [("X-Kind", "a"), ("X-Kind", "b")], "got \(request.text)")
        }
        defer { peer.stop() }
        let answer = try await client(["127.0.0.1"]).send(
            OutgoingRequest(
                "POST", peer.url + "/in?x=1", headers: [("Content-Type", "text/plain")], body: Array("hello".utf8)))
        #expect(answer.status == 201)
        #expect(answer.headers["x-kind"] == "a")
        #expect(answer.body == Array("got hello".utf8))
        let seen = try #require(peer.requests.first)
        #expect(seen.method == "POST")
        #expect(seen.target == "/in?x=1")
        #expect(seen.headers["host"] == "127.0.0.1:\(peer.port)")
        #expect(seen.headers["content-type"] == "text/plain")
        #expect(seen.headers["user-agent"] == "AnsFlow")
    }

    @Test(arguments: ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "[::ffff:7f00:1]", "[::1]", "0.0.0.0"])
    func neverReachesLoopback(_ host: String) async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(200) }
        defer { peer.stop() }
        let plain = await failure(try client(), OutgoingRequest("GET", "http://\(host):\(peer.port)/"))
        guard case .refused(let text) = plain else {
            Issue.record("\(host) was not refused: \(String(describing: plain))")
            return
        }
        #expect(text.contains("this host"))
        #expect(text.contains("--outgoing-allow"))
        #expect(peer.connectionCount == 0)
    }

    /// The answer that is checked is the one that is connected to: the name is asked for once.
    @Test func aNameThatChangesItsAnswerGainsNothing() async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(200) }
        defer { peer.stop() }
        // Checked and allowed; had it been asked again, it would have led to this host.
        let rebinding = ScriptedResolver(["192.0.2.1"], ["127.0.0.1"])
        var request = OutgoingRequest("GET", "http://rebind.example.org:\(peer.port)/")
        request.timeoutMs = 700
        let outcome = await failure(try client(["192.0.2.1"], rebinding), request)
        guard case .unreachable = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(rebinding.asked.withLock { $0 } == ["rebind.example.org"])
        #expect(peer.connectionCount == 0)
    }

    @Test func oneForbiddenAddressOfTwoSpoilsTheName() async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(200) }
        defer { peer.stop() }
        for answer in [["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["::ffff:127.0.0.1"]] {
            let resolver = ScriptedResolver(answer)
            let outcome = await failure(
                try client([], resolver), OutgoingRequest("GET", "https://two.example.org:\(peer.port)/"))
            guard case .refused = outcome else {
                Issue.record("\(answer): \(String(describing: outcome))")
                continue
            }
        }
        #expect(peer.connectionCount == 0)
    }

    @Test func triesTheNextAddressWhereOneDoesNotListen() async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(200) }
        defer { peer.stop() }
        let resolver = ScriptedResolver(["127.0.0.2", "127.0.0.1"])
        let answer = try await client(["127.0.0.0/8"], resolver).send(
            OutgoingRequest("GET", "http://two.example.org:\(peer.port)/"))
        #expect(answer.status == 200)
        #expect(peer.requests.first?.headers["host"] == "two.example.org:\(peer.port)")
    }

    @Test(arguments: [
        "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://10.0.0.1/",
        "http://[::1]:1/", "gopher://127.0.0.1/", "https://user:word@127.0.0.1/",
    ])
    func redirectsAreChecked(_ location: String) async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(302, [("Location", location)]) }
        defer { peer.stop() }
        var request = OutgoingRequest("GET", peer.url + "/")
        request.redirectsMax = 3
        guard case .refused = await failure(try client(["127.0.0.1"]), request) else {
            Issue.record("\(location) was followed")
            return
        }
        #expect(peer.requests.count == 1)
        // Without leave to follow, the redirect is the answer.
        request.redirectsMax = 0
        #expect(try await client(["127.0.0.1"]).send(request).status == 302)
    }

    @Test func followsAtMostThreeRedirectsAndKeepsSecretsFromOthers() async throws {
        let other = try HTTPPeer { _ in HTTPPeer.Reply(200, [], "there") }
        defer { other.stop() }
        let peer = try HTTPPeer { [port = other.port] request in
            request.target == "/out"
                ? HTTPPeer.Reply(307, [("Location", "http://127.0.0.1:\(port)/x")])
                : HTTPPeer.Reply(302, [("Location", "/again")])
        }
        defer { peer.stop() }
        let client = try client(["127.0.0.1"])
        var request = OutgoingRequest(
            "GET", peer.url + "/out", headers: [("Authorization", "Bearer word"), ("Accept", "text/plain")])
        request.redirectsMax = 9
        let there = try await client.send(request)
        #expect(there.body == Array("there".utf8))
        let seen = try #require(other.requests.first)
        #expect(seen.headers["authorization"] == nil)
        #expect(seen.headers["accept"] == "text/plain")
        request.url = peer.url + "/round"
        let last = try await client.send(request)
        #expect(last.status == 302)
        #expect(peer.requests.filter { $0.target != "/out" }.count == 4)
        #expect(peer.requests.allSatisfy { $0.headers["authorization"] == "Bearer word" })
    }

    @Test func aPostIsNotTurnedIntoAGet() async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(303, [("Location", "/x")]) }
        defer { peer.stop() }
        var request = OutgoingRequest("POST", peer.url + "/", body: [1])
        request.redirectsMax = 3
        #expect(try await client(["127.0.0.1"]).send(request).status == 303)
        #expect(peer.requests.count == 1)
    }

    @Test func boundsBodyAndTime() async throws {
        let peer = try HTTPPeer { request in
            var reply = HTTPPeer.Reply(200, [], String(repeating: "x", count: 300_000))
            if request.target == "/slow" { reply.delay = 3 }
            return request.target == "/cut" ? .cut : reply
        }
        defer { peer.stop() }
        let client = try client(["127.0.0.1"])
        var request = OutgoingRequest("GET", peer.url + "/big")
        request.answerBytesMax = 1000
        #expect(try await client.send(request).body.count == 1000)
        request.url = peer.url + "/slow"
        request.timeoutMs = 300
        let began = ContinuousClock.now
        guard case .unreachable = await failure(client, request) else {
            Issue.record("It waited for the slow one.")
            return
        }
        #expect(ContinuousClock.now - began < .seconds(2))
        guard case .unreachable = await failure(client, OutgoingRequest("GET", peer.url + "/cut")) else {
            Issue.record("A cut connection is no answer.")
            return
        }
    }

    @Test func boundsWhatIsUnderWay() async throws {
        let peer = try HTTPPeer { _ in
            var reply = HTTPPeer.Reply(200)
            reply.delay = 0.3
            return reply
        }
        defer { peer.stop() }
        var configuration = OutgoingConfiguration(policy: try AddressPolicy(allowed: ["127.0.0.1"]))
        configuration.concurrentMax = 1
        configuration.waitingMax = 1
        let client = try OutgoingClient(configuration)
        let url = peer.url
        let outcomes = await withTaskGroup(of: OutgoingFailure?.self) { group in
            for _ in 0..<6 { group.addTask { await self.failure(client, OutgoingRequest("GET", url)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == .busy }.count == 4)
        #expect(outcomes.filter { $0 == nil }.count == 2)
    }

    // MARK: TLS

    @Test func namesOfCertificates() {
        #expect(PeerCheck.matches("a.example.org", "a.example.org"))
        #expect(PeerCheck.matches("*.example.org", "a.example.org"))
        #expect(!PeerCheck.matches("*.example.org", "example.org"))
        #expect(!PeerCheck.matches("*.example.org", "a.b.example.org"))
        #expect(!PeerCheck.matches("*.org", "example.org"))
        #expect(!PeerCheck.matches("a*.example.org", "ab.example.org"))
        #expect(!PeerCheck.matches("", "example.org"))
    }

    @Test func certificatesAreVerifiedAgainstTheName() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/outgoing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let authority = try CertificateAuthority.open(directory: folder)
        let identity = try ListenerIdentity(authority, extraNames: ["hooks.example.org"])
        let root = try NIOSSLCertificate(bytes: authority.certificateDER, format: .der)
        let pem = folder + "/root.pem"
        let base64 = Data(try root.toDERBytes()).base64EncodedString(options: [.lineLength64Characters])
        let text = "-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: pem))
        let server = try await TLSGreeter(identity.context)
        let resolver = ScriptedResolver(["127.0.0.1"])
        let known = try client(["127.0.0.1"], resolver, trust: [pem])

        let answer = try await known.send(OutgoingRequest("GET", "https://hooks.example.org:\(server.port)/"))
        #expect(answer.status == 204)
        #expect(
            server.heads.withLock { $0.first ?? "" }.lowercased().contains("host: hooks.example.org:\(server.port)"))

        // Another name at the same address, and an authority that nobody knows.
        let wrong = await failure(known, OutgoingRequest("GET", "https://other.example.org:\(server.port)/"))
        let unknown = await failure(
            try client(["127.0.0.1"], resolver), OutgoingRequest("GET", "https://hooks.example.org:\(server.port)/"))
        for outcome in [wrong, unknown] {
            guard case .unreachable = outcome else {
                Issue.record("\(String(describing: outcome))")
                continue
            }
        }
        // The certificate names this host's address too: that is not the name that was asked for.
        let byAddress = try await known.send(OutgoingRequest("GET", "https://127.0.0.1:\(server.port)/"))
        #expect(byAddress.status == 204)
        #expect(server.heads.withLock { $0.count } == 2)
        try await server.stop()
    }
}

/// A TLS server that answers every request with 204.
private final class TLSGreeter: Sendable {
    let heads = SharedHeads()
    private let channel: any Channel

    init(_ context: NIOSSLContext) async throws {
        let heads = self.heads
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context), Greeter(heads),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    func stop() async throws { try await channel.close() }

    final class SharedHeads: Sendable {
        private let heads = Mutex<[String]>([])
        func withLock<T: Sendable>(_ body: (inout sending [String]) -> sending T) -> T { heads.withLock(body) }
    }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let heads: SharedHeads
        private var head = ""

        init(_ heads: SharedHeads) { self.heads = heads }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            head += String(buffer: unwrapInboundIn(data))
            guard head.contains("\r\n\r\n") else { return }
            heads.withLock { $0.append(head) }
            head = ""
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 204 No Content\r\n\r\n")), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
