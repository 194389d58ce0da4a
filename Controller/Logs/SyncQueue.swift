import AnsFlowProtocol
import NIOPosix
import Synchronization

/// The syncs that wait, first come first served, at most a few at once.
///
/// A file's next sync begins when its last one has ended and gathers what came meanwhile: there is no timer, and the more comes
/// the more each sync does.
final class SyncQueue: Sendable {
    /// Most logs of one round of a worker: the first of them waits for the last.
    private static let groupMax = 16

    private struct State {
        /// A ring would save little: a log stands here once at most.
        var waiting: [AttemptLog] = []
        var first = 0
        var running = 0
    }

    private let state = Mutex(State())
    private let pool: NIOThreadPool
    private let atOnce: Int
    /// Set once, before the first log is submitted.
    private let shared = Mutex<LogStoreShared?>(nil)

    init(pool: NIOThreadPool, atOnce: Int) {
        self.pool = pool
        self.atOnce = atOnce
    }

    func connect(_ shared: LogStoreShared?) { self.shared.withLock { $0 = shared } }

    /// Puts a log in line. Its `queued` flag is set already, so it stands there once.
    func submit(_ log: AttemptLog) {
        let starts = state.withLock { state in
            state.waiting.append(log)
            guard state.running < atOnce else { return false }
            state.running += 1
            return true
        }
        if starts { start() }
    }

    private func start() {
        pool.submit { [self] poolState in
            guard case .active = poolState, let shared = shared.withLock({ $0 }) else {
                while let logs = take() { for log in logs { log.abandon(.closed) } }
                return
            }
            while let logs = take() {
                let again = AttemptLog.sync(logs, shared)
                if !again.isEmpty { state.withLock { $0.waiting += again } }
            }
        }
    }

    /// The next in line, which are synced one after the other and whose new names share a sync: this worker's part of those that
    /// wait. `nil` ends the worker.
    private func take() -> ArraySlice<AttemptLog>? {
        state.withLock { state in
            guard state.first < state.waiting.count else {
                state.waiting.removeAll(keepingCapacity: true)
                state.first = 0
                state.running -= 1
                return nil
            }
            let count = min(Self.groupMax, max(1, (state.waiting.count - state.first) / atOnce))
            let logs = state.waiting[state.first..<state.first + count]
            state.first += count
            if state.first > 1024 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return logs
        }
    }
}
