import AnsFlowTransport
import ControllerCore
import ControllerRealtime
import NIOCore

/// A viewer's WebSocket: parses what it says, pings it, closes it when it is silent, and writes shared frames.
///
/// Confined to its channel's event loop; `@unchecked` because the compiler can't see that.
final class ViewerSocket: ChannelInboundHandler, ViewerSink, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let messageBytesMax = 16 * 1024
    /// Frames from the viewer within ``window``.
    static let framesMax = 256
    static let window = TimeAmount.seconds(10)
    /// Between the two marks a slow viewer's messages are dropped.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
        low: RealtimeLimits.viewerBytesMax / 4, high: RealtimeLimits.viewerBytesMax)

    let eventLoop: any EventLoop
    let principal: Principal
    private let rights: Rights
    private let channel: any Channel
    /// Its own, while it is in the pipeline: the shortest way to the socket.
    private var context: ChannelHandlerContext?
    private(set) var isWritable = true
    private let configuration: HTTPConfiguration
    private var input = FrameInput(
        FrameParser.Rules(peerMasks: true, payloadMax: messageBytesMax, allowsFragments: false))
    private var viewer: Viewer?
    private var isOpen = true
    private var lastRead = NIODeadline.now()
    private var ping: RepeatedTask?
    private var frames = 0
    private var windowEnd = NIODeadline.now()

    init(
        _ channel: any Channel, _ grant: UpgradeDecision.Grant, _ services: HTTPServices,
        _ configuration: HTTPConfiguration
    ) {
        self.channel = channel
        self.configuration = configuration
        eventLoop = channel.eventLoop
        principal = grant.principal
        first = grant.first
        hub = services.hub
        rights = Rights(services: services, principal: grant.principal)
    }

    private let first: Subscribe?
    private let hub: EventHub

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = channel.isWritable
        lastRead = .now()
        let isDirect = first != nil
        let viewer = Viewer(hub, sink: self, access: rights) { [weak self] topic, refusal in
            guard let self else { return }
            self.eventLoop.execute { self.refused(topic, refusal, closes: isDirect) }
        }
        self.viewer = viewer
        if let first { viewer.subscribe(first) }
        ping = eventLoop.scheduleRepeatedTask(
            initialDelay: configuration.webSocketPing, delay: configuration.webSocketPing
        ) { [weak self] _ in self?.tick() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = channel.isWritable
        if isWritable { viewer?.becameWritable() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            close(1001, "The controller stops.")
        } else if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isOpen else { return }
        lastRead = .now()
        input.append(unwrapInboundIn(data))
        do throws(FrameViolation) {
            while isOpen, let frame = try input.next() { take(frame) }
        } catch {
            close(error.kind == .tooLarge ? 1009 : 1002, error.reason)
        }
    }

    private func take(_ frame: Frame) {
        let now = NIODeadline.now()
        if now >= windowEnd {
            windowEnd = now + Self.window
            frames = 0
        }
        // The answers to its pings are as many as the lines that were sent, not as the viewer likes.
        if frame.opcode == .pong, let number = Self.number(frame.payload), viewer?.ponged(number) == true { return }
        frames += 1
        guard frames <= Self.framesMax else { return close(1008, "Too many messages in a short time.") }
        switch frame.opcode {
        case .ping: send(Frame(.pong, payload: frame.payload))
        case .pong: break
        case .close:
            isOpen = false
            send(Frame(.close, payload: Array(frame.payload.prefix(2))))
            channel.close(promise: nil)
        case .text: obey(LiveCommand(frame.payload))
        case .binary, .continuation: close(1003, "Only whole text messages are understood.")
        }
    }

    private func obey(_ command: LiveCommand) {
        switch command {
        case .subscribe(let request): viewer?.subscribe(request)
        case .unsubscribe(let topic): viewer?.unsubscribe(topic)
        case .ping: say("pong") { $0.object { _ in } }
        case .wrong(let text): say("error") { json in json.object { $0.field("message", text) } }
        }
    }

    private func refused(_ topic: Topic, _ refusal: Viewer.Refusal, closes: Bool) {
        let text =
            switch refusal {
            case .unknownTopic: "There is no such run or pipeline."
            case .tooManyTopics: "A connection can have \(RealtimeLimits.topicsPerViewerMax) topics at most."
            case .unavailable: "The state could not be read. Try again in a moment."
            }
        say("error") { json in
            json.object { json in
                json.field("topic", topic.description)
                json.field("message", text)
            }
        }
        if closes { close(refusal == .unknownTopic ? 1008 : 1011, text) }
    }

    // MARK: Out

    func write(_ frame: ByteBuffer) { context?.write(wrapOutboundOut(frame), promise: nil) }
    func flush() { context?.flush() }
    func writeAndFlush(_ frame: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(frame), promise: nil) }

    func ping(_ number: UInt64) {
        let payload = withUnsafeBytes(of: number.bigEndian, Array.init)
        writeAndFlush(FrameWriter.encode(Frame(.ping, payload: payload), mask: nil, allocator: channel.allocator))
    }

    private static func number(_ payload: [UInt8]) -> UInt64? {
        payload.count == 8 ? payload.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }

    private func say(_ type: String, _ data: (inout JSONWriter) -> Void) {
        guard isOpen, channel.isWritable else { return }
        channel.writeAndFlush(
            LiveEncoder.message(type, seq: 0, at: configuration.now(), data: data).frame, promise: nil)
    }

    private func send(_ frame: Frame) {
        guard channel.isWritable || frame.opcode == .close else { return }
        channel.writeAndFlush(FrameWriter.encode(frame, mask: nil, allocator: channel.allocator), promise: nil)
    }

    /// Says why, then closes; the peer is not waited for long.
    func close(_ code: UInt16, _ reason: String) {
        guard isOpen else { return }
        isOpen = false
        send(Frame(.close, payload: FrameWriter.closePayload(code, reason)))
        viewer?.close()
        let channel = self.channel
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private func tick() {
        guard isOpen else { return }
        guard NIODeadline.now() - lastRead < configuration.webSocketSilence else {
            close(1001, "Nothing came from the viewer for too long.")
            channel.close(promise: nil)
            return
        }
        send(Frame(.ping, payload: []))
    }

    /// Ends the topics that the viewer may not see any more.
    ///
    /// - Returns: false where that could not be found out now.
    private func recheck() async -> Bool {
        let viewer = try? await eventLoop.submit { self.viewer }.get()
        guard let viewer = viewer ?? nil else { return true }
        do {
            try await viewer.recheck()
            return true
        } catch {
            return false
        }
    }

    private func end() {
        isOpen = false
        ping?.cancel()
        ping = nil
        viewer?.close()
        viewer = nil
    }

    /// Lives until the socket is closed; looks every few seconds whether the viewer may still be here.
    func watch(_ authentication: any Authenticating) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskCancellationHandler {
                    try? await self.channel.closeFuture.get()
                } onCancel: {
                    self.eventLoop.execute { self.close(1001, "The controller stops.") }
                }
            }
            group.addTask {
                var version = self.rights.services.access.accessVersion
                while !Task.isCancelled {
                    let pause = Duration.nanoseconds(self.configuration.webSocketRecheck.nanoseconds)
                    guard (try? await Task.sleep(for: pause)) != nil else { return }
                    guard await authentication.isStillValid(self.principal) else {
                        self.eventLoop.execute { self.close(1008, "The login has ended.") }
                        continue
                    }
                    // Before the reads, so that what changes meanwhile is looked at in the next round.
                    let now = self.rights.services.access.accessVersion
                    if now == version { continue }
                    if await self.recheck() { version = now }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
