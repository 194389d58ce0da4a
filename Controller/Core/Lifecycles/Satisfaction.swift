import AnsFlowProtocol

/// How far what is needed has come.
struct Needed: Equatable {
    var finished = true
    var success = true
    var failure = false

    /// Counts one need in. What was skipped for its own condition is satisfied; what was skipped because something before
    /// it failed is not, and neither is what was cancelled.
    mutating func add(phase: Phase, outcome: Outcome?, cause: Cause?) {
        guard phase == .finished, let outcome else {
            finished = false
            return
        }
        let blocked = outcome == .skipped && cause == .upstreamFailed
        if blocked || !outcome.satisfies { success = false }
        if blocked || outcome.isFailure { failure = true }
    }
}
