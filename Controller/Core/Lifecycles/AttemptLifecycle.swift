package import AnsFlowProtocol

/// What the log store found when an attempt's output had ended.
package struct LogSummary: Equatable, Sendable {
    package var state: LogState
    package var bytes: UInt64
    package var lines: UInt64
    package var sha256: String?
    /// Bytes that were written and not stored; nil where nobody can know.
    package var dropped: UInt64?

    package init(state: LogState, bytes: UInt64, lines: UInt64, sha256: String? = nil, dropped: UInt64? = 0) {
        self.state = state
        self.bytes = bytes
        self.lines = lines
        self.sha256 = sha256
        self.dropped = dropped
    }
}

/// One assignment of a step, from its commit to its end. When it has ended it never changes again.
///
/// ```
///   starting ──STARTED──▶ running ──FINISH──▶ finished
///      │  ╲                 │  ╲
///      │   unreachable ◀────┘   ╲──stop──▶ stopping ──FINISH──▶ finished
///      └──FINISH(never started), lost──────────────────────────▶ finished
/// ```
package struct AttemptLifecycle: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// The event says nothing new.
        case none
        case changed
        /// Tell the agent to stop it. Also the answer to a second stop: telling twice changes nothing.
        case stop(StopReason)
        case ended
    }

    package private(set) var row: AttemptRow

    package init(_ row: AttemptRow) {
        self.row = row
    }

    package var isLive: Bool { row.outcome == nil }
    package var isStopping: Bool { row.stopReason != nil }

    /// START was sent, perhaps again.
    ///
    /// - Parameter deadline: when it has surely ended on a silent host, by the engine's clock.
    package mutating func startSent(deadline: Int64) -> Action {
        guard isLive, row.startedAt == nil else { return .none }
        row.deadline = deadline
        return .changed
    }

    package mutating func started(at now: Int64) -> Action {
        guard isLive, row.startedAt == nil else { return .none }
        row.startedAt = now
        row.phase = reachablePhase
        return .changed
    }

    /// Its agent has been silent for a while. Silence ends nothing.
    package mutating func becameUnreachable() -> Action {
        guard isLive, row.phase != .unreachable else { return .none }
        row.phase = .unreachable
        return .changed
    }

    package mutating func becameReachable() -> Action {
        guard isLive, row.phase == .unreachable else { return .none }
        row.phase = reachablePhase
        return .changed
    }

    /// The first reason stays.
    package mutating func stop(_ reason: StopReason) -> Action {
        guard isLive else { return .none }
        if row.stopReason == nil {
            row.stopReason = reason
            if row.phase != .unreachable { row.phase = .stopping }
        }
        return .stop(row.stopReason ?? reason)
    }

    package mutating func finished(_ finish: Finish, log: LogSummary, at now: Int64) -> Action {
        guard isLive, finish.attempt == row.id else { return .none }
        row.exitCode = finish.exitCode
        row.signal = finish.signal
        row.usage = finish.usage
        row.outputs = finish.outputs
        end(Outcome(finish.result), cause: finish.cause, message: finish.message, at: now)
        settle(log)
        return .ended
    }

    /// Nobody can know how it ended, or it will never be told.
    package mutating func lost(_ cause: Cause, message: String?, at now: Int64) -> Action {
        guard isLive else { return .none }
        end(.lost, cause: cause, message: message, at: now)
        row.logState = .incomplete
        row.logDropped = nil
        return .ended
    }

    /// The agent refused to start it, or it could not be sent to one, for good.
    package mutating func declined(_ reason: String, cause: Cause = .startFailed, at now: Int64) -> Action {
        guard isLive, row.startedAt == nil else { return .none }
        if isStopping {
            end(.cancelled, cause: .neverStarted, message: reason, at: now)
        } else {
            end(.error, cause: cause, message: reason, at: now)
        }
        settle(LogSummary(state: .complete, bytes: 0, lines: 0))
        return .ended
    }

    private var reachablePhase: Phase {
        if isStopping { return .stopping }
        return row.startedAt == nil ? .starting : .running
    }

    private mutating func end(_ outcome: Outcome, cause: Cause, message: String?, at now: Int64) {
        row.phase = .finished
        row.outcome = outcome
        row.cause = cause
        row.message = message
        row.finishedAt = now
    }

    private mutating func settle(_ log: LogSummary) {
        row.logState = log.state
        row.logBytes = log.bytes
        row.logLines = log.lines
        row.logSHA256 = log.sha256
        row.logDropped = log.dropped
    }
}

extension Outcome {
    init(_ result: AttemptResult) {
        switch result {
        case .success: self = .success
        case .failed: self = .failed
        case .cancelled: self = .cancelled
        case .timedOut: self = .timedOut
        case .lost: self = .lost
        case .error: self = .error
        }
    }
}
