import AnsFlowProtocol
import ControllerCore

/// Ends in a transaction as words of ``StateTable``: `job cancelled superseded`.
enum StateWords {
    static func ends(in batch: CommitBatch) -> Set<String> {
        var words: Set<String> = []
        func add(_ level: String, _ outcome: Outcome?, _ cause: Cause?) {
            words.insert([level, outcome?.rawValue, cause?.rawValue].compactMap(\.self).joined(separator: " "))
        }
        for row in batch.runs where row.phase == .finished { add("run", row.outcome, row.cause) }
        for row in batch.jobs where row.phase == .finished { add("job", row.outcome, row.cause) }
        for row in batch.steps where row.phase == .finished { add("step", row.outcome, row.cause) }
        for row in batch.attempts where row.phase == .finished { add("attempt", row.outcome, row.cause) }
        return words
    }

    /// What the short form's storms must reach, so that a simulator that has lost its teeth is seen.
    static let storms: Set<String> = [
        "run success", "run warning", "run failed step_failed", "run failed agent_lost",
        "run failed agent_state_lost", "run cancelled cancelled_by_user", "run cancelled superseded",
        "run cancelled approval_declined", "run cancelled approval_expired",
        "job success", "job success reused", "job warning", "job warning reused", "job warning agent_lost",
        "job warning agent_state_lost", "job warning cleanup_failed", "job warning step_failed",
        "job failed step_failed", "job lost agent_lost", "job lost agent_state_lost",
        "job cancelled cancelled_by_user", "job cancelled superseded", "job cancelled approval_declined",
        "job cancelled approval_expired", "job skipped upstream_failed",
        "step success exit", "step success reused", "step warning agent_lost", "step warning agent_state_lost",
        "step warning config", "step warning exit", "step warning reused", "step failed exit",
        "step lost agent_lost", "step lost agent_state_lost", "step lost force_cancelled", "step error config",
        "step cancelled agent_state_lost", "step cancelled approval_declined", "step cancelled approval_expired",
        "step cancelled cancelled_by_user", "step cancelled never_started", "step cancelled superseded",
        "step skipped agent_lost", "step skipped agent_state_lost", "step skipped condition_false",
        "step skipped upstream_failed",
        "attempt success exit", "attempt failed exit", "attempt lost agent_lost", "attempt lost agent_state_lost",
        "attempt lost force_cancelled", "attempt error config", "attempt error never_started",
        "attempt cancelled cancelled_by_user", "attempt cancelled never_started",
    ]
}
