package import AnsFlowProtocol

/// How an attempt ended on this host, before it is told to the controller.
package struct AttemptEnding: Equatable, Sendable {
    package var result: AttemptResult
    package var cause: Cause
    package var exitCode: Int32?
    package var signal: Int32?
    /// A masked sentence for people.
    package var message: String?
    package var usage: Usage
    /// Bytes that the spool holds.
    package var total: UInt64
    /// Bytes that the step wrote and the spool does not hold; `nil` where nobody can know.
    package var dropped: UInt64?
    package var outputs: [String: String]

    package init(
        result: AttemptResult, cause: Cause, exitCode: Int32? = nil, signal: Int32? = nil, message: String? = nil,
        usage: Usage = Usage(), total: UInt64, dropped: UInt64?, outputs: [String: String] = [:]
    ) {
        self.result = result
        self.cause = cause
        self.exitCode = exitCode
        self.signal = signal
        self.message = message
        self.usage = usage
        self.total = total
        self.dropped = dropped
        self.outputs = outputs
    }

    /// The attempt's start file was claimed before any shim made it: it never ran and never will.
    ///
    /// - Parameter stop: Why it was stopped; `nil` where the time to start it had passed or the agent was restarted.
    package static func neverStarted(stop: StopReason?) -> AttemptEnding {
        let result: AttemptResult =
            switch stop {
            case nil: .error
            case .timeout: .timedOut
            case .cancel, .revoked, .superseded, .ended: .cancelled
            }
        return AttemptEnding(result: result, cause: .neverStarted, total: 0, dropped: 0)
    }

    /// It can't be run on this host as it was asked for, and was not started.
    static func unable(_ reason: String) -> AttemptEnding {
        AttemptEnding(result: .error, cause: .startFailed, message: reason, total: 0, dropped: 0)
    }

    /// It was started, and what would have known its end is gone.
    package static func lost(spooled: UInt64, message: String) -> AttemptEnding {
        AttemptEnding(result: .lost, cause: .agentLost, message: message, total: spooled, dropped: nil)
    }

    package var isNeverStarted: Bool { cause == .neverStarted }

    /// Whether processes of the attempt are still there, which keeps its slot closed.
    var leavesProcesses: Bool { cause == .unkillable }

    /// The state that HELLO gives for it.
    var helloState: Hello.AttemptState {
        if isNeverStarted { return .neverStarted }
        return result == .lost ? .lost : .exited
    }
}
