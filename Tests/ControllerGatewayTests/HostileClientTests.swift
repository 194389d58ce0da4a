import AnsFlowProtocol
import AnsFlowTransport
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Testing

@testable import ControllerGateway

/// What strangers and broken agents may try on the listener.
struct HostileClientTests {
    /// Sends raw bytes over TLS (or bare) and collects what comes back until the end.
    private func raw(
        _ bench: GatewayBench, _ agent: TestAgent?, tls: Bool = true, sending parts: [[UInt8]]
    ) async throws -> [UInt8] {
        let context = try bench.tls(agent)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(
            host: "127.0.0.1", port: bench.gateway.port
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                if tls {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil))
                }
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            var received: [UInt8] = []
            do {
                for part in parts { try await outbound.write(ByteBuffer(bytes: part)) }
                for try await buffer in inbound { received += buffer.readableBytesView }
            } catch {
                // A cut is an answer too.
            }
            return received
        }
    }

    private func status(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 13 }, as: UTF8.self)
    }

    private static let upgrade =
        "GET /agent/v1 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        + "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "sec-websocket-protocol: ansflow.agent.v1\r\n\r\n"

    private func request(_ text: String) -> [[UInt8]] { [Array(text.utf8)] }

    @Test(.timeLimit(.minutes(1)))
    func withoutACertificateOneMayOnlyEnrol() async throws {
        try await GatewayBench.run { bench in
            let answer = try await raw(bench, nil, sending: request(Self.upgrade))
            #expect(status(answer) == "HTTP/1.1 401 Unauthorized")
            do {
                _ = try await bench.dial(nil)
                #expect(Bool(false), "the upgrade was accepted")
            } catch let error as DialError {
                #expect(error.kind == .refused(status: 401))
            }
            #expect(
                status(try await raw(bench, nil, sending: request("GET / HTTP/1.1\r\nhost: x\r\n\r\n"))).contains("404")
            )
            #expect(
                status(try await raw(bench, nil, sending: request("GET /agent/enrol HTTP/1.1\r\nhost: x\r\n\r\n")))
                    .contains("405"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func plainTextIsNotAnswered() async throws {
        try await GatewayBench.run { bench in
            let answer = try await raw(bench, nil, tls: false, sending: request(Self.upgrade))
            #expect(!String(decoding: answer, as: UTF8.self).contains("HTTP/1.1 1"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func foreignAndExpiredCertificatesEndInTheHandshake() async throws {
        try await GatewayBench.run { bench in
            let data = try TemporaryDirectory()
            let foreign = try CertificateAuthority.open(directory: data.path)
            var agent = try TestAgent()
            _ = await bench.directory.add(key: agent.fingerprint)
            agent.certificatePEM = try foreign.issueAgent(agent.request, agent: AgentID(1))
            await #expect(throws: DialError.self) { try await bench.dial(agent) }
            agent.certificatePEM = try bench.authority.issueAgent(
                agent.request, agent: AgentID(1), now: Date() - 3 * 24 * 3600)
            let expired = await #expect(throws: DialError.self) { try await bench.dial(agent) }
            #expect(expired?.kind == .tls)
            #expect(expired?.description.contains("expired") == true, "\(String(describing: expired))")
            agent.certificatePEM = try bench.authority.issueAgent(agent.request, agent: AgentID(1))
            try await bench.dial(agent).abort(reason: "good")
            #expect(bench.events.events.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func handshakesThatAreNotOurs() async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            for (old, new) in [
                ("ansflow.agent.v1", "other"), ("version: 13", "version: 8"), ("upgrade: websocket", "upgrade: h2c"),
                ("GET", "POST"), ("sec-websocket-key", "x-key"),
            ] {
                let answer = try await raw(
                    bench, agent, sending: request(Self.upgrade.replacing(old, with: new)))
                #expect(!status(answer).contains("101"), "\(new)")
                #expect(!answer.isEmpty, "\(new)")
            }
            #expect(
                try await raw(bench, agent, sending: request("\u{1}\u{2}\r\n\r\n")).starts(
                    with: Array("HTTP/1.1 400".utf8)))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func headsAreBounded() async throws {
        try await GatewayBench.run { bench in
            func head(_ fields: [String]) -> [[UInt8]] {
                request("GET /x HTTP/1.1\r\nhost: x\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
            }
            func field(_ length: Int) -> String { "a: " + String(repeating: "b", count: length) }
            let fits = try await raw(bench, nil, sending: head([field(8 * 1024)]))
            #expect(status(fits).contains("404"))
            for fields in [
                [field(8 * 1024 + 1)], [field(800 * 1024)], Array(repeating: field(1024), count: 17),
                Array(repeating: "a: b", count: 101), Array(repeating: "a: b", count: 10_000),
            ] {
                let answer = try await raw(bench, nil, sending: head(fields))
                #expect(!status(answer).contains("404"), "\(fields.count) fields")
            }
            #expect(
                status(try await raw(bench, nil, sending: head(Array(repeating: "a: b", count: 99)))).contains("404"))
            let path = String(repeating: "p", count: 800 * 1024)
            let answer = try await raw(bench, nil, sending: request("GET /\(path) HTTP/1.1\r\nhost: x\r\n\r\n"))
            #expect(!status(answer).contains("404"), "a long path")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aSlowHeadIsCutOff() async throws {
        try await GatewayBench.run({ $0.timing.requestDeadline = .milliseconds(300) }) { bench in
            let began = ContinuousClock.now
            let half = try await raw(bench, nil, sending: request("GET / HTTP/1.1\r\n"))
            #expect(half.isEmpty)
            // Not even a handshake.
            let mute = try await raw(bench, nil, tls: false, sending: [])
            #expect(mute.isEmpty)
            #expect(ContinuousClock.now - began < .seconds(20))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func connectionsOfOneAddressAreBounded() async throws {
        try await GatewayBench.run({ $0.unauthenticatedPerAddressMax = 4 }) { bench in
            let (_, agent) = try await bench.enrolled()
            var waiting: [MessageConnection] = []
            for _ in 0..<4 { waiting.append(try await bench.dial(agent)) }
            await #expect(throws: DialError.self) { try await bench.dial(agent) }
            // One that shows who it is makes room.
            try await waiting[0].say(.hello(GatewayBench.hello()))
            _ = try await waiting[0].next()
            let more = try await bench.dial(agent)
            for connection in waiting + [more] { connection.abort(reason: "over") }
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (Frame(.binary, final: false, payload: [1]), 1), (Frame(.text, payload: [65]), 1),
            (Frame(.binary, payload: [1]), nil),
            (Frame(.binary, payload: [UInt8](repeating: 0, count: 256 * 1024 + 1)), 1),
            (Frame(.binary, payload: [UInt8](repeating: 0, count: 2_560_000)), 1),
        ] as [(Frame, UInt32?)])
    func framesThatAreNotAllowed(_ frame: Frame, _ mask: UInt32?) async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            let bytes = Array(FrameWriter.encode(frame, mask: mask, allocator: ByteBufferAllocator()).readableBytesView)
            #expect(try await closeCode(bench, agent, bytes) == 4400)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func reservedBitsAndPingFloods() async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            #expect(try await closeCode(bench, agent, [0xC2, 0x81, 0, 0, 0, 0, 1]) == 4400)
            let ping = FrameWriter.encode(Frame(.ping, payload: []), mask: 1, allocator: ByteBufferAllocator())
            let flood = Array(repeating: Array(ping.readableBytesView), count: 1000).flatMap { $0 }
            #expect(try await closeCode(bench, agent, flood) == 4429)
        }
    }

    /// The code of the close frame that answers `bytes` behind a handshake.
    private func closeCode(_ bench: GatewayBench, _ agent: TestAgent, _ bytes: [UInt8]) async throws -> UInt16? {
        let answer = try await raw(bench, agent, sending: request(Self.upgrade) + [bytes])
        #expect(status(answer).contains("101"))
        let end = Array("\r\n\r\n".utf8)
        let start = try #require(answer.indices.first { answer[$0...].starts(with: end) }) + 4
        var buffer = ByteBuffer(bytes: answer[start...])
        let parser = FrameParser(.init(peerMasks: false, payloadMax: 1 << 20))
        while let frame = try parser.next(&buffer) {
            if frame.opcode == .close { return try FrameWriter.readClose(frame.payload).code }
        }
        return nil
    }
}
