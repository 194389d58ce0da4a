import AgentLink
import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import FoundationEssentials
import NIOConcurrencyHelpers
import Testing

@testable import ControllerGateway

/// The agent's dialer against a real gateway.
struct DialerTests {
    private static let secret = "a-token-of-enough-bytes"

    /// Links and events in the order of their happening.
    private final class Diary: Sendable {
        private let lines = NIOLockedValueBox<[String]>([])
        private let observed = NIOLockedValueBox<[AgentDialer.Event]>([])

        func note(_ line: String) { lines.withLockedValue { $0.append(line) } }
        func observe(_ event: AgentDialer.Event) { observed.withLockedValue { $0.append(event) } }
        var all: [String] { lines.withLockedValue { $0 } }
        var events: [AgentDialer.Event] { observed.withLockedValue { $0 } }
    }

    private func enrolled(_ bench: GatewayBench) async throws -> (AgentID, TemporaryDirectory) {
        await bench.directory.addToken(Self.secret)
        let token = EnrolToken(secret: Self.secret, authorityFingerprint: bench.authority.fingerprint).text
        let directory = try TemporaryDirectory()
        let settings = try await Enrolment(
            controller: "https://localhost:\(bench.gateway.port)", name: "b1", labels: [:], slots: 1
        ).enrol(token: token, directory: directory.path)
        return (settings.agent, directory)
    }

    private func dialer(
        _ directory: TemporaryDirectory, _ diary: Diary,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }
    ) -> AgentDialer {
        AgentDialer(directory: directory.path, random: { 0.001 }, now: now, observe: { diary.observe($0) })
    }

    @Test(.timeLimit(.minutes(1)))
    func linksNeverOverlap() async throws {
        try await GatewayBench.run { bench in
            let (id, directory) = try await enrolled(bench)
            let diary = Diary()
            let outcome = try await dialer(directory, diary).run { link, connection in
                diary.note("begin \(link)")
                try? await connection.say(.hello(GatewayBench.hello()))
                _ = try? await connection.receive()
                if link == 3 { return .leave }
                bench.gateway.closeSession(id, .goingAway, reason: "again")
                while (try? await connection.receive()) != nil {}
                diary.note("end \(link)")
                return .redial
            }
            #expect(outcome == .left)
            #expect(diary.all == ["begin 1", "end 1", "begin 2", "end 2", "begin 3"])
            let sessions = bench.events.events.compactMap { event -> SessionID? in
                if case .connected(_, let session) = event { session } else { nil }
            }
            #expect(sessions == [SessionID(1), SessionID(2), SessionID(3)])
            #expect(
                diary.events.contains(.ended(link: 1, ConnectionEnd(.peer, code: 1001, reason: "again"))))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatAHandlerLeftUnreadIsGone() async throws {
        try await GatewayBench.run { bench in
            let (id, directory) = try await enrolled(bench)
            let diary = Diary()
            let first = NIOLockedValueBox<MessageConnection?>(nil)
            _ = try await dialer(directory, diary).run { link, connection in
                try? await connection.say(.hello(GatewayBench.hello()))
                guard case .welcome = try? await connection.next() else { return .leave }
                if link == 1 {
                    first.withLockedValue { $0 = connection }
                    for attempt in 1...10 { bench.gateway.send(.forget(AttemptID(Int64(attempt))), to: id) }
                    // Some of it is here, none of it is read.
                    _ = try? await connection.receive()
                    return .redial
                }
                let old = first.withLockedValue { $0 }
                #expect(old?.end != nil && old?.waitingBytes.inbound == 0)
                #expect((try? await old?.receive()) == .some(nil))
                return .leave
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func revocationEndsDialling() async throws {
        try await GatewayBench.run { bench in
            let (id, directory) = try await enrolled(bench)
            let outcome = try await dialer(directory, Diary()).run { _, connection in
                try? await connection.say(.hello(GatewayBench.hello()))
                _ = try? await connection.receive()
                await bench.directory.revoke(id)
                bench.gateway.closeSession(id, .revoked, reason: "Revoked.")
                while (try? await connection.receive()) != nil {}
                return .redial
            }
            #expect(outcome == .revoked("Revoked."))
            // A later start learns the same from its first HELLO.
            let again = try await dialer(directory, Diary()).run { _, connection in
                try? await connection.say(.hello(GatewayBench.hello()))
                while (try? await connection.receive()) != nil {}
                return .redial
            }
            guard case .revoked = again else { return #expect(Bool(false), "\(again)") }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anExpiredCertificateRenewsBeforeTheDial() async throws {
        try await GatewayBench.run { bench in
            let (id, directory) = try await enrolled(bench)
            let identity = try #require(try LinkIdentity.load(directory.path))
            // As after a weekend: the certificate ended two days ago, and our clock knows it.
            let request = try SigningRequest(pem: try expiredRequest(identity))
            let old = try bench.authority.issueAgent(request, agent: id, now: Date() - 3 * 24 * 3600)
            try SmallFile.write(directory.path + "/agent.crt", Array(old.utf8), mode: 0o644)
            let diary = Diary()
            let outcome = try await dialer(directory, diary).run { _, connection in
                try? await connection.say(.hello(GatewayBench.hello()))
                _ = try? await connection.receive()
                return .leave
            }
            #expect(outcome == .left)
            #expect(diary.events.first == .renewed)
            #expect(try LinkIdentity.load(directory.path)?.certificate != Array(old.utf8))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aClockThatIsBehindFindsOutByTheHandshake() async throws {
        try await GatewayBench.run { bench in
            let (id, directory) = try await enrolled(bench)
            let identity = try #require(try LinkIdentity.load(directory.path))
            let request = try SigningRequest(pem: try expiredRequest(identity))
            let old = try bench.authority.issueAgent(request, agent: id, now: Date() - 3 * 24 * 3600)
            try SmallFile.write(directory.path + "/agent.crt", Array(old.utf8), mode: 0o644)
            let diary = Diary()
            let outcome = try await dialer(
                directory, diary, now: { Int64(Date().timeIntervalSince1970) - 3 * 24 * 3600 }
            ).run { _, connection in
                try? await connection.say(.hello(GatewayBench.hello()))
                _ = try? await connection.receive()
                return .leave
            }
            #expect(outcome == .left)
            guard case .failed(.dial(let error), _) = diary.events.first else {
                return #expect(Bool(false), "\(diary.events)")
            }
            #expect(error.kind == .tls && error.description.contains("expired"))
            #expect(diary.events.contains(.renewed))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func itNeverGivesUpAndCanBeCancelled() async throws {
        let kept = NIOLockedValueBox<TemporaryDirectory?>(nil)
        try await GatewayBench.run { bench in
            let (_, directory) = try await enrolled(bench)
            kept.withLockedValue { $0 = directory }
        }
        let directory = try #require(kept.withLockedValue { $0 })
        let diary = Diary()
        let dialling = Task { try await dialer(directory, diary).run { _, _ in .leave } }
        try await until("it has tried three times") { diary.events.count >= 3 }
        for event in diary.events {
            guard case .failed(.dial(let error), _) = event else { return #expect(Bool(false), "\(event)") }
            #expect(error.kind == .unreachable)
        }
        dialling.cancel()
        await #expect(throws: CancellationError.self) { try await dialling.value }
    }

    @Test func anUnenrolledDirectoryIsSaid() async throws {
        let directory = try TemporaryDirectory()
        await #expect(throws: LinkFailure.self) {
            try await dialer(directory, Diary()).run { _, _ in .leave }
        }
    }

    private func expiredRequest(_ identity: LinkIdentity) throws -> String {
        try TestRequest.pem(key: identity.key)
    }
}
