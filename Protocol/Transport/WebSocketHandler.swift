import NIOCore

/// Frames on one channel: parses, answers pings, keeps the close handshake and the silence timer, and stops reading while
/// the receiver is behind.
///
/// Lives on the channel's event loop; the async side speaks to it through outbound user events.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Command: Sendable {
        /// There are messages in the outbox.
        case drain
        case resumeReading
        /// The mailbox holds the end. It is not passed here: of several closes at the same time the first to be recorded counts,
        /// and its command may come after another's.
        case close
        case abort
    }

    private enum Phase { case open, closeSent, over }

    private let mailbox: ConnectionMailbox
    private let options: WebSocketOptions
    private var assembler: MessageAssembler
    private var input: FrameInput
    private var phase = Phase.open
    /// Whether the channel asked to read while reading was paused.
    private var readHeld = false
    private var lastRead = NIODeadline.uptimeNanoseconds(0)
    private var silenceTimer: Scheduled<Void>?
    private var closeTimer: Scheduled<Void>?
    private var controlFrames = 0
    private var controlWindowEnd = NIODeadline.uptimeNanoseconds(0)
    /// Whether a pong is under way; another ping is then not answered, so that pongs can't pile up.
    private var pongPending = false
    private var generator = SystemRandomNumberGenerator()

    init(_ mailbox: ConnectionMailbox) {
        self.mailbox = mailbox
        options = mailbox.options
        input = FrameInput(options.parserRules)
        assembler = MessageAssembler(options)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lastRead = context.eventLoop.now
        scheduleSilence(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(ConnectionEnd(.transport, code: ConnectionEnd.abnormal, reason: "The connection was cut."))
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(ConnectionEnd(.transport, code: ConnectionEnd.abnormal, reason: "The connection was cut."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = "The connection failed: \(TLSExplanation.text(of: error))"
        mailbox.end(ConnectionEnd(.transport, code: ConnectionEnd.abnormal, reason: reason), drop: false)
        phase = .over
        context.close(promise: nil)
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastRead = context.eventLoop.now
        guard phase != .over else { return }
        input.append(unwrapInboundIn(data))
        do throws(FrameViolation) {
            while phase != .over, let frame = try input.next() { try handle(frame, context) }
        } catch {
            fail(error, context)
        }
    }

    func read(context: ChannelHandlerContext) {
        if mailbox.with({ $0.readPaused }) { readHeld = true } else { context.read() }
    }

    private func handle(_ frame: Frame, _ context: ChannelHandlerContext) throws(FrameViolation) {
        switch frame.opcode {
        case .ping:
            try countControl(context.eventLoop.now)
            guard phase == .open, !pongPending else { return }
            pongPending = true
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in self.pongPending = false }
            write(Frame(.pong, payload: frame.payload), context, written)
            context.flush()
        case .pong: try countControl(context.eventLoop.now)
        case .close: try peerClosed(frame.payload, context)
        case .text, .binary, .continuation:
            guard let message = try assembler.add(frame), phase == .open else { return }
            _ = mailbox.deliver(message)
        }
    }

    private func countControl(_ now: NIODeadline) throws(FrameViolation) {
        if now >= controlWindowEnd {
            controlFrames = 0
            controlWindowEnd = now + .nanoseconds(options.controlWindow.nanoseconds)
        }
        controlFrames += 1
        guard controlFrames <= options.controlFramesMax else {
            throw FrameViolation(
                .flood, "Too many ping or pong frames; at most \(options.controlFramesMax) in a while are allowed.")
        }
    }

    private func peerClosed(_ payload: [UInt8], _ context: ChannelHandlerContext) throws(FrameViolation) {
        let (code, reason) = try FrameWriter.readClose(payload)
        mailbox.end(ConnectionEnd(.peer, code: code, reason: reason), drop: false)
        if phase == .open { write(Frame(.close, payload: payload.isEmpty ? [] : Array(payload[0..<2])), context, nil) }
        phase = .over
        context.flush()
        context.close(promise: nil)
    }

    private func fail(_ violation: FrameViolation, _ context: ChannelHandlerContext) {
        let code = options.code(of: violation.kind)
        mailbox.end(ConnectionEnd(.local, code: code, reason: violation.reason), drop: true)
        input.clear()
        startClose(context)
    }

    // MARK: Outbound

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let command = event as? Command else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        switch command {
        case .drain: drain(context)
        case .resumeReading:
            lastRead = context.eventLoop.now
            if readHeld, !mailbox.with({ $0.readPaused }) {
                readHeld = false
                context.read()
            }
        case .close: startClose(context)
        case .abort:
            phase = .over
            context.close(promise: nil)
        }
        promise?.succeed()
    }

    private func drain(_ context: ChannelHandlerContext) {
        let messages = mailbox.with { state in
            defer { state.outbox = [] }
            state.drainScheduled = false
            return state.outbox
        }
        guard phase == .open, !messages.isEmpty else { return }
        let opcode: Opcode = options.kind == .text ? .text : .binary
        for message in messages {
            let count = message.count
            let written = context.eventLoop.makePromise(of: Void.self)
            let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
            written.futureResult.assumeIsolated().whenComplete { _ in
                if self.mailbox.written(count) { self.drain(isolated.value) }
            }
            write(Frame(opcode, payload: message), context, written)
        }
        context.flush()
    }

    private func write(_ frame: Frame, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let mask: UInt32? = options.role == .client ? UInt32.random(in: .min ... .max, using: &generator) : nil
        let bytes = FrameWriter.encode(frame, mask: mask, allocator: context.channel.allocator)
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    /// Tells the peer the end that the mailbox holds, and waits for its answer.
    private func startClose(_ context: ChannelHandlerContext) {
        // An end without a code is an abort, whose own command is on its way.
        guard phase == .open, let end = mailbox.with({ $0.end }), end.code != ConnectionEnd.abnormal else { return }
        drain(context)
        phase = .closeSent
        // Paused reading would hide the peer's answer.
        mailbox.with { $0.readPaused = false }
        if readHeld {
            readHeld = false
            context.read()
        }
        write(Frame(.close, payload: FrameWriter.closePayload(end.code, end.reason)), context, nil)
        context.flush()
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(options.closeTimeout.nanoseconds))
        {
            self.phase = .over
            isolated.value.close(promise: nil)
        }
    }

    // MARK: Time

    private func scheduleSilence(_ context: ChannelHandlerContext) {
        guard let silence = options.silence else { return }
        let limit = TimeAmount.nanoseconds(silence.nanoseconds)
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        silenceTimer = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastRead + limit) {
            self.checkSilence(limit, isolated.value)
        }
    }

    private func checkSilence(_ limit: TimeAmount, _ context: ChannelHandlerContext) {
        guard phase == .open else { return }
        let now = context.eventLoop.now
        if readHeld { lastRead = now }
        guard now - lastRead >= limit else { return scheduleSilence(context) }
        let reason = "Nothing came from the peer for \(limit.nanoseconds / 1_000_000) ms."
        mailbox.end(ConnectionEnd(.local, code: options.codes.silence, reason: reason), drop: false)
        // The peer may only be deaf in one direction: it is told, but not waited for.
        write(Frame(.close, payload: FrameWriter.closePayload(options.codes.silence, reason)), context, nil)
        context.flush()
        phase = .over
        context.close(promise: nil)
    }

    private func finish(_ end: ConnectionEnd) {
        phase = .over
        silenceTimer?.cancel()
        closeTimer?.cancel()
        input.clear()
        mailbox.end(end, drop: false)
        mailbox.markGone()
    }
}
