package import AnsFlowProtocol
import AnsFlowTransport
package import ControllerCore
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// The agents' listener: mutual TLS, enrolment, and one session for each connected agent.
///
/// Any task may call any of its methods.
package struct Gateway: Service {
    /// Times that tests shorten.
    package struct Timing: Sendable {
        /// From accept to a whole request.
        package var requestDeadline = ProtocolLimits.helloDeadline
        /// From accept to HELLO.
        package var helloDeadline = ProtocolLimits.helloDeadline
        package var heartbeatInterval = ProtocolLimits.heartbeatInterval
        package var silenceMax = ProtocolLimits.silenceMax
        package var probeDeadline = ProtocolLimits.probeDeadline

        package init() {}
    }

    package struct Configuration: Sendable {
        package var host: String
        /// 0 takes a free one; see ``Gateway/port``.
        package var port: Int
        /// Names and addresses of the listener besides the host's own and loopback: `--agent-name`.
        package var names: [String]
        package var timing = Timing()
        package var unauthenticatedPerAddressMax = 64
        /// Enrolments that one address has free at once, and how long one more takes.
        package var enrolBurst = 20
        package var enrolRefill = Duration.seconds(3)
        /// Bytes that may wait for one agent's socket.
        package var outboundBytesMax = 4 * 1024 * 1024

        package init(host: String, port: Int, names: [String] = []) {
            self.host = host
            self.port = port
            self.names = names
        }
    }

    /// What the gateway asks the rest of the controller at any time; must not block.
    package struct State: Sendable {
        /// Whether anything can be made durable; goes into heartbeats.
        package var writable: @Sendable () -> Bool
        package var generation: @Sendable () -> Int64

        package init(writable: @escaping @Sendable () -> Bool, generation: @escaping @Sendable () -> Int64) {
            self.writable = writable
            self.generation = generation
        }
    }

    private let server: TransportServer
    private let registry: SessionRegistry
    private let identity: ListenerIdentity
    private let logger: Logger

    /// Binds the listener; nothing is accepted before ``run()``.
    ///
    /// - Parameter artifacts: What agents send and fetch; without it there is no such path.
    package static func bind(
        _ configuration: Configuration, authority: CertificateAuthority, directory: any AgentDirectory,
        events: any SessionEvents, artifacts: (any AgentArtifacts)? = nil, state: State, logger: Logger,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> Gateway {
        let identity = try ListenerIdentity(authority, extraNames: configuration.names)
        let registry = SessionRegistry()
        let host = SessionHost(
            directory: directory, events: events, registry: registry, timing: configuration.timing,
            writable: state.writable, logger: logger)
        let enrol = EnrolEndpoint(
            authority: authority, directory: directory,
            limiter: RateLimiter(burst: configuration.enrolBurst, refill: configuration.enrolRefill),
            generation: state.generation, logger: logger)
        var listener = TransportServer.Configuration(host: configuration.host, port: configuration.port)
        listener.limits.deadline = configuration.timing.requestDeadline
        listener.unauthenticatedPerAddressMax = configuration.unauthenticatedPerAddressMax
        let files = artifacts.map { ArtifactEndpoint(directory: directory, artifacts: $0, logger: logger) }
        let handlers = TransportServer.Handlers(
            decide: { decide($0, configuration, hasArtifacts: files != nil) },
            answer: { request, body in await enrol.answer(body, remote: request.remoteAddress) },
            serve: { connection, request, ticket in
                await host.serve(connection, acceptedAt: request.acceptedAt, ticket)
            },
            stream: { stream, request, ticket in await files?.serve(stream, request, ticket) })
        let server = try await TransportServer.bind(
            listener, handlers: handlers, logger: logger, group: group, tls: { identity.context })
        return Gateway(server: server, registry: registry, identity: identity, logger: logger)
    }

    /// The port that is bound.
    package var port: Int { server.port }
    package var connectedAgents: [AgentID: SessionID] { registry.connected }

    /// Serves until a graceful shutdown, at which agents are told to come again later, or until cancellation.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await withGracefulShutdownHandler {
                    try await server.run()
                } onGracefulShutdown: {
                    server.stopAccepting()
                    for session in registry.stop() { session.close(.goingAway, "The controller stops.") }
                }
            }
            group.addTask {
                // Ends by cancellation only.
                while (try? await Task.sleep(for: .seconds(600))) != nil { renewCertificate() }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Sends a message without waiting.
    ///
    /// - Parameter session: Where given, the message is dropped unless this is still the agent's session.
    /// - Returns: Whether it was taken for a connection. Taken is not delivered: only the agent's own words count. An agent that
    ///   does not read loses its connection, after which both sides derive anew what to say.
    @discardableResult
    package func send(_ message: ControllerMessage, to agent: AgentID, session: SessionID? = nil) -> Bool {
        guard let current = registry.session(of: agent), session == nil || session == current.id else { return false }
        do {
            return try current.send(message)
        } catch {
            logger.error("message can't be encoded", metadata: ["agent.id": "\(agent)", "error": "\(error)"])
            return false
        }
    }

    /// Ends an agent's connection; what was sent before still goes out.
    package func closeSession(_ agent: AgentID, _ code: CloseCode, reason: String) {
        registry.session(of: agent)?.close(code, reason)
    }

    private func renewCertificate() {
        do {
            if try identity.renewIfDue() { logger.info("the agents' listener has a new certificate") }
        } catch {
            logger.error("the agents' listener's certificate can't be renewed", metadata: ["error": "\(error)"])
        }
    }

    private static func decide(
        _ request: ServerRequest, _ configuration: Configuration, hasArtifacts: Bool
    ) -> RequestDecision {
        switch request.path {
        case let path where path.hasPrefix("/agent/artifact") && hasArtifacts:
            guard request.peerCertificateDER != nil else {
                return .answer(.text(401, "Without a client certificate a connection may only enrol."))
            }
            return .stream
        case ProtocolVersion.enrolPath:
            guard request.method == .POST else { return .answer(.text(405, "Enrolment is a POST.")) }
            return .readBody(max: EnrolRequest.bytesMax)
        case ProtocolVersion.path:
            guard request.peerCertificateDER != nil else {
                return .answer(.text(401, "Without a client certificate a connection may only enrol."))
            }
            guard request.asksForWebSocket(ProtocolVersion.subprotocol) else {
                return .answer(.text(426, "This path is for agents: WebSocket, \(ProtocolVersion.subprotocol)."))
            }
            var options = WebSocketOptions(role: .server)
            options.silence = configuration.timing.silenceMax
            options.outboundBytesMax = configuration.outboundBytesMax
            return .upgrade(subprotocol: ProtocolVersion.subprotocol, options)
        default: return .answer(.text(404, "This port is for agents. People use the other one."))
        }
    }
}
