import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// The first and only request of a connection: decides on its head, then upgrades, reads the body, or answers and closes.
///
/// It stands before any upgrade, because an upgrade that NIO refuses loses the request. A connection carries one request, so
/// nothing can hide behind it.
final class ServerGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What became of the connection.
    enum Outcome: Sendable {
        case webSocket(MessageConnection, ServerRequest)
        case request(ServerRequest, body: [UInt8])
        case stream(StreamClaim, ServerRequest)
        /// It was answered, refused or cut; there is nothing more to do.
        case done
    }

    private enum Phase {
        case head
        case body(ServerRequest, [UInt8], max: Int)
        case upgrade(ServerRequest, HTTPRequestHead, subprotocol: String, WebSocketOptions)
        /// The pipeline is being rebuilt: whatever comes are bytes for the next handler.
        case rebuilding([NIOAny])
        /// The connection is another's: everything goes on to the next handler.
        case passing
        case over
    }

    private let decide: @Sendable (ServerRequest) -> RequestDecision
    private let outcome: EventLoopPromise<Outcome>
    private let codecs: [any RemovableChannelHandler]
    private let deadline: Duration
    private var phase = Phase.head
    private var timer: Scheduled<Void>?
    private let acceptedAt = ContinuousClock.now

    init(
        codecs: [any RemovableChannelHandler], deadline: Duration, outcome: EventLoopPromise<Outcome>,
        decide: @escaping @Sendable (ServerRequest) -> RequestDecision
    ) {
        self.codecs = codecs
        self.deadline = deadline
        self.outcome = outcome
        self.decide = decide
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(deadline.nanoseconds)) {
            self.phase = .over
            isolated.value.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        // Does nothing where the promise is kept already.
        outcome.succeed(.done)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .rebuilding(let held): phase = .rebuilding(held + [data])
        case .passing: context.fireChannelRead(data)
        case .over: break
        case .head:
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            take(head, context)
        case .body(let request, let body, let max):
            switch unwrapInboundIn(data) {
            case .head: break
            case .body(let more):
                guard body.count + more.readableBytes <= max else {
                    return answer(.text(413, "The body is too long; at most \(max) bytes are allowed."), context)
                }
                phase = .body(request, body + more.readableBytesView, max: max)
            case .end:
                timer?.cancel()
                phase = .over
                outcome.succeed(.request(request, body: body))
            }
        case .upgrade(let request, let head, let subprotocol, let options):
            guard case .end = unwrapInboundIn(data) else {
                return answer(.text(400, "A request for a WebSocket has no body."), context)
            }
            upgrade(request, head, subprotocol, options, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError, case .head = phase else {
            return context.close(promise: nil)
        }
        let tooLong = parserError == .headerOverflow
        answer(
            tooLong ? .text(431, "The request's head is too long.") : .text(400, "This is not an HTTP/1.1 request."),
            context)
    }

    private func take(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = head.uri.prefix { $0 != "?" }
        let request = ServerRequest(
            method: head.method, path: String(path), query: String(head.uri.dropFirst(path.count + 1)),
            headers: head.headers,
            remoteAddress: context.channel.remoteAddress?.ipAddress ?? "unknown",
            peerCertificateDER: try? context.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes(),
            acceptedAt: acceptedAt)
        switch decide(request) {
        case .upgrade(let subprotocol, let options):
            phase = .upgrade(request, head, subprotocol: subprotocol, options)
        case .readBody(let max):
            if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > max {
                return answer(.text(413, "The body is too long; at most \(max) bytes are allowed."), context)
            }
            phase = .body(request, [], max: max)
        case .stream: handOver(request, head, context)
        case .answer(let answer): self.answer(answer, context)
        }
    }

    /// Holds what comes until the connection's owner claims it; reads no more meanwhile.
    private func handOver(_ request: ServerRequest, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        phase = .rebuilding([wrapInboundOut(.head(head))])
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        let claim = StreamClaim(channel: context.channel) { [weak self] in
            guard let self else { throw ChannelError.ioOnClosedChannel }
            return try self.claim(isolated.value)
        }
        outcome.succeed(.stream(claim, request))
    }

    /// Puts the owner's reader and writer behind this handler and gives it what was held.
    private func claim(_ context: ChannelHandlerContext) throws -> HTTPServerStream {
        guard case .rebuilding(let held) = phase, context.channel.isActive else { throw ChannelError.ioOnClosedChannel }
        let stream: HTTPServerStream = try HTTPStreams.install(on: context.channel)
        timer?.cancel()
        phase = .passing
        for data in held { context.fireChannelRead(data) }
        context.fireChannelReadComplete()
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        return stream
    }

    private func answer(_ answer: HTTPAnswer, _ context: ChannelHandlerContext) {
        timer?.cancel()
        phase = .over
        for part in answer.parts { context.write(wrapOutboundOut(part), promise: nil) }
        context.flush()
        context.close(promise: nil)
        outcome.succeed(.done)
    }

    private func upgrade(
        _ request: ServerRequest, _ head: HTTPRequestHead, _ subprotocol: String, _ options: WebSocketOptions,
        _ context: ChannelHandlerContext
    ) {
        phase = .rebuilding([])
        // NIO's upgrader knows the handshake's arithmetic; its frame codec is not used.
        let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        let response = upgrader.buildUpgradeResponse(
            channel: context.channel, upgradeRequest: head, initialResponseHeaders: [:])
        response.assumeIsolated().whenComplete { result in
            let context = isolated.value
            guard case .success(var headers) = result else {
                return self.answer(.text(400, "The WebSocket handshake is not right."), context)
            }
            headers.replaceOrAdd(name: "Sec-WebSocket-Protocol", value: subprotocol)
            let answer = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
            context.write(self.wrapOutboundOut(.head(answer)), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
            self.rebuild(request, options, context)
        }
    }

    private func rebuild(_ request: ServerRequest, _ options: WebSocketOptions, _ context: ChannelHandlerContext) {
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        let made = UpgradeSurgery.replace(
            codecs, on: context.channel, options: options, peerCertificateDER: request.peerCertificateDER)
        made.assumeIsolated().whenComplete { result in
            let context = isolated.value
            guard case .success(let connection) = result, case .rebuilding(let held) = self.phase else {
                return context.close(promise: nil)
            }
            self.phase = .over
            self.timer?.cancel()
            self.outcome.succeed(.webSocket(connection, request))
            for data in held { context.fireChannelRead(data) }
            if !held.isEmpty { context.fireChannelReadComplete() }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
    }
}

extension HTTPAnswer {
    /// The answer as HTTP/1.1, which ends its connection.
    var parts: [HTTPServerResponsePart] {
        let headers: HTTPHeaders = [
            "content-type": contentType, "content-length": String(body.count), "connection": "close",
        ]
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        return [.head(head), .body(.byteBuffer(ByteBuffer(bytes: body))), .end(nil)]
    }
}
