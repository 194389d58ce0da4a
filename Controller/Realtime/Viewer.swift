import ControllerCore
import NIOCore

/// One socket with its subscriptions. Confined to the socket's event loop, but for ``subscribe(_:)``, ``unsubscribe(_:)``,
/// ``becameWritable()`` and ``close()``, which may be called from anywhere.
///
/// `@unchecked Sendable` because the compiler can't see the confinement: every access to state is behind
/// `eventLoop.preconditionInEventLoop` or `execute`.
package final class Viewer: @unchecked Sendable {
    package enum Refusal: Error, Equatable {
        case tooManyTopics
        /// The run or pipeline does not exist.
        case unknownTopic
        case unavailable
    }

    let hub: EventHub
    let sink: any ViewerSink
    let access: any ViewerAccess
    private let onRefusal: @Sendable (Topic, Refusal) -> Void
    private var subscriptions: [Topic: Subscription] = [:]
    private(set) var isClosed = false
    /// Set from the first message that was dropped until the one that says so.
    private(set) var lagging = false
    private var waiters: [CheckedContinuation<Bool, Never>] = []
    private(set) var pace = SendPace()

    /// - Parameter onRefusal: Called, on any thread, when a subscription could not be made.
    package init(
        _ hub: EventHub, sink: any ViewerSink, access: any ViewerAccess = OpenViewing(),
        onRefusal: @escaping @Sendable (Topic, Refusal) -> Void = { _, _ in }
    ) {
        self.hub = hub
        self.sink = sink
        self.access = access
        self.onRefusal = onRefusal
        hub.viewerCame()
    }

    var eventLoop: any EventLoop { sink.eventLoop }

    /// Starts a topic: registers, then sends the snapshot or what came after `after`, then everything later. A topic that
    /// is there already starts anew.
    package func subscribe(_ request: Subscribe) {
        onLoop { viewer in
            guard !viewer.isClosed else { return }
            viewer.subscriptions.removeValue(forKey: request.topic)?.end()
            guard viewer.subscriptions.count < RealtimeLimits.topicsPerViewerMax else {
                return viewer.onRefusal(request.topic, .tooManyTopics)
            }
            if let number = viewer.pace.begin(at: viewer.clock) { viewer.sink.ping(number) }
            let subscription = Subscription(viewer, request)
            viewer.subscriptions[request.topic] = subscription
            subscription.begin()
        }
    }

    package func unsubscribe(_ topic: Topic) {
        onLoop { $0.subscriptions.removeValue(forKey: topic)?.end() }
    }

    /// Asks again for each topic whether it may still be seen, and ends those that may not, each with a refusal.
    package func recheck() async throws {
        for topic in await run({ Array($0.subscriptions.keys) }) {
            let visible = try await access.visibility(of: topic)
            if let visible {
                await run { $0.subscriptions[topic]?.visible = visible }
            } else {
                refuse(topic, .unknownTopic)
            }
        }
    }

    /// The socket is gone.
    package func close() {
        onLoop { viewer in
            guard !viewer.isClosed else { return }
            viewer.isClosed = true
            for subscription in viewer.subscriptions.values { subscription.end() }
            viewer.subscriptions = [:]
            viewer.wake()
            viewer.hub.viewerLeft()
        }
    }

    /// The socket takes bytes again.
    package func becameWritable() {
        onLoop { viewer in
            if viewer.lagging, !viewer.isClosed {
                viewer.lagging = false
                viewer.sink.write(viewer.laggedMessage().frame)
                viewer.sink.flush()
            }
            viewer.wake()
        }
    }

    /// A pong with a number came.
    ///
    /// - Returns: Whether it answers a ping of ``ViewerSink/ping(_:)``.
    package func ponged(_ number: UInt64) -> Bool {
        eventLoop.preconditionInEventLoop()
        let (isKnown, next) = pace.answered(number, at: clock)
        if let next, !isClosed { sink.ping(next) }
        if takesLines { wake() }
        return isKnown
    }

    /// Whether lines may be sent now: states always may, and are not to be late behind lines.
    var takesLines: Bool { sink.isWritable && pace.isOpen && !lagging }

    /// Any steady clock's nanoseconds.
    var clock: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

    func refuse(_ topic: Topic, _ refusal: Refusal) {
        onLoop { $0.subscriptions.removeValue(forKey: topic)?.end() }
        onRefusal(topic, refusal)
    }

    /// Takes a live message, or drops it where the socket is too far behind.
    ///
    /// - Parameter flushes: Whether it goes out at once.
    /// - Returns: False where it was dropped.
    func deliver(_ message: LiveMessage, flushes: Bool = false) -> Bool {
        guard !isClosed, !lagging else { return false }
        guard sink.isWritable else {
            lagging = true
            return false
        }
        if flushes { sink.writeAndFlush(message.frame) } else { sink.write(message.frame) }
        wrote(message.frame.readableBytes)
        return true
    }

    private func wrote(_ bytes: Int) {
        if let number = pace.wrote(bytes, at: clock) { sink.ping(number) }
    }

    /// Sends without regard to the bound, then waits until the socket takes bytes again.
    ///
    /// - Parameter isOver: Whether nobody wants them any more; asked on the event loop.
    func force(_ frames: [ByteBuffer], unless isOver: @escaping @Sendable () -> Bool) async {
        await run { viewer in
            guard !viewer.isClosed, !isOver() else { return }
            for frame in frames {
                viewer.sink.write(frame)
                viewer.wrote(frame.readableBytes)
            }
            viewer.sink.flush()
        }
        await wait { $0.sink.isWritable || isOver() }
    }

    /// Waits until `isReady` holds or the viewer is gone; asked on the event loop whenever something has changed.
    func wait(until isReady: @escaping @Sendable (Viewer) -> Bool) async {
        while !(await isReadyOrWoken(isReady)) {}
    }

    /// - Returns: False where it was woken and has to look again.
    private func isReadyOrWoken(_ isReady: @escaping @Sendable (Viewer) -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            onLoop { viewer in
                if viewer.isClosed || isReady(viewer) {
                    continuation.resume(returning: true)
                } else {
                    viewer.waiters.append(continuation)
                }
            }
        }
    }

    /// Says that lines of a log were left out.
    func sayLinesWereLeftOut() {
        eventLoop.preconditionInEventLoop()
        guard !isClosed else { return }
        let frame = laggedMessage().frame
        sink.write(frame)
        wrote(frame.readableBytes)
    }

    /// Runs `body` on the event loop and waits for it.
    func run<Result: Sendable>(_ body: @escaping @Sendable (Viewer) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            onLoop { continuation.resume(returning: body($0)) }
        }
    }

    private func onLoop(_ body: @escaping @Sendable (Viewer) -> Void) {
        if eventLoop.inEventLoop { body(self) } else { eventLoop.execute { body(self) } }
    }

    /// Lets everything that waits look again.
    func wake() {
        let waiting = waiters
        waiters = []
        for continuation in waiting { continuation.resume(returning: false) }
    }

    /// Says once what was dropped and where to fetch it.
    private func laggedMessage() -> LiveMessage {
        let parts = subscriptions.sorted { $0.key.description < $1.key.description }.map(\.value)
        let seq = parts.map(\.cursor).min() ?? 0
        hub.countLagged()
        return LiveEncoder.message("lagged", seq: seq, at: hub.now()) { json in
            json.object { json in
                json.field(
                    "message", "This viewer was too slow: messages were left out. Fetch what is missing from `fetch`.")
                json.name("topics")
                json.array(parts.filter(\.hasDropped)) { $1.writeDropped(&$0) }
                json.name("logs")
                json.array(parts.flatMap(\.droppedLogs)) { $1.writeDropped(&$0) }
            }
        }
    }
}
