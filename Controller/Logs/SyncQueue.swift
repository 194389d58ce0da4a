import AnsFlowProtocol
import NIOPosix
import Synchronization

/// The syncs that wait, first come first served, at most a few at once.
///
/// A file's next sync begins when its last one has ended and gathers what came meanwhile: there is no timer, and the more comes
/// the more each sync does.
final class SyncQueue: Sendable {
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
                while let log = take() { log.abandon(.closed) }
                return
            }
            while let log = take() {
                if log.syncOnce(shared) { state.withLock { $0.waiting.append(log) } }
            }
        }
    }

    /// The next in line; `nil` ends the worker.
    private func take() -> AttemptLog? {
        state.withLock { state in
            guard state.first < state.waiting.count else {
                state.waiting.removeAll(keepingCapacity: true)
                state.first = 0
                state.running -= 1
                return nil
            }
            let log = state.waiting[state.first]
            state.first += 1
            if state.first > 1024 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return log
        }
    }
}
