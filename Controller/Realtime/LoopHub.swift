import AnsFlowProtocol
import ControllerCore
import NIOCore
import Synchronization

/// The viewers of one event loop. Whatever is published while the loop is busy is handed out in one go, with one flush a viewer:
/// the busier the loop, the larger the batches. A message that is alone goes to each viewer's socket before the next viewer's turn.
final class LoopHub: @unchecked Sendable {
    enum Delivery: Sendable {
        case event(Topic, LiveMessage)
        /// No event, so it has no number of its own.
        case aside(Topic, LiveMessage)
        case log(LogMessage)
        /// Attempts of a run, of which some may be new.
        case sources([Topic], [LogSource])
    }

    private struct Inbox {
        var deliveries: [Delivery] = []
        var scheduled = false
    }

    let loop: any EventLoop
    private let inbox = Mutex(Inbox())
    // Confined to the loop.
    private var topics: [Topic: [ObjectIdentifier: Subscription]] = [:]
    private var logs: [AttemptID: PlacedList<LogSubscription>] = [:]

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func push(_ deliveries: [Delivery]) {
        let schedule = inbox.withLock { inbox in
            inbox.deliveries += deliveries
            defer { inbox.scheduled = true }
            return !inbox.scheduled
        }
        if schedule { loop.execute { self.drain() } }
    }

    func add(_ subscription: Subscription) {
        loop.preconditionInEventLoop()
        topics[subscription.request.topic, default: [:]][ObjectIdentifier(subscription)] = subscription
    }

    func remove(_ subscription: Subscription) {
        loop.preconditionInEventLoop()
        topics[subscription.request.topic]?[ObjectIdentifier(subscription)] = nil
        if topics[subscription.request.topic]?.isEmpty == true { topics[subscription.request.topic] = nil }
    }

    func add(_ log: LogSubscription) {
        loop.preconditionInEventLoop()
        logs[log.source.attempt, default: PlacedList()].add(log)
    }

    func remove(_ log: LogSubscription) {
        loop.preconditionInEventLoop()
        logs[log.source.attempt]?.remove(log)
        if logs[log.source.attempt]?.all.isEmpty == true { logs[log.source.attempt] = nil }
    }

    private func drain() {
        let deliveries = inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return inbox.deliveries
        }
        if deliveries.count == 1, case .log(let message) = deliveries[0] {
            for log in logs[message.attempt]?.all ?? [] { log.deliver(message, flushes: true) }
            return
        }
        var touched: [ObjectIdentifier: Viewer] = [:]
        for delivery in deliveries {
            switch delivery {
            case .event(let topic, let message):
                for subscription in (topics[topic] ?? [:]).values {
                    subscription.deliver(message)
                    touched[ObjectIdentifier(subscription.viewer)] = subscription.viewer
                }
            case .aside(let topic, let message):
                for subscription in (topics[topic] ?? [:]).values where subscription.deliverAside(message) {
                    touched[ObjectIdentifier(subscription.viewer)] = subscription.viewer
                }
            case .log(let message):
                for log in logs[message.attempt]?.all ?? [] {
                    log.deliver(message)
                    touched[ObjectIdentifier(log.viewer)] = log.viewer
                }
            case .sources(let of, let sources):
                for subscription in of.flatMap({ Array((topics[$0] ?? [:]).values) }) {
                    for source in sources { subscription.add(source) }
                }
            }
        }
        for viewer in touched.values { viewer.sink.flush() }
    }
}
