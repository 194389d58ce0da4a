package import AnsFlowProtocol

// What happens to a run from outside. `now` is the wall clock in ms, for people; `clock` the engine's.
extension RunLifecycle {
    /// The run was made: whatever needs nothing becomes ready, unless the whole run has to wait.
    package mutating func begin(now: Int64, clock: Int64) -> [Action] {
        guard plan.facts.trusted || plan.facts.skipsApproval else {
            let deadline = clock + Int64(PlanLimits.approvalMsDefault)
            let run = row.id
            modifyRun { $0.phase = .blocked }
            modifyApproval(nil) { $0 = ApprovalRow(run: run, askedAt: now, deadline: deadline) }
            restartClock(at: deadline)
            return []
        }
        return enter(now: now, clock: clock)
    }

    /// Wants its group, or begins where it has none.
    mutating func enter(now: Int64, clock: Int64) -> [Action] {
        guard let group = plan.concurrency?.group else { return open(now: now, clock: clock) }
        modifyRun {
            $0.phase = .blocked
            $0.group = group
            $0.groupSince = clock
        }
        restartClock(at: clock + EngineLimits.groupMsMax)
        return [.wantsGroup(nil)]
    }

    private mutating func open(now: Int64, clock: Int64) -> [Action] {
        modifyRun { $0.phase = .queued }
        var actions: [Action] = []
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }

    /// What the run waits for by its own wish does not count against its timeout.
    mutating func restartClock(at clock: Int64) {
        let deadline = clock + Int64(plan.timeoutMs)
        modifyRun { $0.deadline = deadline }
    }

    /// The whole run has its group.
    package mutating func admitted(now: Int64, clock: Int64) -> [Action] {
        guard awaitsGroup else { return [] }
        restartClock(at: clock)
        return open(now: now, clock: clock)
    }

    /// An agent was found for a queued job.
    package mutating func assigned(
        _ job: Int, to agent: AgentID, attempt: JobAttemptID, now: Int64, clock: Int64
    ) -> [Action] {
        guard jobs[job].row.phase == .queued, jobs[job].row.retryAt == nil, !isStopping else { return [] }
        let timeout = Int64(plan.jobs[job].timeoutMs)
        let run = row.id
        modifyJob(job) { state in
            state.row.attempts += 1
            state.row.phase = .running
            state.row.message = nil
            state.row.attempt = attempt
            state.row.agent = agent
            state.row.startedAt = now
            state.row.deadline = clock + timeout
            state.attempt = JobAttemptRow(
                id: attempt, job: state.row.id, run: run, agent: agent, number: state.row.attempts, startedAt: now)
        }
        if row.phase == .queued {
            modifyRun {
                $0.phase = .running
                $0.startedAt = now
            }
        }
        var actions: [Action] = []
        advanceSteps(of: job, now: now, clock: clock, &actions)
        return actions
    }

    /// Its agent starts nothing of a job now: the job goes back to the queue, unless some of it has begun there.
    package mutating func giveBack(_ job: Int, now: Int64, clock: Int64) -> [Action] {
        let untouched = jobs[job].steps.allSatisfy {
            $0.row.phase == .blocked || $0.row.phase == .queued && $0.row.retries == 0
        }
        guard jobs[job].row.phase == .running, untouched else { return [] }
        for step in jobs[job].steps.indices where jobs[job].steps[step].row.phase == .queued {
            modifyStep(job, step) { $0.row.phase = .blocked }
        }
        modifyJob(job) { state in
            state.attempt?.outcome = .error
            state.attempt?.cause = .neverStarted
            state.attempt?.finishedAt = now
            state.row.phase = .queued
            state.row.agent = nil
            state.row.startedAt = nil
            // The wait goes on: its limit and its age count from when the job first became ready.
            state.row.deadline = (state.row.queuedSince ?? clock) + EngineLimits.queuedMsMax
        }
        return [.jobEnded(job), .jobQueued(job)]
    }

    /// The engine has committed itself to an attempt that ``Action/start(job:step:)`` asked for.
    package mutating func attemptMade(_ attempt: AttemptRow, at place: StepPlace) {
        modifyStep(place.job, place.step) { step in
            step.row.attempts += 1
            step.row.attempt = attempt.id
            step.row.phase = .starting
            step.row.outcome = nil
            step.row.cause = nil
            step.row.message = nil
            step.attempt = AttemptLifecycle(attempt)
        }
    }

    /// A step that can't be started as it is: its values are only known now.
    package mutating func stepRefused(_ place: StepPlace, message: String, now: Int64, clock: Int64) -> [Action] {
        guard jobs[place.job].steps[place.step].row.phase == .queued else { return [] }
        let outcome: Outcome = plan.jobs[place.job].steps[place.step].allowFailure == .always ? .warning : .error
        modifyStep(place.job, place.step) { $0.row.finish(outcome, cause: .config, message: message, at: now) }
        var actions: [Action] = []
        advanceSteps(of: place.job, now: now, clock: clock, &actions)
        return actions
    }

    /// Something happened to a step's newest attempt. Events of older attempts never come here: their rows are final.
    package mutating func attempt(
        at place: StepPlace, now: Int64, clock: Int64, _ event: (inout AttemptLifecycle) -> AttemptLifecycle.Action
    ) -> [Action] {
        guard var attempt = jobs[place.job].steps[place.step].attempt else { return [] }
        let action = event(&attempt)
        var actions: [Action] = []
        switch action {
        case .none: return []
        case .changed:
            mirror(attempt, at: place)
        case .stop(let reason):
            mirror(attempt, at: place)
            actions.append(.stop(attempt.row.id, reason))
        case .ended:
            mirror(attempt, at: place)
            actions.append(.attemptEnded(attempt.row.id))
            stepAttemptEnded(attempt.row, at: place, now: now, clock: clock, &actions)
            advanceSteps(of: place.job, now: now, clock: clock, &actions)
        }
        return actions
    }

    /// A wait has come to its end.
    package mutating func timeCame(now: Int64, clock: Int64) -> [Action] {
        guard !isFinished else { return [] }
        if awaitsApproval, let deadline = approval?.deadline, deadline <= clock {
            return expireApproval(of: nil, now: now, clock: clock)
        }
        if awaitsGroup, let since = row.groupSince, since + EngineLimits.groupMsMax <= clock {
            return stop(.groupTimeout, message: groupMessage(row.group), now: now, clock: clock)
        }
        if row.deadline <= clock, !isStopping {
            let limit = TimeWords.words(plan.timeoutMs)
            return stop(.timeout, message: "the run took longer than its timeout of \(limit)", now: now, clock: clock)
        }
        var actions: [Action] = []
        for job in jobs.indices where !jobs[job].isFinished { timeCame(job, now: now, clock: clock, &actions) }
        return actions
    }

    private mutating func timeCame(_ job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        let state = jobs[job]
        if state.awaitsApproval, let deadline = state.approval?.deadline, deadline <= clock {
            actions += expireApproval(of: job, now: now, clock: clock)
        } else if state.awaitsGroup, let since = state.row.groupSince, since + EngineLimits.groupMsMax <= clock {
            endJob(job, .failed, cause: .groupTimeout, message: groupMessage(state.row.group), now: now, &actions)
            advanceJobs(now: now, clock: clock, &actions)
        } else if let at = state.row.retryAt, at <= clock, state.row.phase == .queued {
            queue(job, now: now, clock: clock, &actions)
        } else if let deadline = state.row.deadline, deadline <= clock {
            actions += jobExpired(job, now: now, clock: clock)
        }
        guard jobs[job].isUnderWay else { return }
        for step in jobs[job].steps.indices {
            guard let at = jobs[job].steps[step].row.retryAt, at <= clock else { continue }
            modifyStep(job, step) { $0.row.retryAt = nil }
            actions.append(.start(job: job, step: step))
        }
    }

    private func groupMessage(_ group: String?) -> String {
        "it waited \(TimeWords.words(UInt64(EngineLimits.groupMsMax))) for the concurrency group \(group ?? "")"
    }

    /// A job's wait for an agent, or its work, has taken too long.
    package mutating func jobExpired(_ job: Int, now: Int64, clock: Int64) -> [Action] {
        var actions: [Action] = []
        switch jobs[job].row.phase {
        case .queued:
            actions.append(.jobUnqueued(job))
            endJob(
                job, .failed, cause: .queueTimeout,
                message: "no agent took it within \(TimeWords.words(UInt64(EngineLimits.queuedMsMax)))", now: now,
                &actions)
            advanceJobs(now: now, clock: clock, &actions)
        case .running:
            stopJob(job, cause: .timeout, reason: .timeout, now: now, clock: clock, &actions)
        default: break
        }
        return actions
    }

    /// When something may be due by the engine's clock. Nothing comes before it.
    package mutating func nextDue() -> Int64 {
        if let due { return due }
        var next = isStopping ? Int64.max : row.deadline
        if awaitsApproval, let deadline = approval?.deadline { next = min(next, deadline) }
        if awaitsGroup, let since = row.groupSince { next = min(next, since + EngineLimits.groupMsMax) }
        for job in jobs where !job.isFinished {
            if job.awaitsApproval, let deadline = job.approval?.deadline { next = min(next, deadline) }
            if job.awaitsGroup, let since = job.row.groupSince { next = min(next, since + EngineLimits.groupMsMax) }
            next = min(next, job.row.retryAt ?? .max, job.row.deadline ?? .max)
            guard job.isUnderWay else { continue }
            for step in job.steps { next = min(next, step.row.retryAt ?? .max) }
        }
        due = next
        return next
    }

    /// Steps of the job that want an attempt and have none: asked again when their agent is back.
    package func stepsWantingAttempt(_ job: Int) -> [Int] {
        jobs[job].steps.indices.filter {
            jobs[job].steps[$0].row.phase == .queued && jobs[job].steps[$0].row.retryAt == nil
        }
    }

    /// Shows the attempt's state on its step.
    private mutating func mirror(_ attempt: AttemptLifecycle, at place: StepPlace) {
        modifyStep(place.job, place.step) { step in
            step.attempt = attempt
            guard attempt.isLive else { return }
            step.row.phase = attempt.row.phase
            step.row.startedAt = step.row.startedAt ?? attempt.row.startedAt
        }
    }
}
