import AnsFlowProtocol

// The steps of a job that has an agent: the body, then what collects, then clean-up.
extension RunLifecycle {
    /// Takes an attempt's end over to its step: another attempt where the agent never started it or its rule says so, else the
    /// step's end.
    ///
    /// What never started costs no retry budget. The first repetition comes at once, as for an agent that was restarted; each
    /// further one waits, since the agent may be full of what it can't end, or draining.
    mutating func stepAttemptEnded(
        _ attempt: AttemptRow, at place: StepPlace, now: Int64, clock: Int64, _ actions: inout [Action]
    ) {
        let step = plan.jobs[place.job].steps[place.step]
        // Clean-up goes on also where its job is being stopped; an attempt that was told to stop itself is over.
        let stopping =
            attempt.stopReason != nil || step.stage != .finally && (jobs[place.job].isStopping || isStopping)
        if attempt.cause == .neverStarted, !stopping {
            modifyStep(place.job, place.step) { $0.row.phase = .queued }
            if attempt.number > 1 { actions.append(.postponed(place.job)) }
            actions.append(.start(job: place.job, step: place.step))
            return
        }
        // What was stopped before it began has not failed.
        var outcome = attempt.cause == .neverStarted ? .cancelled : attempt.outcome ?? .lost
        let done = jobs[place.job].steps[place.step].row.retries
        if !stopping, let retry = step.retry, done < retry.max,
            retry.covers(outcome: outcome, cause: attempt.cause, exitCode: attempt.exitCode)
        {
            let delay = Int64(retry.delayMs(before: done + 1))
            modifyStep(place.job, place.step) { state in
                state.row.phase = .queued
                state.row.retries += 1
                state.row.retryAt = delay > 0 ? Self.retryTime(clock, delay) : nil
                state.row.exitCode = attempt.exitCode
                state.row.message = "attempt \(attempt.number) \(attempt.summary); it is tried again"
            }
            if delay == 0 { actions.append(.start(job: place.job, step: place.step)) }
            return
        }
        if outcome.isFailure, !stopping, step.allowFailure.allows(exitCode: attempt.exitCode) { outcome = .warning }
        modifyStep(place.job, place.step) { state in
            state.row.startedAt = state.row.startedAt ?? attempt.startedAt
            state.row.exitCode = attempt.exitCode
            state.row.finish(outcome, cause: attempt.cause, message: attempt.message, at: now)
        }
    }

    /// Begins, skips or ends the steps of a job that has an agent, until nothing more follows; then ends the job.
    mutating func advanceSteps(of job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        guard jobs[job].isUnderWay else { return }
        advanceBody(of: job, now: now, &actions)
        guard jobs[job].unfinished.body == 0 else { return }
        collect(job, now: now, &actions)
        guard jobs[job].unfinished.collect == 0 else { return }
        cleanUp(job, now: now, &actions)
        guard jobs[job].unfinished.finally == 0 else { return }
        conclude(job, now: now, clock: clock, &actions)
        advanceJobs(now: now, clock: clock, &actions)
    }

    private mutating func advanceBody(of job: Int, now: Int64, _ actions: inout [Action]) {
        while jobs[job].busy < plan.jobs[job].parallel, let step = jobs[job].ready.popLast() {
            let needed = self.needed(by: step, of: job)
            if holds(plan.jobs[job].steps[step].condition, job: job, step: step, needed: needed) {
                modifyStep(job, step) { $0.row.phase = .queued }
                actions.append(.start(job: job, step: step))
            } else {
                let cause: Cause = needed.success ? .conditionFalse : .upstreamFailed
                modifyStep(job, step) { $0.row.finish(.skipped, cause: cause, message: nil, at: now) }
            }
        }
    }

    private func needed(by step: Int, of job: Int) -> Needed {
        var needed = Needed()
        for need in topology.stepNeeds[job][step] {
            let row = jobs[job].steps[need.to].row
            needed.add(phase: row.phase, outcome: row.outcome, cause: row.cause, allowFailure: need.allowFailure)
        }
        return needed
    }

    /// Keeps what is to be kept with this result of the body. Not of a job that is being stopped, nor of one whose agent was lost.
    private mutating func collect(_ job: Int, now: Int64, _ actions: inout [Action]) {
        guard jobs[job].unfinished.collect > 0 else { return }
        let work = self.work(of: job)
        let fits = jobs[job].hasBegun && work.outcome != .lost && !jobs[job].isStopping
        let needed = Needed(success: work.outcome.satisfies, failure: work.outcome.isFailure)
        for step in topology.stages[job][.collect] ?? [] where jobs[job].steps[step].row.phase == .blocked {
            let plan = plan.jobs[job].steps[step]
            let wanted =
                switch plan.action {
                case .storeArtifacts(let rules, let reports):
                    !reports.isEmpty || rules.contains { $0.when.applies(to: work.outcome) }
                default: true
                }
            // Without a condition it runs whatever the body's result is.
            let agrees = plan.condition == nil || holds(plan.condition, job: job, step: step, needed: needed)
            if fits, wanted, agrees {
                modifyStep(job, step) { $0.row.phase = .queued }
                actions.append(.start(job: job, step: step))
            } else {
                modifyStep(job, step) { $0.row.finish(.skipped, cause: .conditionFalse, message: nil, at: now) }
            }
        }
    }

    /// Starts the next step of `finally`, or skips what is left of it.
    private mutating func cleanUp(_ job: Int, now: Int64, _ actions: inout [Action]) {
        guard jobs[job].unfinished.finally > 0 else { return }
        showWork(of: job)
        let steps = topology.stages[job][.finally] ?? []
        let lost = jobs[job].hasLost
        for step in steps {
            let row = jobs[job].steps[step].row
            if row.phase == .finished { continue }
            if row.phase != .blocked { return }
            if lost || !jobs[job].hasBegun {
                modifyStep(job, step) {
                    $0.row.finish(
                        .skipped, cause: lost ? .agentLost : .conditionFalse,
                        message: lost ? "its agent, or the step before it, was lost" : "nothing of the job had begun",
                        at: now)
                }
                continue
            }
            guard holdsFinally(step, of: job) else {
                modifyStep(job, step) { $0.row.finish(.skipped, cause: .conditionFalse, message: nil, at: now) }
                continue
            }
            modifyStep(job, step) { $0.row.phase = .queued }
            actions.append(.start(job: job, step: step))
            return
        }
    }

    /// Ends what of a job has not begun and stops what has. Clean-up is neither, unless `skipFinally`.
    mutating func stopJob(
        _ job: Int, cause: Cause, reason: StopReason, message: String? = nil, skipFinally: Bool = false, now: Int64,
        clock: Int64, _ actions: inout [Action]
    ) {
        switch jobs[job].row.phase {
        case .created, .blocked:
            endJob(job, .cancelled, cause: cause, message: message, now: now, &actions)
        case .queued:
            actions.append(.jobUnqueued(job))
            endJob(job, .cancelled, cause: cause, message: message, now: now, &actions)
        case .starting, .running, .unreachable:
            // What has done its work keeps its result.
            if !jobs[job].isCleaning {
                modifyJob(job) {
                    $0.row.phase = .stopping
                    $0.row.cause = cause
                    $0.row.message = message
                    $0.row.deadline = nil
                }
                stopSteps(of: job, [.body, .collect], reason, cause, now: now, clock: clock, &actions)
            }
            if skipFinally { self.skipFinally(of: job, reason, cause, now: now, clock: clock, &actions) }
            advanceSteps(of: job, now: now, clock: clock, &actions)
        case .stopping:
            guard skipFinally else { return }
            self.skipFinally(of: job, reason, cause, now: now, clock: clock, &actions)
            advanceSteps(of: job, now: now, clock: clock, &actions)
        case .finished: break
        }
    }

    private mutating func skipFinally(
        of job: Int, _ reason: StopReason, _ cause: Cause, now: Int64, clock: Int64, _ actions: inout [Action]
    ) {
        stopSteps(of: job, [.finally], reason, cause, now: now, clock: clock, &actions)
    }

    private mutating func stopSteps(
        of job: Int, _ stages: [StepPlan.Stage], _ reason: StopReason, _ cause: Cause, now: Int64, clock: Int64,
        _ actions: inout [Action]
    ) {
        for stage in stages {
            for step in topology.stages[job][stage] ?? [] {
                let state = jobs[job].steps[step]
                if state.isLive {
                    // Not through ``attempt(at:now:clock:_:)``, which would go on with the job in between.
                    guard var attempt = state.attempt, case .stop(let why) = attempt.stop(reason) else { continue }
                    modifyStep(job, step) {
                        $0.attempt = attempt
                        $0.row.phase = attempt.row.phase
                    }
                    actions.append(.stop(attempt.row.id, why))
                } else if state.row.phase != .finished {
                    modifyStep(job, step) { $0.row.finish(.cancelled, cause: cause, message: nil, at: now) }
                }
            }
        }
    }
}

extension JobState {
    /// Whether a step of the newest attempt's body was given to the agent and not refused.
    var hasBegun: Bool {
        guard let id = attempt?.id else { return false }
        return steps.contains { state in
            guard let attempt = state.attempt?.row, attempt.jobAttempt == id else { return false }
            return attempt.startedAt != nil
        }
    }

    /// Whether a step of the newest attempt was lost.
    var hasLost: Bool {
        guard let id = attempt?.id else { return false }
        return steps.contains { $0.attempt?.row.jobAttempt == id && $0.attempt?.row.outcome == .lost }
    }
}

extension ArtifactRule.When {
    /// Whether a rule holds with this result of the job's body.
    func applies(to outcome: Outcome) -> Bool {
        switch self {
        case .always: true
        case .success: outcome == .success || outcome == .warning || outcome == .skipped
        case .failure: outcome.isFailure
        }
    }
}
