import AnsFlowProtocol
package import ControllerCore
import Synchronization

/// What a follower sees.
package enum FollowEvent: Sendable {
    /// Lines, in order, each number once, except that an unfinished line comes again.
    case lines(LogBatch)
    /// The viewer was too slow for what came live; the lines from `from` to `to` are read from the store now. None is lost.
    case lagged(from: Int, to: Int)
    /// What was shown is void: the log begins anew at line 1.
    case restarted
    /// Nothing more will come. The last event.
    case ended(LogInfo)
}

/// One viewer of a log: a cursor and a bounded queue. Use it from one task; it ends with the loop that reads it, or by
/// ``cancel()``.
///
/// ```
///             event: lines                 event: lines, queue full
///   caught up ────────────► queue ─────────────────────────────────► behind
///       ▲                                                              │ pages from the store
///       └──────────────────────────────────────────────────────────────┘
/// ```
package final class LogFollower: AsyncSequence, Sendable {
    package typealias Element = FollowEvent

    private struct State {
        var cursor: Int
        var queue: [LogBatch] = []
        var queuedBytes = 0
        /// Something is only in the store.
        var behind = true
        /// What to report before the next lines.
        var lagged: (from: Int, to: Int)?
        var restarted = false
        var ended: LogInfo?
        var finished = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private enum Next {
        case give(FollowEvent)
        case read(from: Int)
        case wait
        case finished
    }

    private let store: LogStore
    private let attempt: AttemptID
    private let queueBytesMax: Int
    private let state: Mutex<State>
    private let subscription = Mutex<LogSubscription?>(nil)

    init(_ store: LogStore, _ attempt: AttemptID, fromLine: Int, queueBytesMax: Int) {
        self.store = store
        self.attempt = attempt
        self.queueBytesMax = queueBytesMax
        state = Mutex(State(cursor: Swift.max(1, fromLine)))
        let made = store.subscribe(attempt) { [weak self] event in self?.take(event) }
        subscription.withLock { $0 = made }
    }

    /// Ends the sequence.
    package func cancel() {
        subscription.withLock { $0 = nil }
        wake { $0.finished = true }
    }

    /// What waits for this viewer now.
    package var queuedBytes: Int { state.withLock { $0.queuedBytes } }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private func take(_ event: LogEvent) {
        wake { state in
            switch event {
            case .lines(let batch):
                if state.behind {
                    if state.lagged != nil { state.lagged?.to = batch.nextLine }
                } else if state.queuedBytes + batch.size > queueBytesMax {
                    state.lagged = (state.cursor, batch.nextLine)
                    Self.fallBehind(&state)
                } else {
                    state.queue.append(batch)
                    state.queuedBytes += batch.size
                }
            case .restarted:
                Self.fallBehind(&state)
                state.cursor = 1
                state.lagged = nil
                state.ended = nil
                state.restarted = true
            case .ended(let info):
                state.ended = info
            }
        }
    }

    private static func fallBehind(_ state: inout State) {
        state.queue = []
        state.queuedBytes = 0
        state.behind = true
    }

    private func decide() -> Next {
        state.withLock { state in
            if state.finished { return .finished }
            if state.restarted {
                state.restarted = false
                return .give(.restarted)
            }
            if let lagged = state.lagged {
                state.lagged = nil
                return .give(.lagged(from: lagged.from, to: lagged.to))
            }
            if state.behind {
                // What comes while the store is read waits in the queue, so that nothing falls between the two.
                state.behind = false
                return .read(from: state.cursor)
            }
            while !state.queue.isEmpty {
                let batch = state.queue.removeFirst()
                state.queuedBytes -= batch.size
                if batch.firstLine > state.cursor {
                    Self.fallBehind(&state)
                    state.behind = false
                    return .read(from: state.cursor)
                }
                let fresh = batch.firstLine < state.cursor ? batch.from(state.cursor) : batch
                guard !fresh.lines.isEmpty else { continue }
                state.cursor = Swift.max(state.cursor, fresh.nextLine)
                return .give(.lines(fresh))
            }
            if let ended = state.ended {
                state.finished = true
                return .give(.ended(ended))
            }
            return .wait
        }
    }

    fileprivate func next() async throws -> FollowEvent? {
        while true {
            switch decide() {
            case .give(let event): return event
            case .finished: return nil
            case .read(let from):
                if let event = try await read(from: from) { return event }
            case .wait:
                await wait()
                try Task.checkCancellation()
            }
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Bool in
                    let something = !state.queue.isEmpty || state.behind || state.ended != nil || state.restarted
                    guard !something, !state.finished, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            wake { _ in }
        }
    }

    /// A page of the store, and whether there is more of it.
    private func read(from first: Int) async throws -> FollowEvent? {
        let page = try await store.lines(attempt, from: first, count: 4096, maxBytes: queueBytesMax)
        let info = page.complete && page.nextLine > page.totalLines ? try await store.info(attempt) : nil
        return state.withLock { state in
            // The log began anew while the page was read.
            if state.restarted { return nil }
            if let last = page.lines.last, !last.isPartial, page.nextLine <= page.totalLines {
                Self.fallBehind(&state)
            }
            if let info { state.ended = info }
            guard !page.lines.isEmpty else { return nil }
            state.cursor = page.nextLine
            return .lines(
                LogBatch(
                    attempt: attempt, firstLine: page.lines[0].number, nextLine: page.nextLine, lines: page.lines))
        }
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let follower: LogFollower

        package mutating func next() async throws -> FollowEvent? { try await follower.next() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(follower: self) }
}
