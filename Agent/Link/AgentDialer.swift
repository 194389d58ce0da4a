import AnsFlowProtocol
package import AnsFlowTransport
import Glibc
package import NIOCore
import NIOPosix
import NIOSSL

/// Keeps an agent connected to its controller: dials, renews, backs off, for ever.
///
/// Links are numbered from 1 and never overlap. A link's handler is called only when the handler before has returned, and its
/// connection is closed, with everything unread of it dropped. So HELLO, which the handler composes, never misses what an older
/// link still had to say; the agent's core ignores inputs that carry another link's number.
package struct AgentDialer: Sendable {
    /// What a handler wants next.
    package enum Next: Sendable {
        case redial
        /// The agent leaves: ``run(_:)`` returns.
        case leave
    }

    package enum Outcome: Equatable, Sendable {
        case left
        /// The controller revoked the agent. It ends its steps, and must not dial again.
        case revoked(String)
    }

    /// For logs and status pages.
    package enum Event: Equatable, Sendable {
        case connected(link: UInt64)
        case ended(link: UInt64, ConnectionEnd)
        case failed(LinkFailure, retryIn: Duration)
        case renewed
        case renewalFailed(LinkFailure)
    }

    package struct Timing: Sendable {
        package var dialDeadline = Duration.seconds(10)
        package var silenceMax = ProtocolLimits.silenceMax
        /// A link that lasted so long was good: the next wait is short.
        package var goodLink = Duration.seconds(10)
        /// How often the certificate's age is looked at while a link lasts.
        package var renewalCheck = Duration.seconds(60)

        package init() {}
    }

    private let directory: String
    private let timing: Timing
    private let group: any EventLoopGroup
    private let random: @Sendable () -> Double
    private let now: @Sendable () -> Int64
    private let observe: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - directory: The agent's data directory, enrolled.
    ///   - random: Numbers in 0..<1 for the waits.
    ///   - now: Seconds since 1970 by the wall clock, for certificates only.
    ///   - observe: Told of what happens; must not block.
    package init(
        directory: String, timing: Timing = Timing(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        now: @escaping @Sendable () -> Int64 = { Int64(time(nil)) },
        observe: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.directory = directory
        self.timing = timing
        self.group = group
        self.random = random
        self.now = now
        self.observe = observe
    }

    /// Dials until the agent leaves or is revoked.
    ///
    /// - Parameter handle: Lives as long as a link: says HELLO, sends and receives, and returns when the connection has ended
    ///   (``MessageConnection/receive()`` gives `nil`) or the agent wants to leave.
    /// - Throws: ``LinkFailure`` where the directory is not enrolled or can't be read, `CancellationError`.
    package func run(_ handle: @Sendable (_ link: UInt64, MessageConnection) async -> Next) async throws -> Outcome {
        guard let identity = try LinkIdentity.load(directory) else {
            throw LinkFailure.files("\(directory) is not enrolled. Run `ansflow-agent enrol` first.")
        }
        let client = try Enrolment.client(identity.settings.controller, group)
        let keeper = CertificateKeeper(identity, directory: directory, group: group, now: now)
        return try await withThrowingTaskGroup(of: Void.self) { renewals in
            renewals.addTask { try await renewInBackground(keeper) }
            defer { renewals.cancelAll() }
            return try await loop(client, keeper, handle)
        }
    }

    private func loop(
        _ client: TransportClient, _ keeper: CertificateKeeper,
        _ handle: @Sendable (UInt64, MessageConnection) async -> Next
    ) async throws -> Outcome {
        var backoff = Backoff()
        var link: UInt64 = 0
        while true {
            try Task.checkCancellation()
            let connection: MessageConnection
            do {
                connection = try await dial(client, keeper)
            } catch {
                if error.isRevoked { return .revoked(error.description) }
                let wait = backoff.next(random: random())
                observe(.failed(error, retryIn: wait))
                try await Task.sleep(for: wait)
                continue
            }
            link += 1
            let began = ContinuousClock.now
            observe(.connected(link: link))
            let next = await withTaskCancellationHandler {
                await handle(link, connection)
            } onCancel: {
                connection.close(code: CloseCode.goingAway.rawValue, reason: "The agent stops.")
            }
            connection.close(code: CloseCode.normal.rawValue, reason: "")
            let end = await connection.closed()
            observe(.ended(link: link, end))
            if end.source == .peer, end.code == CloseCode.revoked.rawValue { return .revoked(end.reason) }
            if next == .leave { return .left }
            if isGood(end, lasted: ContinuousClock.now - began) { backoff.reset() }
            try await Task.sleep(for: backoff.next(random: random()))
        }
    }

    /// Whether the next wait may be short: the link lasted, or it was up and then broke without the controller having refused the
    /// agent. A controller that is killed again and again is found soon each time; one that says no is asked ever less often.
    private func isGood(_ end: ConnectionEnd, lasted: Duration) -> Bool {
        lasted >= timing.goodLink || end.source == .transport
            || (end.source == .peer && end.code == CloseCode.goingAway.rawValue)
    }

    private func dial(
        _ client: TransportClient, _ keeper: CertificateKeeper
    ) async throws(LinkFailure) -> MessageConnection {
        let (identity, renewed) = try await keeper.usable()
        report(renewed)
        let tls: NIOSSLContext
        do {
            let authority = try NIOSSLCertificate(bytes: identity.authority, format: .pem)
            tls = try TransportClient.tls(authorities: [authority], identity: (identity.certificate, identity.key))
        } catch {
            throw .files("The agent's identity in \(directory) can't be used: \(error). Enrol it with a new token.")
        }
        var options = WebSocketOptions(role: .client)
        options.silence = timing.silenceMax
        var client = client
        client.limits.deadline = timing.dialDeadline
        do {
            return try await client.webSocket(
                path: ProtocolVersion.path, subprotocol: ProtocolVersion.subprotocol, options: options, tls: tls)
        } catch {
            // An expired certificate ends in the handshake, even where our clock believes in it.
            if error.kind == .tls { await keeper.distrust() }
            throw .dial(error)
        }
    }

    private func renewInBackground(_ keeper: CertificateKeeper) async throws {
        while true {
            try await Task.sleep(for: timing.renewalCheck)
            guard await keeper.isDue else { continue }
            do throws(LinkFailure) {
                report(try await keeper.usable().renewed)
            } catch {
                report(.failure(error))
            }
        }
    }

    private func report(_ renewed: Result<Void, LinkFailure>?) {
        switch renewed {
        case nil: break
        case .success: observe(.renewed)
        case .failure(let error): observe(.renewalFailed(error))
        }
    }
}
