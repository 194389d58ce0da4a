import NIOConcurrencyHelpers
import NIOCore

/// What the async side and the channel's handler of one connection share. All of it is under one lock, which is never held
/// while a continuation is resumed.
final class ConnectionMailbox: Sendable {
    /// Counted for each message besides its bytes, so that empty messages are bounded too.
    static let overhead = 64

    struct Sender {
        var id: UInt64
        var message: [UInt8]
        var continuation: CheckedContinuation<Void, any Error>
    }

    struct State {
        var inbox = CircularBuffer<[UInt8]>()
        var inboxBytes = 0
        var receiver: CheckedContinuation<[UInt8]?, any Error>?
        /// Whether the handler holds back reads from the socket.
        var readPaused = false
        var outbox: [[UInt8]] = []
        /// Bytes in `outbox` and on their way to the socket.
        var outboundBytes = 0
        var drainScheduled = false
        var senders = CircularBuffer<Sender>()
        var nextSender: UInt64 = 0
        var end: ConnectionEnd?
        /// Whether the socket itself is closed.
        var gone = false
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    let options: WebSocketOptions
    private let state = NIOLockedValueBox(State())

    init(_ options: WebSocketOptions) {
        self.options = options
    }

    func with<Value>(_ body: (inout State) throws -> Value) rethrows -> Value {
        try state.withLockedValue(body)
    }

    /// A message came. Called on the event loop.
    ///
    /// - Returns: Whether reading must pause now.
    func deliver(_ message: [UInt8]) -> Bool {
        var receiver: CheckedContinuation<[UInt8]?, any Error>?
        let pause = with { state -> Bool in
            guard state.end == nil else { return false }
            if let waiting = state.receiver {
                receiver = waiting
                state.receiver = nil
                return false
            }
            state.inbox.append(message)
            state.inboxBytes += message.count + Self.overhead
            if state.inboxBytes >= options.inboundBytesMax { state.readPaused = true }
            return state.readPaused
        }
        receiver?.resume(returning: message)
        return pause
    }

    /// Marks the end; the first one counts.
    ///
    /// - Parameter drop: Whether messages that nobody has read are dropped. What the peer sent before its own close frame
    ///   is still handed out.
    func end(_ end: ConnectionEnd, drop: Bool) {
        let (receiver, senders) = with { state -> (CheckedContinuation<[UInt8]?, any Error>?, CircularBuffer<Sender>) in
            if state.end == nil { state.end = end }
            if drop {
                state.inbox.removeAll()
                state.inboxBytes = 0
            }
            defer {
                state.receiver = nil
                state.senders = []
            }
            return (state.receiver, state.senders)
        }
        receiver?.resume(returning: nil)
        for sender in senders { sender.continuation.resume(throwing: end) }
    }

    /// The socket is closed: nothing will ever come or go again.
    func markGone() {
        let watchers = with { state in
            state.gone = true
            state.outbox = []
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.resume() }
    }

    /// A message of `count` bytes has left for the socket, or never will.
    ///
    /// - Returns: Whether waiting senders' messages were queued and a drain must be scheduled.
    func written(_ count: Int) -> Bool {
        var ready: [Sender] = []
        let drain = with { state -> Bool in
            state.outboundBytes -= count + Self.overhead
            while let first = state.senders.first, state.hasRoom(first.message.count, options.outboundBytesHigh) {
                state.enqueue(first.message)
                ready.append(state.senders.removeFirst())
            }
            guard !ready.isEmpty, !state.drainScheduled else { return false }
            state.drainScheduled = true
            return true
        }
        for sender in ready { sender.continuation.resume() }
        return drain
    }
}

extension ConnectionMailbox.State {
    /// Whether a message of `count` bytes fits below `limit`. Alone, a message always fits.
    func hasRoom(_ count: Int, _ limit: Int) -> Bool {
        outboundBytes == 0 || outboundBytes + count + ConnectionMailbox.overhead <= limit
    }

    mutating func enqueue(_ message: [UInt8]) {
        outbox.append(message)
        outboundBytes += message.count + ConnectionMailbox.overhead
    }
}
