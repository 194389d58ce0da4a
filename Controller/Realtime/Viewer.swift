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
    private var closed = false
    /// Set from the first message that was dropped until the one that says so.
    private(set) var lagging = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

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
            guard !viewer.closed else { return }
            viewer.subscriptions.removeValue(forKey: request.topic)?.end()
            guard viewer.subscriptions.count < RealtimeLimits.topicsPerViewerMax else {
                return viewer.onRefusal(request.topic, .tooManyTopics)
            }
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
            guard !viewer.closed else { return }
            viewer.closed = true
            for subscription in viewer.subscriptions.values { subscription.end() }
            viewer.subscriptions = [:]
            viewer.wake()
            viewer.hub.viewerLeft()
        }
    }

    /// The socket takes bytes again.
    package func becameWritable() {
        onLoop { viewer in
            if viewer.lagging, !viewer.closed {
                viewer.lagging = false
                viewer.sink.write(viewer.laggedMessage().frame)
                viewer.sink.flush()
            }
            viewer.wake()
        }
    }

    func refuse(_ topic: Topic, _ refusal: Refusal) {
        onLoop { $0.subscriptions.removeValue(forKey: topic)?.end() }
        onRefusal(topic, refusal)
    }

    /// Takes a live message, or drops it where the socket is too far behind.
    ///
    /// - Parameter flushes: Whether it goes out at once.
    /// - Returns: False where it was dropped.
    func deliver(_ message: LiveMessage, flushes: Bool = false) -> Bool {
        guard !closed, !lagging else { return false }
        guard sink.isWritable else {
            lagging = true
            return false
        }
        if flushes { sink.writeAndFlush(message.frame) } else { sink.write(message.frame) }
        return true
    }

    /// Sends without regard to the bound; the caller waits with ``waitUntilWritable()`` between a few of these.
    func force(_ frames: [ByteBuffer]) async {
        await run { viewer in
            guard !viewer.closed else { return }
            for frame in frames { viewer.sink.write(frame) }
            viewer.sink.flush()
        }
        await waitUntilWritable()
    }

    func waitUntilWritable() async {
        await withCheckedContinuation { continuation in
            onLoop { viewer in
                if viewer.closed || viewer.sink.isWritable {
                    continuation.resume()
                } else {
                    viewer.waiters.append(continuation)
                }
            }
        }
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

    private func wake() {
        let waiting = waiters
        waiters = []
        for continuation in waiting { continuation.resume() }
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
