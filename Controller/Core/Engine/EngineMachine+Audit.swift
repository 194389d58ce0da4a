extension EngineMachine {
    /// Notes who started a run, in the run's own transaction: it costs no further sync of the disk.
    mutating func tell(of run: RunRow, _ request: RunRequest, again: Bool = false) {
        var entry =
            request.audit
            ?? AuditEntry(at: now, actor: .system, name: request.actor, operation: "createRun", status: nil)
        entry.objectType = "pipeline_run"
        entry.objectID = String(run.id.rawValue)
        entry.project = run.project
        entry.result = .success
        if again { entry.detail = "The run that the same Idempotency-Key had started." }
        newAudit.append(entry.bounded)
    }
}
