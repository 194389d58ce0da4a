package import AnsFlowProtocol

/// What the log store says of an attempt's bytes, measured against what the agent said of them.
package enum LogVerdict: Equatable, Sendable {
    case complete(LogSummary)
    /// Not all bytes are durable yet.
    case waiting(next: UInt64)
    /// All bytes are there and have another hash, or there are more than the agent knows of.
    case mismatch(LogSummary)
    /// The log can't be read or written at all.
    case failed(LogSummary)
}

/// The end of one attempt's output on the controller: FINISH waits here until its log is agreed on, and never for ever.
///
/// No fault of a log withholds a terminal state: a wrong hash gets one resend from the start and then stands as damaged; bytes
/// that don't come while the agent repeats its FINISH are given up and counted as missing.
package struct LogReception: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case none
        /// Compare the stored bytes with what this FINISH says; answer with ``verified(_:)``.
        case verify(Finish)
        /// Throw the stored bytes away and ask for all of them again.
        case resend(AttemptID)
        /// Hand the end to the engine.
        case settle(Finish, LogSummary)
    }

    /// FINISH comes about every 10 s until FORGET: this many without a new byte are enough.
    static let stalledMax = 6

    private var pending: Finish?
    private var verifying = false
    private var resent = false
    private var stalled = 0
    private var lastNext: UInt64 = 0
    /// The furthest byte that was said to be durable.
    private var durableNext: UInt64 = 0

    package init() {}

    package var isWaiting: Bool { pending != nil }

    /// - Parameter next: the first byte that is not held, durable or not.
    package mutating func finishCame(_ finish: Finish, next: UInt64) -> Action {
        if pending != nil, next == lastNext { stalled += 1 } else { stalled = 0 }
        lastNext = next
        pending = finish
        guard !verifying else { return .none }
        if stalled >= Self.stalledMax {
            return settle(
                LogSummary(
                    state: .incomplete, bytes: next, lines: 0,
                    dropped: finish.log.total > next ? finish.log.total - next : nil))
        }
        verifying = true
        return .verify(finish)
    }

    /// More bytes are durable.
    package mutating func durable(_ next: UInt64) -> Action {
        durableNext = max(durableNext, next)
        guard let finish = pending, !verifying, next >= finish.log.total else { return .none }
        verifying = true
        return .verify(finish)
    }

    package mutating func verified(_ verdict: LogVerdict) -> Action {
        guard verifying, let finish = pending else { return .none }
        verifying = false
        switch verdict {
        case .waiting(let next):
            // The last bytes came while the others were compared.
            guard durableNext > next, durableNext >= finish.log.total else { return .none }
            // Once for each word of the store: it can't make this go in circles.
            durableNext = 0
            verifying = true
            return .verify(finish)
        case .complete(var summary):
            // What nobody can count, or vouch for, is not called complete.
            if finish.log.dropped == nil || finish.log.sha256 == nil { summary.state = .incomplete }
            summary.dropped = finish.log.dropped
            return settle(summary)
        case .failed(let summary): return settle(summary)
        case .mismatch(var summary):
            if !resent {
                resent = true
                durableNext = 0
                stalled = 0
                return .resend(finish.attempt)
            }
            summary.state = .damaged
            return settle(summary)
        }
    }

    private mutating func settle(_ summary: LogSummary) -> Action {
        guard let finish = pending else { return .none }
        pending = nil
        return .settle(finish, summary)
    }
}
