/// Where a run, job, step or attempt stands. Phase and result are apart, so that a run can already have failed while its
/// clean-up still runs.
package enum Phase: String, Codable, Sendable, CaseIterable {
    case created
    /// Waits for what it needs.
    case blocked
    /// A run: accepted, nothing of it has begun. A job: ready, waits for an agent.
    case queued
    /// An attempt: committed, the agent has not said that it began.
    case starting
    case running
    /// An attempt whose agent is silent.
    case unreachable
    case stopping
    case finished
}

package enum Outcome: String, Codable, Sendable, CaseIterable {
    case success, warning, failed, cancelled, skipped, invalid
    case timedOut = "timed_out"
    case lost, error

    /// Whether what needs this may go on.
    package var satisfies: Bool { self == .success || self == .warning || self == .skipped }
    /// Whether it counts as a failure for `failure()` and for its run.
    package var isFailure: Bool {
        switch self {
        case .failed, .timedOut, .lost, .error, .invalid: true
        case .success, .warning, .cancelled, .skipped: false
        }
    }
}

/// Phase and result in one word, for API users.
package enum Status: String, Codable, Sendable, CaseIterable {
    case pending, blocked, running, success, warning, failed, cancelled, skipped

    package init(phase: Phase, outcome: Outcome?) {
        switch phase {
        case .created, .queued: self = .pending
        case .blocked: self = .blocked
        case .starting, .running, .unreachable, .stopping: self = .running
        case .finished:
            switch outcome {
            case .success: self = .success
            case .warning: self = .warning
            case .cancelled: self = .cancelled
            case .skipped: self = .skipped
            case .failed, .invalid, .timedOut, .lost, .error, nil: self = .failed
            }
        }
    }
}

/// What is known of an attempt's stored log when its end is committed.
package enum LogState: String, Codable, Sendable, CaseIterable {
    /// Still growing, or not yet agreed on.
    case open
    /// Stored length and hash are what the agent said.
    case complete
    /// The stored bytes do not have the hash that the agent named, also after one resend.
    case damaged
    /// Bytes are missing; the holes are marked.
    case incomplete
}
