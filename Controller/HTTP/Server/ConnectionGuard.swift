import HTTPTypes
import NIOCore
import NIOHTTP1

/// Stands before the upgrader: closes connections that are slow with a head or body, and decides on upgrades, because an upgrade
/// that NIO refuses loses the request's head. A refused one goes on as an ordinary request, which says why.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case plain
        /// The decision is awaited; parts are kept.
        case deciding([NIOAny])
        /// Bytes are WebSocket frames: nothing is looked at.
        case upgraded
        /// It was answered here and closes: what still comes is dropped.
        case refused
    }

    private let decision: UpgradeDecision
    private let connection: ConnectionContext
    private let grants: GrantBox
    private let waiting: WaitingHeads
    private var phase = Phase.plain
    private var isFirst = true
    /// From a request's head until its answer has ended.
    private var isAnswering = false
    /// From a request's head until its body has ended.
    private var isReading = false
    private var readHeld = false
    private var timer: Scheduled<Void>?

    init(
        _ decision: UpgradeDecision, _ connection: ConnectionContext, _ grants: GrantBox, _ waiting: WaitingHeads
    ) {
        self.decision = decision
        self.connection = connection
        self.grants = grants
        self.waiting = waiting
    }

    func handlerAdded(context: ChannelHandlerContext) {
        start(decision.configuration.headDeadline, context)
        waiting.begin(context.channel, of: connection.remote)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        if isFirst { waiting.end(context.channel, of: connection.remote) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .upgraded: context.fireChannelRead(data)
        case .refused: break
        case .deciding(let kept): phase = .deciding(kept + [data])
        case .plain: take(unwrapInboundIn(data), context)
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(var head):
            start(decision.configuration.bodyDeadline, context)
            guard Self.namesOneHost(head) else {
                let text = "A request must have the header Host, once."
                return refuse(Problem.malformed(text), context)
            }
            let wasFirst = isFirst
            if wasFirst { waiting.end(context.channel, of: connection.remote) }
            isFirst = false
            isAnswering = true
            isReading = true
            if head.headers.contains(name: "upgrade") {
                if wasFirst, !connection.isStranger, Self.asksForWebSocket(head) { return decide(head, context) }
                Self.strip(&head)
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: context.fireChannelRead(wrapInboundOut(part))
        case .end:
            // What happens until the answer is the handler's own time.
            timer?.cancel()
            isReading = false
            context.fireChannelRead(wrapInboundOut(part))
        }
    }

    func read(context: ChannelHandlerContext) {
        if case .deciding = phase { readHeld = true } else { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .upgraded = phase { return context.write(data, promise: promise) }
        if case .end = unwrapOutboundIn(data) {
            isAnswering = false
            rest(context, acknowledged: nil)
        }
        context.write(data, promise: promise)
    }

    /// A head that is no HTTP reaches nobody who could answer in our form: it is answered here. What comes in the middle of a request
    /// is the request loop's.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isAnswering, !isReading, let parserError = error as? HTTPParserError else {
            return context.fireErrorCaught(error)
        }
        refuse(
            parserError == .headerOverflow
                ? Problem(431, "Request head too large", "The request's head is too large.")
                : Problem.malformed("This is not a well-formed HTTP/1.1 request."), context)
    }

    /// Two programs on the way could take different ones of several for the right one (RFC 9112, section 3.2).
    private static func namesOneHost(_ head: HTTPRequestHead) -> Bool {
        let count = head.headers["host"].count
        return count == 1 || count == 0 && head.version == .http1_0
    }

    /// Answers and closes.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        phase = .refused
        // An answer that is on its way can't be followed by another one from here.
        guard !isAnswering else { return context.close(promise: nil) }
        if isFirst { waiting.end(context.channel, of: connection.remote) }
        isFirst = false
        isAnswering = true
        let body = problem.reply(requestID: RequestIdentity.id([:])).buffer ?? ByteBuffer()
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: problem.status),
            headers: [
                "content-type": "application/problem+json", "content-length": "\(body.readableBytes)",
                "connection": "close", "cache-control": "no-store", "x-content-type-options": "nosniff",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    /// Waits for the next request. An answer that is still on its way to a slow reader is no rest: while something of it is left here,
    /// the reader must only have taken more from one look to the next.
    ///
    /// - Parameter acknowledged: Bytes that the reader had at the last look.
    private func rest(_ context: ChannelHandlerContext, acknowledged before: UInt64?) {
        timer?.cancel()
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: decision.configuration.keepAlive) {
            let channel = isolated.value.channel
            guard StallGuard.unsent(channel) > 0 else { return isolated.value.close(promise: nil) }
            StallGuard.acknowledged(channel).assumeIsolated().whenComplete { result in
                // A request may have come meanwhile.
                guard !self.isReading, !self.isAnswering else { return }
                guard let now = try? result.get(), now != before else { return isolated.value.close(promise: nil) }
                self.rest(isolated.value, acknowledged: now)
            }
        }
    }

    private func start(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { isolated.value.close(promise: nil) }
    }

    private func decide(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        phase = .deciding([])
        let decision = self.decision
        let made = context.eventLoop.makeFutureWithTask { () -> Result<UpgradeDecision.Grant, Problem> in
            do {
                return .success(try await decision.decide(head))
            } catch let problem as Problem {
                return .failure(problem)
            } catch {
                return .failure(.internalError)
            }
        }
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        made.assumeIsolated().whenSuccess { self.decided($0, head, isolated.value) }
    }

    private func decided(
        _ result: Result<UpgradeDecision.Grant, Problem>, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        guard case .deciding(let kept) = phase, context.channel.isActive else { return }
        var head = head
        switch result {
        case .success(let grant):
            timer?.cancel()
            grants.grant = grant
            phase = .upgraded
        case .failure(let problem):
            connection.refuse(problem)
            Self.strip(&head)
            phase = .plain
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
        for data in kept {
            if case .plain = phase { take(unwrapInboundIn(data), context) } else { context.fireChannelRead(data) }
        }
        context.fireChannelReadComplete()
        if readHeld {
            readHeld = false
            context.read()
        }
    }

    private static func asksForWebSocket(_ head: HTTPRequestHead) -> Bool {
        head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
            && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
            && head.headers["sec-websocket-key"].count == 1 && head.headers["sec-websocket-version"] == ["13"]
    }

    private static func strip(_ head: inout HTTPRequestHead) {
        head.headers.remove(name: "upgrade")
        let rest = head.headers[canonicalForm: "connection"].filter { $0.lowercased() != "upgrade" }
        head.headers.remove(name: "connection")
        for value in rest { head.headers.add(name: "connection", value: String(value)) }
    }
}

/// Hands the decision's outcome to the upgrader. Confined to the channel's event loop.
final class GrantBox: @unchecked Sendable {
    var grant: UpgradeDecision.Grant?
}
