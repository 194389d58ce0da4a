import AnsFlowProtocol

// How one end leads to the next beginning.
extension RunLifecycle {
    /// Takes an attempt's end over to its step: another attempt where the agent never started it, else the step's end.
    ///
    /// That costs no retry budget. The first repetition comes at once, as for an agent that was restarted; each further one
    /// waits, since the agent may be full of what it can't end, or draining.
    mutating func stepAttemptEnded(_ attempt: AttemptRow, at place: StepPlace, now: Int64, _ actions: inout [Action]) {
        let stopping = jobs[place.job].isStopping || isStopping
        if attempt.cause == .neverStarted, !stopping {
            modifyStep(place.job, place.step) { $0.row.phase = .queued }
            if attempt.number > 1 { actions.append(.postponed(place.job)) }
            return
        }
        let allowed = plan.jobs[place.job].steps[place.step].allowFailure.allows(exitCode: attempt.exitCode)
        var outcome = attempt.outcome ?? .lost
        if allowed, outcome.isFailure, !stopping { outcome = .warning }
        modifyStep(place.job, place.step) { step in
            step.row.startedAt = step.row.startedAt ?? attempt.startedAt
            step.row.exitCode = attempt.exitCode
            step.row.finish(outcome, cause: attempt.cause, message: attempt.message, at: now)
        }
    }

    /// Begins, skips or ends the steps of a job that has an agent, until nothing more follows; then ends the job.
    mutating func advanceSteps(of job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        guard jobs[job].row.phase == .running || jobs[job].row.phase == .stopping else { return }
        var moved = true
        while moved {
            moved = false
            for step in jobs[job].steps.indices {
                switch jobs[job].steps[step].row.phase {
                case .blocked:
                    if advance(step, of: job, now: now, &actions) { moved = true }
                case .queued where jobs[job].isStopping:
                    cancelStep(step, of: job, now: now)
                    moved = true
                case .queued where !actions.contains(.start(job: job, step: step)):
                    actions.append(.start(job: job, step: step))
                default: break
                }
            }
        }
        guard jobs[job].steps.allSatisfy({ $0.row.phase == .finished }) else { return }
        finishJob(job, now: now, &actions)
        advanceJobs(now: now, clock: clock, &actions)
    }

    /// Moves one blocked step if it can move.
    private mutating func advance(_ step: Int, of job: Int, now: Int64, _ actions: inout [Action]) -> Bool {
        if jobs[job].isStopping {
            cancelStep(step, of: job, now: now)
            return true
        }
        var needed = Needed()
        for need in topology.stepNeeds[job][step] {
            let row = jobs[job].steps[need].row
            needed.add(phase: row.phase, outcome: row.outcome, cause: row.cause)
        }
        guard needed.finished else { return false }
        let condition = plan.jobs[job].steps[step].condition
        if ConditionRule.holds(condition, in: context(job: job, step: step, needed: needed)) {
            let busy = jobs[job].steps.count { $0.isLive || $0.row.phase == .queued }
            guard busy < plan.jobs[job].parallel else { return false }
            modifyStep(job, step) { $0.row.phase = .queued }
            actions.append(.start(job: job, step: step))
        } else {
            let cause: Cause = needed.success ? .conditionFalse : .upstreamFailed
            modifyStep(job, step) { $0.row.finish(.skipped, cause: cause, message: nil, at: now) }
        }
        return true
    }

    private mutating func cancelStep(_ step: Int, of job: Int, now: Int64) {
        let cause = jobs[job].row.cause ?? stopCause
        modifyStep(job, step) { $0.row.finish(.cancelled, cause: cause, message: nil, at: now) }
    }

    /// Queues, skips or cancels jobs that wait for others, until nothing more follows; then ends the run.
    mutating func advanceJobs(now: Int64, clock: Int64, _ actions: inout [Action]) {
        guard !isFinished else { return }
        var moved = true
        while moved {
            moved = false
            for job in jobs.indices where jobs[job].row.phase == .blocked {
                if advance(job, now: now, clock: clock, &actions) { moved = true }
            }
        }
        if jobs.allSatisfy(\.isFinished) { finishRun(now: now, &actions) }
    }

    private mutating func advance(_ job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) -> Bool {
        var needed = Needed()
        for need in topology.jobNeeds[job] {
            let row = jobs[need].row
            needed.add(phase: row.phase, outcome: row.outcome, cause: row.cause)
        }
        if isStopping {
            finishJob(job, .cancelled, cause: stopCause, now: now, &actions)
            return true
        }
        guard needed.finished else { return false }
        if ConditionRule.holds(plan.jobs[job].condition, in: context(job: job, step: nil, needed: needed)) {
            modifyJob(job) { state in
                state.row.phase = .queued
                state.row.queuedAt = now
                state.row.queuedSince = clock
                state.row.deadline = clock + EngineLimits.queuedMsMax
            }
            actions.append(.jobQueued(job))
        } else {
            finishJob(
                job, .skipped, cause: needed.success ? .conditionFalse : .upstreamFailed, now: now, &actions)
        }
        return true
    }

    /// Ends what of a job has not begun and stops what has.
    mutating func stopJob(
        _ job: Int, cause: Cause, reason: StopReason, now: Int64, clock: Int64, _ actions: inout [Action]
    ) {
        switch jobs[job].row.phase {
        case .created, .blocked:
            finishJob(job, .cancelled, cause: cause, now: now, &actions)
        case .queued:
            actions.append(.jobUnqueued(job))
            finishJob(job, .cancelled, cause: cause, now: now, &actions)
        case .starting, .running, .unreachable:
            modifyJob(job) {
                $0.row.phase = .stopping
                $0.row.cause = cause
            }
            for step in jobs[job].steps.indices where jobs[job].steps[step].isLive {
                actions += attempt(at: StepPlace(job: job, step: step), now: now, clock: clock) { $0.stop(reason) }
            }
            advanceSteps(of: job, now: now, clock: clock, &actions)
        case .stopping, .finished: break
        }
    }

    private func context(job: Int, step: Int?, needed: Needed) -> ExpressionContext {
        let plan = self.plan.jobs[job]
        var needs: [String: String] = [:]
        for need in topology.jobNeeds[job] { needs[jobs[need].row.name] = jobs[need].row.outcome?.rawValue }
        var steps: [String: String] = [:]
        if step != nil {
            for state in jobs[job].steps { steps[state.row.name] = state.row.outcome?.rawValue }
        }
        return self.plan.expressionContext(
            job: plan, step: step.map { plan.steps[$0] }, needs: needs, steps: steps, success: needed.success,
            failure: needed.failure)
    }
}
