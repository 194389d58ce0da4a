import AnsFlowProtocol
package import ControllerCore
import Synchronization

/// What those who follow a log are told.
package enum LogEvent: Sendable {
    /// Lines were added; an unfinished line that was shown before comes again.
    case lines(LogBatch)
    /// The log begins anew at line 1: what was stored did not match the agent's hash.
    case restarted
    /// Nothing more will come.
    case ended(LogInfo)
}

/// The followers of each log.
final class Broadcaster: Sendable {
    typealias Handler = @Sendable (LogEvent) -> Void

    private struct State {
        var handlers: [AttemptID: [UInt64: Handler]] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    func add(_ attempt: AttemptID, _ handler: @escaping Handler) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.handlers[attempt, default: [:]][state.next] = handler
            return state.next
        }
    }

    func remove(_ attempt: AttemptID, _ id: UInt64) {
        state.withLock { state in
            state.handlers[attempt]?[id] = nil
            if state.handlers[attempt]?.isEmpty == true { state.handlers[attempt] = nil }
        }
    }

    func hasFollowers(_ attempt: AttemptID) -> Bool {
        state.withLock { $0.handlers[attempt] != nil }
    }

    /// Tells all followers, outside the lock.
    func tell(_ attempt: AttemptID, _ event: LogEvent) {
        let handlers = state.withLock { state in state.handlers[attempt].map { Array($0.values) } }
        for handler in handlers ?? [] { handler(event) }
    }
}

/// One who follows a log. It ends with ``cancel()`` or when nobody holds it.
package final class LogSubscription: Sendable {
    private let broadcaster: Broadcaster
    private let attempt: AttemptID
    private let id: UInt64

    init(_ broadcaster: Broadcaster, _ attempt: AttemptID, _ handler: @escaping Broadcaster.Handler) {
        self.broadcaster = broadcaster
        self.attempt = attempt
        id = broadcaster.add(attempt, handler)
    }

    package func cancel() { broadcaster.remove(attempt, id) }

    deinit { cancel() }
}
