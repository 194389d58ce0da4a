import AnsFlowProtocol
import HashTreeCollections

// What follows from a run's events.
extension EngineMachine {
    mutating func perform(_ actions: [RunLifecycle.Action], of run: RunID) {
        for action in actions {
            switch action {
            case .jobQueued(let job):
                if let state = runs[run] { enqueue(state, job: job) }
            case .jobUnqueued(let job):
                if let state = runs[run] { queue.remove(entry(state, job: job)) }
            case .start(let job, let step):
                makeAttempt(StepPlace(job: job, step: step), of: run)
            case .stop(let attempt, let reason):
                sendStop(attempt, reason: reason)
            case .attemptEnded(let attempt):
                attemptEnded(attempt, of: run)
            case .jobEnded(let job):
                freeSlot(JobPlace(run: run, job: job))
            case .runEnded: break
            }
        }
    }

    /// Commits the engine to one more attempt of a step, if its job's agent is there.
    private mutating func makeAttempt(_ place: StepPlace, of run: RunID) {
        guard let state = runs[run], state.jobs[place.job].steps[place.step].row.phase == .queued,
            let jobAttempt = state.jobs[place.job].attempt, agents[jobAttempt.agent]?.session != nil
        else { return }
        let plan = state.plan.jobs[place.job].steps[place.step]
        let id = AttemptID(counters.attempt)
        counters.attempt += 1
        let step = state.jobs[place.job].steps[place.step].row
        let row = AttemptRow(
            id: id, step: step.id, job: step.job, jobAttempt: jobAttempt.id, run: run, agent: jobAttempt.agent,
            number: step.attempts + 1, createdAt: now, deadline: deadline(of: plan))
        runs[run]?.attemptMade(row, at: place)
        dirtyRuns.insert(run)
        places[id] = AttemptPlace(run: run, step: place, agent: jobAttempt.agent)
        agents[jobAttempt.agent]?.live.append(id)
        sendStart(id)
    }

    /// When an attempt that is started now has surely ended on a silent host, by the engine's clock.
    func deadline(of step: StepPlan) -> Int64 {
        let own = Int64(step.timeoutMs + step.graceMs) + 60_000
        return clock + own + own / 10
    }

    mutating func sendStart(_ id: AttemptID) {
        guard let place = places[id], let run = runs[place.run],
            let attempt = run.jobs[place.step.job].steps[place.step.step].attempt,
            let agent = agents[place.agent]
        else { return }
        let spec = StepSpecBuilder.spec(of: run, at: place.step, attempt: attempt.row, agent: agent.row)
        send(.start(Start(attempt: id, spec: spec)), to: place.agent)
    }

    mutating func sendStop(_ id: AttemptID, reason: StopReason) {
        guard let place = places[id], let run = runs[place.run] else { return }
        let grace = run.plan.jobs[place.step.job].steps[place.step.step].graceMs
        send(.stop(id, reason: reason, graceMs: grace), to: place.agent)
    }

    private mutating func attemptEnded(_ id: AttemptID, of run: RunID) {
        guard let place = places[id] else { return }
        if let row = runs[run]?.jobs[place.step.job].steps[place.step.step].attempt?.row, row.id == id {
            finalAttempts.append(row)
        }
        places[id] = nil
        agents[place.agent]?.live.removeAll { $0 == id }
        effects.append(.sealLog(id))
        send(.forget(id), to: place.agent)
    }

    private mutating func freeSlot(_ place: JobPlace) {
        guard let run = runs[place.run], let attempt = run.jobs[place.job].attempt else { return }
        let agent = attempt.agent
        send(.jobEnded(attempt.id), to: agent)
        agents[agent]?.jobs.removeAll { $0 == place }
        let used = (slotsInUse[run.row.project] ?? 1) - 1
        slotsInUse[run.row.project] = used > 0 ? used : nil
    }

    /// Gives ready jobs to agents with free slots, until one of them runs out. Called once, at the end of a group.
    package mutating func dispatch() {
        while queue.count > 0 {
            let free = agentOrder.filter { agents[$0]?.takesJobs ?? false }
            if free.isEmpty { return }
            let project = slotsInUse
            guard
                let entry = queue.next(
                    clock: clock, slotsInUse: { project[$0] ?? 0 },
                    fits: { wanted in free.contains { LabelMatch.fits(wanted, agents[$0]?.row.labels ?? [:]) } })
            else { return }
            queue.remove(entry)
            // The agent with the most free slots; the older one among equals.
            let agent = free.filter { LabelMatch.fits(entry.labels, agents[$0]?.row.labels ?? [:]) }
                .max { left, right in
                    freeSlots(left) < freeSlots(right) || (freeSlots(left) == freeSlots(right) && left > right)
                }
            guard let agent else { return }
            assign(entry, to: agent)
        }
    }

    private func freeSlots(_ agent: AgentID) -> Int {
        guard let state = agents[agent] else { return 0 }
        return state.row.slots - state.jobs.count
    }

    private mutating func assign(_ entry: QueueEntry, to agent: AgentID) {
        guard let run = runs[entry.run], run.jobs[entry.job].row.phase == .queued else { return }
        let attempt = JobAttemptID(counters.jobAttempt)
        counters.jobAttempt += 1
        agents[agent]?.jobs.append(JobPlace(run: entry.run, job: entry.job))
        slotsInUse[run.row.project, default: 0] += 1
        change(entry.run) { [now, clock] in
            $0.assigned(entry.job, to: agent, attempt: attempt, now: now, clock: clock)
        }
    }
}
