import NIOConcurrencyHelpers

/// Raised once; anybody may wait for it.
final class AsyncFlag: Sendable {
    private struct State {
        var raised = false
        var next = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = NIOLockedValueBox(State())

    func raise() {
        let waiters = state.withLockedValue { state in
            state.raised = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: true) }
    }

    /// - Returns: Whether it was raised; false when the task was cancelled first.
    @discardableResult
    func wait() async -> Bool {
        let id = state.withLockedValue { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLockedValue { state -> Bool? in
                    if state.raised { return true }
                    if Task.isCancelled { return false }
                    state.waiters[id] = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            state.withLockedValue { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
        }
    }
}
