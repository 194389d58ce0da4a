import AnsFlowProtocol

/// How far what is needed has come.
struct Needed: Equatable {
    var finished = true
    var success = true
    var failure = false

    /// Counts one need in. What was skipped for its own condition is satisfied; what was skipped because something before
    /// it failed is not, and neither is what was cancelled, unless the edge allows it.
    mutating func add(phase: Phase, outcome: Outcome?, cause: Cause?, allowFailure: Bool = false) {
        guard phase == .finished, let outcome else {
            finished = false
            return
        }
        guard !allowFailure else { return }
        let blocked = outcome == .skipped && cause == .upstreamFailed
        if blocked || !outcome.satisfies { success = false }
        if blocked || outcome.isFailure { failure = true }
    }
}

/// Which of several results stands for all of them: of a matrix, the worst of its cells.
enum WorstOutcome {
    /// From good to bad. What was skipped for its own condition says nothing about the others.
    private static func rank(_ outcome: Outcome, _ cause: Cause?) -> Int {
        switch outcome {
        case .skipped: cause == .upstreamFailed ? 3 : 0
        case .success: 1
        case .warning: 2
        case .cancelled: 4
        case .failed: 5
        case .invalid: 6
        case .timedOut: 7
        case .lost: 8
        case .error: 9
        }
    }

    static func of(_ ends: some Sequence<(outcome: Outcome, cause: Cause?)>) -> Outcome? {
        ends.max { rank($0.outcome, $0.cause) < rank($1.outcome, $1.cause) }?.outcome
    }
}
