package import AnsFlowProtocol

// What happens to a run from outside. `now` is the wall clock in ms, for people; `clock` the engine's.
extension RunLifecycle {
    /// The run was made: whatever needs nothing becomes ready.
    package mutating func begin(now: Int64, clock: Int64) -> [Action] {
        modifyRun { $0.phase = .queued }
        var actions: [Action] = []
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }

    /// An agent was found for a queued job.
    package mutating func assigned(
        _ job: Int, to agent: AgentID, attempt: JobAttemptID, now: Int64, clock: Int64
    ) -> [Action] {
        guard jobs[job].row.phase == .queued, !isStopping else { return [] }
        let timeout = Int64(plan.jobs[job].timeoutMs)
        let run = row.id
        modifyJob(job) { state in
            state.row.attempts += 1
            state.row.phase = .running
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
        let untouched = jobs[job].steps.allSatisfy { $0.row.phase == .blocked || $0.row.phase == .queued }
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
            stepAttemptEnded(attempt.row, at: place, now: now, &actions)
            advanceSteps(of: place.job, now: now, clock: clock, &actions)
        }
        return actions
    }

    /// A person or the run's own deadline ends it. A second one changes nothing.
    package mutating func stop(by actor: String?, reason: String?, now: Int64, clock: Int64) -> [Action] {
        guard !isFinished, !isStopping else { return [] }
        modifyRun {
            $0.phase = .stopping
            $0.cancelledBy = actor
            $0.cancelReason = reason
        }
        var actions: [Action] = []
        for job in jobs.indices {
            stopJob(job, cause: stopCause, reason: actor == nil ? .timeout : .cancel, now: now, clock: clock, &actions)
        }
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }

    /// A job's wait or work has taken too long, or its agent will never come back.
    package mutating func jobExpired(_ job: Int, cause: Cause, now: Int64, clock: Int64) -> [Action] {
        var actions: [Action] = []
        switch jobs[job].row.phase {
        case .queued:
            actions.append(.jobUnqueued(job))
            finishJob(job, .failed, cause: cause, now: now, &actions)
            advanceJobs(now: now, clock: clock, &actions)
        case .running:
            stopJob(job, cause: cause, reason: .timeout, now: now, clock: clock, &actions)
        default: break
        }
        return actions
    }

    /// Steps of the job that want an attempt and have none: asked again when their agent is back.
    package func stepsWantingAttempt(_ job: Int) -> [Int] {
        jobs[job].steps.indices.filter { jobs[job].steps[$0].row.phase == .queued }
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
