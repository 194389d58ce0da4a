import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import FoundationEssentials
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle
import Testing

@testable import ControllerGateway

/// Sessions of agents with real certificates over real TLS.
struct SessionTests {
    @Test(.timeLimit(.minutes(1)))
    func helloWelcomeMessagesEnd() async throws {
        try await GatewayBench.run { bench in
            let (id, agent) = try await bench.enrolled()
            let connection = try await bench.join(agent)
            guard case .welcome(let welcome) = try await connection.next() else {
                return #expect(Bool(false), "the first message is WELCOME")
            }
            #expect(welcome.proto == 1 && welcome.agent == id)
            let frame = LogFrame(attempt: AttemptID(1), records: [1, 2, 3])
            try await connection.say(.started(AttemptID(1)))
            try await connection.say(.log(frame))
            try await connection.say(heartbeat)
            let session = SessionID(1)
            try await until("all three came") { bench.events.events.count == 4 }
            #expect(
                bench.events.events == [
                    .connected(id, session), .received(.started(AttemptID(1))), .log(frame), .received(heartbeat),
                ])
            #expect(bench.gateway.send(.forget(AttemptID(1)), to: id))
            #expect(bench.gateway.send(.forget(AttemptID(2)), to: id, session: session))
            #expect(!bench.gateway.send(.forget(AttemptID(3)), to: id, session: SessionID(9)))
            #expect(!bench.gateway.send(.drain, to: AgentID(99)))
            #expect(try await connection.next() == .forget(AttemptID(1)))
            #expect(try await connection.next() == .forget(AttemptID(2)))
            connection.close(code: 1000, reason: "")
            try await until("the engine knows") { bench.events.events.last == .disconnected(id, session) }
            #expect(bench.gateway.connectedAgents.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatIsSentWhileJoiningComesAfterWelcome() async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            let gateway = bench.gateway
            bench.events.onConnected.withLockedValue {
                $0 = { id, session in
                    gateway.send(.forget(AttemptID(1)), to: id, session: session)
                    gateway.send(.forget(AttemptID(2)), to: id)
                }
            }
            let connection = try await bench.join(agent)
            guard case .welcome = try await connection.next() else { return #expect(Bool(false), "WELCOME first") }
            #expect(try await connection.next() == .forget(AttemptID(1)))
            #expect(try await connection.next() == .forget(AttemptID(2)))
            connection.abort(reason: "over")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func heartbeatsSayWhetherAnythingIsDurable() async throws {
        try await GatewayBench.run({ $0.timing.heartbeatInterval = .milliseconds(20) }, writable: false) { bench in
            let (_, agent) = try await bench.enrolled()
            let connection = try await bench.join(agent)
            _ = try await connection.next()
            for _ in 0..<3 {
                guard case .heartbeat(let beat) = try await connection.next() else {
                    return #expect(Bool(false), "a heartbeat")
                }
                #expect(!beat.writable)
            }
            connection.abort(reason: "over")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func versions() async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            for (minimum, maximum) in [(2, 3), (0, 0), (5, 1)] {
                let connection = try await bench.dial(agent)
                try await connection.say(.hello(GatewayBench.hello(minimum: minimum, maximum: maximum)))
                let end = await connection.closed()
                #expect(end.source == .peer && end.code == CloseCode.version.rawValue)
                #expect(end.reason.contains("version"))
            }
            #expect(bench.events.events.map(\.refusal) == [.version, .version, .version], "an operator sees it")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theEnginesRefusalIsSeenByTheAgent() async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            bench.events.decide(.refuse(.generation, reason: "It knows too much."))
            let connection = try await bench.join(agent)
            #expect(
                await connection.closed()
                    == ConnectionEnd(.peer, code: CloseCode.generation.rawValue, reason: "It knows too much."))
            // Refused is not connected: the next try finds its place free.
            let again = try await bench.join(agent)
            #expect(await again.closed().code == CloseCode.generation.rawValue)
            try await until("both refusals are told") {
                bench.events.events.compactMap(\.refusal) == [.generation, .generation]
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func strangersAndRevokedAgents() async throws {
        try await GatewayBench.run { bench in
            // A certificate of this authority whose key the directory has forgotten.
            var stranger = try TestAgent()
            stranger.certificatePEM = try bench.authority.issueAgent(stranger.request, agent: AgentID(1))
            #expect(try await bench.join(stranger).closed().code == CloseCode.notAuthenticated.rawValue)
            let (id, agent) = try await bench.enrolled()
            let live = try await bench.join(agent)
            _ = try await live.next()
            await bench.directory.revoke(id)
            #expect(bench.gateway.send(.stop(AttemptID(4), reason: .revoked, graceMs: 1), to: id))
            bench.gateway.closeSession(id, .revoked, reason: "Revoked by admin.")
            #expect(try await live.next() == .stop(AttemptID(4), reason: .revoked, graceMs: 1))
            #expect(try await live.receive() == nil)
            #expect(await live.closed() == ConnectionEnd(.peer, code: 4403, reason: "Revoked by admin."))
            #expect(try await bench.join(agent).closed().code == 4403)
            await bench.directory.setAvailable(false)
            #expect(try await bench.join(agent).closed().code == CloseCode.notWritable.rawValue)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theSameProcessReplacesItsOldConnection() async throws {
        try await GatewayBench.run { bench in
            let (id, agent) = try await bench.enrolled()
            let old = try await bench.join(agent)
            _ = try await old.next()
            let new = try await bench.join(agent)
            _ = try await new.next()
            #expect(await old.closed().code == CloseCode.replaced.rawValue)
            #expect(
                bench.events.events == [
                    .connected(id, SessionID(1)), .disconnected(id, SessionID(1)), .connected(id, SessionID(2)),
                ])
            new.abort(reason: "over")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anotherProcessIsRefusedWhileTheOldOneAnswers() async throws {
        try await GatewayBench.run { bench in
            let (id, agent) = try await bench.enrolled()
            let old = try await bench.join(agent, nonce: "one")
            _ = try await old.next()
            let answering = Task {
                while let bytes = try await old.receive() {
                    if try WireCodec.decodeControllerMessage(bytes) == .probe { try await old.say(heartbeat) }
                }
            }
            let new = try await bench.join(agent, nonce: "two")
            #expect(await new.closed().code == CloseCode.identityConflict.rawValue)
            #expect(bench.gateway.connectedAgents == [id: SessionID(1)])
            old.close(code: 1000, reason: "")
            _ = await answering.result
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anotherProcessTakesThePlaceOfADeadOne() async throws {
        try await GatewayBench.run({ $0.timing.probeDeadline = .milliseconds(300) }) { bench in
            let (id, agent) = try await bench.enrolled()
            let old = try await bench.join(agent, nonce: "one")
            _ = try await old.next()
            let new = try await bench.join(agent, nonce: "two")
            guard case .welcome = try await new.next() else { return #expect(Bool(false), "WELCOME") }
            #expect(bench.gateway.connectedAgents == [id: SessionID(2)])
            old.abort(reason: "over")
            new.abort(reason: "over")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anAgentThatDoesNotReadLosesItsConnection() async throws {
        try await GatewayBench.run({ $0.outboundBytesMax = 512 * 1024 }) { bench in
            let (id, agent) = try await bench.enrolled()
            let connection = try await bench.dial(agent) { $0.inboundBytesMax = 1 }
            try await connection.say(.hello(GatewayBench.hello()))
            try await until("it is connected") { bench.gateway.connectedAgents[id] != nil }
            let spec = StepSpec(
                jobAttempt: JobAttemptID(1), title: "t",
                action: .run(commands: [String(repeating: "x", count: 200_000)], shell: .sh), environment: [:],
                timeoutMs: 1)
            var taken = 0
            while bench.gateway.send(.start(Start(attempt: AttemptID(1), spec: spec)), to: id) {
                taken += 1
                try #require(taken < 200, "the queue has no bound")
                await Task.yield()
            }
            try await until("its session is over") { bench.gateway.connectedAgents.isEmpty }
            connection.abort(reason: "over")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func malformedMessagesCloseWithTheirReason() async throws {
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            for text in ["{", #"{"type":"fly"}"#, #"{"type":"started"}"#, ""] {
                let connection = try await bench.join(agent)
                _ = try await connection.next()
                try await connection.send(Array(text.utf8))
                let end = await connection.closed()
                #expect(end.source == .peer && end.code == CloseCode.malformed.rawValue && !end.reason.isEmpty)
            }
            let notHello = try await bench.dial(agent)
            try await notHello.say(heartbeat)
            #expect(await notHello.closed().code == CloseCode.malformed.rawValue)
            let twice = try await bench.join(agent)
            try await twice.say(.hello(GatewayBench.hello()))
            #expect(await twice.closed().code == CloseCode.malformed.rawValue)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func helloHasADeadline() async throws {
        try await GatewayBench.run({ $0.timing.helloDeadline = .milliseconds(400) }) { bench in
            let (_, agent) = try await bench.enrolled()
            let mute = try await bench.dial(agent)
            #expect(await mute.closed().reason.contains("HELLO"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aHalfOpenAgentIsFoundBySilence() async throws {
        try await GatewayBench.run({ $0.timing.silenceMax = .seconds(3) }) { bench in
            let (id, agent) = try await bench.enrolled()
            let halfOpen = try await bench.join(agent)
            _ = try await halfOpen.next()
            try await until("the engine knows") { bench.events.events.last == .disconnected(id, SessionID(1)) }
            #expect(await halfOpen.closed().code == CloseCode.silence.rawValue)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aGracefulShutdownEndsByItself() async throws {
        let data = try TemporaryDirectory()
        let authority = try CertificateAuthority.open(directory: data.path)
        let directory = FakeDirectory()
        let events = FakeEvents()
        let gateway = try await Gateway.bind(
            Gateway.Configuration(host: "127.0.0.1", port: 0), authority: authority, directory: directory,
            events: events, state: Gateway.State(writable: { true }, generation: { 1 }), logger: Logger(label: "test"))
        let bench = GatewayBench(
            authority: authority, directory: directory, events: events, gateway: gateway, data: data)
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let group = ServiceGroup(services: [gateway], logger: quiet)
        let running = Task { try await group.run() }
        let (id, agent) = try await bench.enrolled()
        let joined = try await bench.join(agent)
        _ = try await joined.next()
        await group.triggerGracefulShutdown()
        #expect(await joined.closed().code == CloseCode.goingAway.rawValue)
        try await running.value
        #expect(events.events.last == .disconnected(id, SessionID(1)))
        await #expect(throws: DialError.self) { try await bench.dial(agent) }
    }

    @Test(.timeLimit(.minutes(1)))
    func aStopTellsAgentsToComeAgain() async throws {
        let connection = NIOLockedValueBox<MessageConnection?>(nil)
        try await GatewayBench.run { bench in
            let (_, agent) = try await bench.enrolled()
            let joined = try await bench.join(agent)
            _ = try await joined.next()
            connection.withLockedValue { $0 = joined }
        }
        let joined = try #require(connection.withLockedValue { $0 })
        #expect(await joined.closed().code == CloseCode.goingAway.rawValue)
    }
}
