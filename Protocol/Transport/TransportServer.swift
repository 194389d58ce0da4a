package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL

/// A TLS listener whose connections carry one HTTP request each, which may become a WebSocket.
package struct TransportServer: Sendable {
    package struct Configuration: Sendable {
        package var host: String
        /// 0 takes a free one; see ``TransportServer/port``.
        package var port: Int
        package var limits = HTTPLimits()
        /// Connections of one address that have not shown who they are.
        package var unauthenticatedPerAddressMax = 64
        /// The same of all addresses.
        package var unauthenticatedMax = 1024
        package var backlog: Int32 = 256

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// What the listener's owner does with requests and connections.
    package struct Handlers: Sendable {
        /// Decides on a request's head. Called on an event loop: it must not block.
        package var decide: @Sendable (ServerRequest) -> RequestDecision
        /// Answers a request whose body was read.
        package var answer: @Sendable (ServerRequest, [UInt8]) async -> HTTPAnswer
        /// Serves a WebSocket; the connection is closed when this returns. The ticket is released when the peer has shown
        /// who it is, and in any case when this returns.
        package var serve: @Sendable (MessageConnection, ServerRequest, AddressLimiter.Ticket) async -> Void
        /// Serves a connection that was handed over; it is closed when this returns. The ticket as for ``serve``.
        package var stream: @Sendable (HTTPServerStream, ServerRequest, AddressLimiter.Ticket) async -> Void

        package init(
            decide: @escaping @Sendable (ServerRequest) -> RequestDecision,
            answer: @escaping @Sendable (ServerRequest, [UInt8]) async -> HTTPAnswer,
            serve: @escaping @Sendable (MessageConnection, ServerRequest, AddressLimiter.Ticket) async -> Void,
            stream: @escaping @Sendable (HTTPServerStream, ServerRequest, AddressLimiter.Ticket) async -> Void = {
                _, _, _ in
            }
        ) {
            self.decide = decide
            self.answer = answer
            self.serve = serve
            self.stream = stream
        }
    }

    private struct Accepted: Sendable {
        var channel: any Channel
        var outcome: EventLoopFuture<ServerGate.Outcome>
        var ticket: AddressLimiter.Ticket
    }

    private let listener: NIOAsyncChannel<Accepted?, Never>
    private let handlers: Handlers
    private let logger: Logger

    /// Binds. Nothing is accepted before ``run()``.
    ///
    /// - Parameter tls: The context for the next connection; asked for each, so that a new certificate counts at once.
    package static func bind(
        _ configuration: Configuration, handlers: Handlers, logger: Logger,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        tls: @escaping @Sendable () -> NIOSSLContext
    ) async throws -> TransportServer {
        let limiter = AddressLimiter(
            perAddressMax: configuration.unauthenticatedPerAddressMax, totalMax: configuration.unauthenticatedMax)
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: configuration.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrors(logger))
                }
            }
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .bind(host: configuration.host, port: configuration.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    do {
                        return try accept(channel, configuration, handlers, limiter, tls())
                    } catch {
                        // A peer that is gone already costs its own connection only.
                        channel.close(promise: nil)
                        return nil
                    }
                }
            }
        return TransportServer(listener: listener, handlers: handlers, logger: logger)
    }

    /// The port that is bound.
    package var port: Int { listener.channel.localAddress?.port ?? 0 }

    /// Accepts and serves until ``stopAccepting()`` or cancellation, and until every connection has been served.
    package func run() async throws {
        try await listener.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await accepted in inbound {
                    guard let accepted else { continue }
                    group.addTask { await serve(accepted) }
                }
            }
        }
    }

    /// Lets no more connections in; those that are there go on.
    package func stopAccepting() {
        listener.channel.close(promise: nil)
    }

    private static func accept(
        _ channel: any Channel, _ configuration: Configuration, _ handlers: Handlers, _ limiter: AddressLimiter,
        _ context: NIOSSLContext
    ) throws -> Accepted? {
        let address = channel.remoteAddress?.ipAddress ?? "unknown"
        guard let ticket = limiter.admit(address) else {
            channel.close(promise: nil)
            return nil
        }
        channel.closeFuture.whenComplete { _ in ticket.release() }
        try SocketOptions.apply(to: channel)
        let pipeline = channel.pipeline.syncOperations
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: configuration.limits.decoder))
        let outcome = channel.eventLoop.makePromise(of: ServerGate.Outcome.self)
        do {
            try pipeline.addHandlers([
                NIOSSLServerHandler(context: context), encoder, decoder,
                ServerGate(
                    codecs: [encoder, decoder], deadline: configuration.limits.deadline, outcome: outcome,
                    decide: handlers.decide),
            ])
        } catch {
            outcome.fail(error)
            throw error
        }
        return Accepted(channel: channel, outcome: outcome.futureResult, ticket: ticket)
    }

    private func serve(_ accepted: Accepted) async {
        defer { accepted.ticket.release() }
        switch try? await accepted.outcome.get() {
        case .webSocket(let connection, let request):
            await withTaskCancellationHandler {
                await handlers.serve(connection, request, accepted.ticket)
            } onCancel: {
                connection.close(code: 1001, reason: "The controller stops.")
            }
            connection.close(code: 1000, reason: "")
            await connection.closed()
        case .request(let request, let body):
            let answer = await handlers.answer(request, body)
            do {
                for part in answer.parts { try await accepted.channel.writeAndFlush(part) }
                try await accepted.channel.close()
            } catch {
                logger.debug("an answer was not delivered", metadata: ["error": "\(error)"])
            }
        case .stream(let claim, let request):
            guard let stream = try? await claim.take() else { return }
            await withTaskCancellationHandler {
                await handlers.stream(stream, request, accepted.ticket)
            } onCancel: {
                accepted.channel.close(promise: nil)
            }
            try? await accepted.channel.close()
        case .done, nil: break
        }
    }
}

/// Keeps a connection that can't be accepted, for want of descriptors for example, from ending the listener.
private final class AcceptErrors: ChannelInboundHandler {
    typealias InboundIn = NIOAny
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.warning("a connection was not accepted", metadata: ["error": "\(error)"])
    }
}
