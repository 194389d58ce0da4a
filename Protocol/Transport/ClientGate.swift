import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// Sends one request and takes its answer, or upgrades to a WebSocket.
final class ClientGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    enum Outcome: Sendable {
        case webSocket(MessageConnection)
        case answer(HTTPAnswer)
    }

    enum Wish: Sendable {
        case webSocket(subprotocol: String, WebSocketOptions)
        case exchange(body: [UInt8], answerMax: Int)
    }

    private enum Phase {
        case head
        case body(HTTPAnswer)
        case upgrade(WebSocketOptions)
        case rebuilding([NIOAny])
        case over
    }

    private var head: HTTPRequestHead
    private let wish: Wish
    private let codecs: [any RemovableChannelHandler]
    private let deadline: Duration
    private let outcome: EventLoopPromise<Outcome>
    private let upgrader: NIOTypedWebSocketClientUpgrader<Void>
    private var phase = Phase.head
    private var timer: Scheduled<Void>?

    init(
        head: HTTPRequestHead, wish: Wish, codecs: [any RemovableChannelHandler], deadline: Duration,
        outcome: EventLoopPromise<Outcome>
    ) {
        self.head = head
        self.wish = wish
        self.codecs = codecs
        self.deadline = deadline
        self.outcome = outcome
        // NIO's upgrader knows the handshake's arithmetic; its frame codec is not used.
        upgrader = NIOTypedWebSocketClientUpgrader(
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(deadline.nanoseconds)) {
            self.fail(DialError(.timeout, "The controller did not answer in time."), isolated.value)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        // Does nothing where the promise is kept already.
        outcome.fail(DialError(.cut, "The controller cut the connection before it had answered."))
    }

    func channelActive(context: ChannelHandlerContext) {
        var body: [UInt8] = []
        switch wish {
        case .webSocket(let subprotocol, _):
            head.headers.replaceOrAdd(name: "Connection", value: "Upgrade")
            head.headers.replaceOrAdd(name: "Upgrade", value: "websocket")
            head.headers.replaceOrAdd(name: "Sec-WebSocket-Protocol", value: subprotocol)
            upgrader.addCustom(upgradeRequestHeaders: &head.headers)
        case .exchange(let bytes, _):
            body = bytes
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            head.headers.replaceOrAdd(name: "Content-Length", value: String(bytes.count))
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .rebuilding(let held): phase = .rebuilding(held + [data])
        case .over: break
        case .head:
            guard case .head(let response) = unwrapInboundIn(data) else { return }
            take(response, context)
        case .upgrade(let options):
            if case .end = unwrapInboundIn(data) { rebuild(options, context) }
        case .body(var answer):
            switch unwrapInboundIn(data) {
            case .head: break
            case .body(let more):
                guard answer.body.count + more.readableBytes <= answerMax else {
                    return fail(DialError(.unexpected, "The controller's answer is too long."), context)
                }
                answer.body += more.readableBytesView
                phase = .body(answer)
            case .end:
                phase = .over
                outcome.succeed(.answer(answer))
                context.close(promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A TLS server that cuts without a goodbye after its answer has said all it wanted.
        fail(DialError.from(error), context)
    }

    private var answerMax: Int {
        if case .exchange(_, let max) = wish { max } else { 4096 }
    }

    private func take(_ response: HTTPResponseHead, _ context: ChannelHandlerContext) {
        guard case .webSocket(let subprotocol, let options) = wish, response.status == .switchingProtocols else {
            guard response.status != .switchingProtocols else {
                return fail(DialError(.unexpected, "The controller switched protocols unasked."), context)
            }
            let type = response.headers.first(name: "content-type") ?? ""
            phase = .body(HTTPAnswer(status: Int(response.status.code), contentType: type, body: []))
            return
        }
        guard upgrader.shouldAllowUpgrade(upgradeResponse: response),
            response.headers["sec-websocket-protocol"] == [subprotocol],
            response.headers["sec-websocket-extensions"].isEmpty
        else { return fail(DialError(.unexpected, "The controller's WebSocket handshake is not right."), context) }
        phase = .upgrade(options)
    }

    private func rebuild(_ options: WebSocketOptions, _ context: ChannelHandlerContext) {
        phase = .rebuilding([])
        let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes()
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        let made = UpgradeSurgery.replace(
            codecs, on: context.channel, options: options, peerCertificateDER: certificate)
        made.assumeIsolated().whenComplete { result in
            let context = isolated.value
            switch result {
            case .failure(let error): self.fail(DialError.from(error), context)
            case .success(let connection):
                guard case .rebuilding(let held) = self.phase else { return }
                self.phase = .over
                self.timer?.cancel()
                self.outcome.succeed(.webSocket(connection))
                for data in held { context.fireChannelRead(data) }
                if !held.isEmpty { context.fireChannelReadComplete() }
                context.pipeline.syncOperations.removeHandler(self, promise: nil)
            }
        }
    }

    private func fail(_ error: DialError, _ context: ChannelHandlerContext) {
        phase = .over
        outcome.fail(error)
        context.close(promise: nil)
    }
}
