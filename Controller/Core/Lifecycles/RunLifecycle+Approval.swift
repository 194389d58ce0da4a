import AnsFlowProtocol

// Gates at which somebody's word is waited for.
extension RunLifecycle {
    /// Somebody said yes to a job, or to the whole run.
    package mutating func approve(
        _ job: Int?, by actor: String, inputs: [String: InputValue], reason: String?, now: Int64, clock: Int64
    ) -> [Action] {
        guard answer(job, .approved, by: actor, inputs: inputs, reason: reason, now: now) else { return [] }
        restartClock(at: clock)
        guard let job else { return enter(now: now, clock: clock) }
        modifyJob(job) { $0.row.message = nil }
        var actions: [Action] = []
        wantGroup(job, now: now, clock: clock, &actions)
        return actions
    }

    /// Somebody said no.
    package mutating func decline(
        _ job: Int?, by actor: String, reason: String?, now: Int64, clock: Int64
    ) -> [Action] {
        guard answer(job, .declined, by: actor, inputs: [:], reason: reason, now: now) else { return [] }
        let why = reason.map { ": \($0)" } ?? ""
        return closeGate(job, .approvalDeclined, "declined by \(actor)\(why)", now: now, clock: clock)
    }

    mutating func expireApproval(of job: Int?, now: Int64, clock: Int64) -> [Action] {
        guard answer(job, .expired, by: nil, inputs: [:], reason: nil, now: now) else { return [] }
        let limit = job.flatMap { plan.jobs[$0].approval?.expiresMs } ?? PlanLimits.approvalMsDefault
        return closeGate(
            job, .approvalExpired, "nobody approved it within \(TimeWords.words(limit))", now: now, clock: clock)
    }

    private mutating func closeGate(
        _ job: Int?, _ cause: Cause, _ message: String, now: Int64, clock: Int64
    ) -> [Action] {
        guard let job else { return stop(cause, message: message, now: now, clock: clock) }
        var actions: [Action] = []
        endJob(job, .cancelled, cause: cause, message: message, now: now, &actions)
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }

    private mutating func answer(
        _ job: Int?, _ state: ApprovalRow.State, by actor: String?, inputs: [String: InputValue], reason: String?,
        now: Int64
    ) -> Bool {
        guard (job.map { jobs[$0].approval } ?? approval)?.state == .waiting else { return false }
        modifyApproval(job) {
            $0?.state = state
            $0?.by = actor
            $0?.inputs = inputs
            $0?.reason = reason
            $0?.answeredAt = now
        }
        return true
    }
}
