import AnsFlowProtocol

/// Every word that crosses the wire as a reason, cause, state or verdict, as the agents that are out there say and read it. A word is
/// never taken out of here and never renamed; a new case gets its line.
enum WordSamples {
    static let results: [AttemptResult: String] = [
        .success: "success", .failed: "failed", .cancelled: "cancelled", .timedOut: "timed_out", .lost: "lost",
        .error: "error",
    ]

    static let causes: [Cause: String] = [
        .exit: "exit", .signal: "signal", .timeout: "timeout", .oom: "oom", .unkillable: "unkillable",
        .config: "config", .queueTimeout: "queue_timeout", .approvalExpired: "approval_expired",
        .approvalDeclined: "approval_declined", .groupTimeout: "group_timeout", .agentLost: "agent_lost",
        .agentStateLost: "agent_state_lost", .agentRevoked: "agent_revoked", .agentGone: "agent_gone",
        .deadlinePassed: "deadline_passed", .neverStarted: "never_started", .cancelledByUser: "cancelled_by_user",
        .forceCancelled: "force_cancelled", .superseded: "superseded", .upstreamFailed: "upstream_failed",
        .conditionFalse: "condition_false", .startFailed: "start_failed", .stepFailed: "step_failed",
        .reused: "reused", .cleanupFailed: "cleanup_failed",
    ]

    static let stops: [StopReason: String] = [
        .cancel: "cancel", .timeout: "timeout", .revoked: "revoked", .superseded: "superseded", .ended: "ended",
    ]

    static let states: [Hello.AttemptState: String] = [
        .accepted: "accepted", .running: "running", .exited: "exited", .lost: "lost", .neverStarted: "never_started",
    ]

    static let containments: [Hello.Containment: String] = [.cgroup2: "cgroup2", .bestEffort: "best_effort"]

    static let verdicts: [Welcome.Verdict: String] = [
        .proceed: "continue", .start: "start", .stop: "stop", .forget: "forget", .orphan: "orphan",
    ]

    static let shells: [StepSpec.Shell: String] = [.sh: "sh", .bash: "bash"]

    static let refusals: [EnrolRefusal.Code: String] = [
        .malformed: "malformed", .token: "token_refused", .unknownKey: "unknown_key", .revoked: "revoked",
        .conflict: "conflict", .slowDown: "slow_down", .unavailable: "unavailable",
    ]

    static let closes: [CloseCode: UInt16] = [
        .normal: 1000, .goingAway: 1001, .malformed: 4400, .notAuthenticated: 4401, .revoked: 4403, .version: 4406,
        .silence: 4408, .identityConflict: 4409, .generation: 4412, .slowDown: 4429, .replaced: 4499,
        .notWritable: 4503,
    ]
}
