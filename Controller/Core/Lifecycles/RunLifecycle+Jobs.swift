package import AnsFlowProtocol

// What a job passes before it has an agent: needs and condition, then its approval, then its group, then the queue.
extension RunLifecycle {
    /// Takes jobs whose needs have finished through their gates, until nothing more follows; then ends the run.
    mutating func advanceJobs(now: Int64, clock: Int64, _ actions: inout [Action]) {
        guard !isFinished, !isHeld || isStopping else { return }
        while let job = readyJobs.min() {
            readyJobs.remove(job)
            guard jobs[job].row.phase == .blocked else { continue }
            decide(job, now: now, clock: clock, &actions)
        }
        if unfinishedJobs == 0 { finishRun(now: now, &actions) }
    }

    private mutating func decide(_ job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        if isStopping { return endJob(job, .cancelled, cause: stopCause, now: now, &actions) }
        var needed = Needed()
        for need in topology.jobNeeds[job] {
            let row = jobs[need.to].row
            needed.add(phase: row.phase, outcome: row.outcome, cause: row.cause, allowFailure: need.allowFailure)
        }
        guard holds(plan.jobs[job].condition, job: job, step: nil, needed: needed) else {
            return endJob(
                job, .skipped, cause: needed.success ? .conditionFalse : .upstreamFailed, now: now, &actions)
        }
        guard let gate = plan.jobs[job].approval else { return wantGroup(job, now: now, clock: clock, &actions) }
        let (run, id) = (row.id, jobs[job].row.id)
        let deadline = clock + Int64(gate.expiresMs)
        modifyApproval(job) { $0 = ApprovalRow(run: run, job: id, askedAt: now, deadline: deadline) }
        modifyJob(job) { $0.row.message = gate.message }
        if row.deadline < deadline + Int64(plan.timeoutMs) { restartClock(at: deadline) }
    }

    mutating func wantGroup(_ job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        guard jobs[job].row.group != nil else { return queue(job, now: now, clock: clock, &actions) }
        modifyJob(job) { $0.row.groupSince = clock }
        actions.append(.wantsGroup(job))
    }

    /// The job has its group.
    package mutating func jobAdmitted(_ job: Int, now: Int64, clock: Int64) -> [Action] {
        guard jobs[job].awaitsGroup else { return [] }
        var actions: [Action] = []
        queue(job, now: now, clock: clock, &actions)
        return actions
    }

    mutating func queue(_ job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        modifyJob(job) { state in
            if state.row.retryAt == nil { state.row.message = nil }
            state.row.phase = .queued
            state.row.retryAt = nil
            state.row.queuedAt = now
            state.row.queuedSince = clock
            state.row.deadline = clock + EngineLimits.queuedMsMax
        }
        actions.append(.jobQueued(job))
    }

    /// Another job of its group, or another run, takes the place of this job.
    package mutating func jobSuperseded(_ job: Int, by text: String, now: Int64, clock: Int64) -> [Action] {
        guard !jobs[job].isFinished, !jobs[job].isStopping, !jobs[job].isCleaning else { return [] }
        var actions: [Action] = []
        stopJob(
            job, cause: .superseded, reason: .superseded, message: "superseded by \(text)", now: now, clock: clock,
            &actions)
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }

    /// The job's agent will never come back, or has lost the job's workspace. Nothing of the job is live any more.
    package mutating func jobLost(
        _ job: Int, cause: Cause, message: String, now: Int64, clock: Int64
    ) -> [Action] {
        guard jobs[job].isUnderWay, jobs[job].liveSteps == 0 else { return [] }
        let cleaning = jobs[job].isCleaning
        if !cleaning, !jobs[job].isStopping {
            modifyJob(job) {
                $0.row.phase = .stopping
                $0.row.cause = cause
                $0.row.message = message
            }
        }
        for step in jobs[job].steps.indices where jobs[job].steps[step].row.phase != .finished {
            let clean = plan.jobs[job].steps[step].stage == .finally
            modifyStep(job, step) {
                $0.row.finish(clean ? .skipped : .cancelled, cause: cause, message: message, at: now)
            }
        }
        var actions: [Action] = []
        conclude(job, now: now, clock: clock, &actions)
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }
}
