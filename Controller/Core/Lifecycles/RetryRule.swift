import AnsFlowProtocol

extension RetryPlan {
    /// Whether an attempt that ended so is tried again by this rule, as far as its reasons go.
    ///
    /// An attempt that was lost is never one of these: losing an agent belongs to the job.
    func covers(outcome: Outcome, cause: Cause?, exitCode: Int32?) -> Bool {
        switch (outcome, cause) {
        case (.failed, .exit): on.contains(.exit) && (exitCodes.isEmpty || exitCode.map(exitCodes.contains) ?? false)
        case (.failed, .signal): on.contains(.exit) && exitCodes.isEmpty
        case (.failed, .oom): on.contains(.oom)
        case (.timedOut, _): on.contains(.timeout)
        default: false
        }
    }

    /// Whether the loss of a job's agent is a reason. A process that survived KILL may still be at work, and nobody wants a job
    /// again that was given up with its run.
    func coversLoss(_ cause: Cause?) -> Bool {
        on.contains(.agentLost) && cause != .unkillable && cause != .forceCancelled
    }
}
