import AnsFlowProtocol

// Jobs that are done again. Each time is a job attempt of its own, from the first step on, on any agent.
extension RunLifecycle {
    /// How long to wait before the job is done again; nil where it is not.
    func retryDelay(of job: Int, after end: End) -> Int64? {
        guard let retry = plan.jobs[job].retry, !isStopping, jobs[job].row.retries < retry.max else { return nil }
        let covered: Bool
        switch (end.outcome, end.cause) {
        case (.lost, _): covered = retry.coversLoss(end.cause)
        case (.timedOut, _): covered = retry.on.contains(.timeout)
        case (.failed, .stepFailed):
            // One that would fail again makes the others' repetition pointless.
            let failed = failedSteps(of: job)
            covered = failed.allSatisfy {
                retry.covers(outcome: $0.outcome ?? .failed, cause: $0.cause, exitCode: $0.exitCode)
            }
        default: covered = false
        }
        return covered ? Int64(retry.delayMs(before: jobs[job].row.retries + 1)) : nil
    }

    /// When a back-off is surely over. The clock moves in ticks and may be behind by one: it is never shorter than it says.
    static func retryTime(_ clock: Int64, _ delay: Int64) -> Int64 {
        clock + delay + (delay > 0 ? EngineLimits.tickMsMax : 0)
    }

    /// Ends the job's attempt and lets the job wait for another agent. It keeps its place in its group.
    mutating func tryAgain(
        _ job: Int, after end: End, delay: Int64, now: Int64, clock: Int64, _ actions: inout [Action]
    ) {
        let held = jobs[job].holdsSlot
        endAttempt(of: job, end, now: now)
        for step in jobs[job].steps.indices {
            modifyStep(job, step) { state in
                state.row.phase = .blocked
                state.row.outcome = nil
                state.row.cause = nil
                state.row.message = nil
                state.row.exitCode = nil
                state.row.startedAt = nil
                state.row.finishedAt = nil
                state.row.retries = 0
                state.row.retryAt = nil
            }
        }
        jobs[job].recount(plan.jobs[job], topology.stepNeeds[job])
        let number = jobs[job].row.attempts
        modifyJob(job) { state in
            state.row.phase = .queued
            state.row.outcome = nil
            state.row.cause = nil
            state.row.message = "attempt \(number): \(end.message ?? end.outcome.words); it is tried again"
            state.row.agent = nil
            state.row.startedAt = nil
            state.row.deadline = nil
            state.row.retries += 1
            state.row.retryAt = Self.retryTime(clock, delay)
        }
        if held { actions.append(.jobEnded(job)) }
        if delay == 0 { queue(job, now: now, clock: clock, &actions) }
    }
}
