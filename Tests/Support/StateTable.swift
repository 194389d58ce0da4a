/// The rows of the state table of `docs/pipeline-language.md` that have an end: who ended, its result, and the cause. Each is reached by a
/// history that is written for it, and no simulated storm ever reaches another.
package enum StateTable {
    /// `run cancelled superseded`; where there is no cause, two words.
    package static let ends: Set<String> = {
        var words: Set<String> = []
        for (end, causes) in table {
            for cause in causes.split(separator: " ") { words.insert(cause == "-" ? end : "\(end) \(cause)") }
        }
        return words
    }()

    private static let gone = "agent_gone agent_lost agent_revoked agent_state_lost"
    private static let losses = gone + " deadline_passed"

    private static let table: [(String, String)] = [
        // A whole run: what a job's end means for it, or what was done to it.
        ("run success", "-"),
        ("run warning", "-"),
        ("run failed", "step_failed timeout queue_timeout group_timeout config " + losses),
        ("run cancelled", "cancelled_by_user superseded approval_declined approval_expired"),
        ("run skipped", "-"),
        ("run invalid", "config"),
        // A job. `config`: its outputs are too many together. A queued job of a run whose time is over is cancelled.
        ("job success", "- reused"),
        (
            "job warning",
            "- reused cleanup_failed step_failed timeout queue_timeout group_timeout config " + losses
        ),
        ("job failed", "step_failed queue_timeout group_timeout"),
        ("job timed_out", "timeout"),
        ("job lost", losses),
        ("job error", "config"),
        (
            "job cancelled",
            "cancelled_by_user superseded approval_declined approval_expired timeout group_timeout"
        ),
        ("job skipped", "condition_false upstream_failed config"),
        // A step: its newest attempt's end, or what became of it without one.
        ("step success", "exit reused"),
        ("step warning", "exit signal oom timeout unkillable start_failed config reused " + losses),
        ("step failed", "exit signal oom unkillable"),
        ("step timed_out", "timeout unkillable"),
        ("step lost", "unkillable force_cancelled " + losses),
        ("step error", "start_failed config"),
        (
            "step cancelled",
            "cancelled_by_user superseded approval_declined approval_expired timeout queue_timeout group_timeout "
                + "never_started " + gone
        ),
        ("step skipped", "condition_false upstream_failed config " + gone),
        // One attempt of a step.
        ("attempt success", "exit"),
        ("attempt failed", "exit signal oom unkillable"),
        ("attempt timed_out", "timeout unkillable never_started"),
        ("attempt lost", "unkillable force_cancelled " + losses),
        ("attempt error", "start_failed config never_started"),
        ("attempt cancelled", "cancelled_by_user never_started"),
    ]
}
