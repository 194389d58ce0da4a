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
            case .postponed(let job):
                postpone(JobPlace(run: run, job: job))
            case .jobEnded(let job):
                freeSlot(JobPlace(run: run, job: job))
            case .wantsGroup(let job): joinGroup(job, of: run)
            case .leftGroup(let job): leaveGroup(job, of: run)
            case .runEnded: if runs[run]?.row.group != nil { leaveGroup(nil, of: run) }
            }
        }
    }

    /// Commits the engine to one more attempt of a step, if its job's agent is there.
    private mutating func makeAttempt(_ place: StepPlace, of run: RunID) {
        guard let state = runs[run], state.jobs[place.job].steps[place.step].row.phase == .queued,
            state.jobs[place.job].steps[place.step].row.retryAt == nil,
            let jobAttempt = state.jobs[place.job].attempt, let holder = agents[jobAttempt.agent], holder.session != nil
        else { return }
        // A step that the agent did not start waits; the others of its jobs do not.
        let refused = state.jobs[place.job].steps[place.step].attempt?.row.cause == .neverStarted
        if refused, holder.holdUntil != nil { return }
        let plan = state.plan.jobs[place.job].steps[place.step]
        let id = AttemptID(counters.attempt)
        let step = state.jobs[place.job].steps[place.step].row
        let row = AttemptRow(
            id: id, step: step.id, job: step.job, jobAttempt: jobAttempt.id, run: run, agent: jobAttempt.agent,
            number: step.attempts + 1, createdAt: now, deadline: deadline(of: plan))
        let spec: StepSpec
        switch StepSpecBuilder.spec(of: state, at: place, attempt: row, agent: holder.row, publicURL: publicURL) {
        case .success(let made): spec = made
        case .failure(let fault):
            return change(run) { [now, clock] in
                $0.stepRefused(place, message: fault.description, now: now, clock: clock)
            }
        }
        counters.attempt += 1
        runs[run]?.attemptMade(row, at: place)
        dirtyRuns.insert(run)
        places[id] = AttemptPlace(run: run, step: place, agent: jobAttempt.agent)
        agents[jobAttempt.agent]?.live.append(id)
        send(.start(Start(attempt: id, spec: spec)), to: jobAttempt.agent)
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
        // It was good when the attempt was made, and what it is made of has not changed.
        guard
            case .success(let spec) = StepSpecBuilder.spec(
                of: run, at: place.step, attempt: attempt.row, agent: agent.row, publicURL: publicURL)
        else { return }
        send(.start(Start(attempt: id, spec: spec)), to: place.agent)
    }

    mutating func sendStop(_ id: AttemptID, reason: StopReason) {
        guard let place = places[id], let run = runs[place.run] else { return }
        let grace = run.plan.jobs[place.step.job].steps[place.step.step].graceMs
        send(.stop(id, reason: reason, graceMs: grace), to: place.agent)
        guard agents[place.agent]?.session != nil, agents[place.agent]?.stops[id] == nil else { return }
        let limit = Int64(grace) + EngineLimits.stopMsMax
        agents[place.agent]?.stops[id] = clock + limit + limit / 10
    }

    private mutating func attemptEnded(_ id: AttemptID, of run: RunID) {
        guard let place = places[id] else { return }
        if let row = runs[run]?.jobs[place.step.job].steps[place.step.step].attempt?.row, row.id == id {
            finalAttempts.append(row)
        }
        let row = runs[run]?.jobs[place.step.job].steps[place.step.step].attempt?.row
        places[id] = nil
        agents[place.agent]?.live.removeAll { $0 == id }
        agents[place.agent]?.stops[id] = nil
        effects.append(.sealLog(id))
        // What would not end may still be there: it is forgotten when its agent says that it is not.
        if row?.outcome == .lost, row?.cause == .unkillable || row?.cause == .forceCancelled {
            send(.stop(id, reason: .ended, graceMs: 0), to: place.agent)
        } else {
            send(.forget(id), to: place.agent)
        }
    }

    private mutating func freeSlot(_ place: JobPlace) {
        guard let run = runs[place.run], let attempt = run.jobs[place.job].attempt else { return }
        let agent = attempt.agent
        finalJobAttempts.append(attempt)
        send(.jobEnded(attempt.id), to: agent)
        agents[agent]?.jobs.removeAll { $0 == place }
        let used = (slotsInUse[run.row.project] ?? 1) - 1
        slotsInUse[run.row.project] = used > 0 ? used : nil
    }

    /// The agent gets nothing new for a while, and the job goes to whoever is free, unless some of it has begun there.
    private mutating func postpone(_ place: JobPlace) {
        guard let agent = runs[place.run]?.jobs[place.job].attempt?.agent, let state = agents[agent] else { return }
        if state.holdUntil == nil {
            let hold = min(max(state.holdMs * 2, EngineLimits.holdMsMin), EngineLimits.holdMsMax)
            agents[agent]?.holdMs = hold
            agents[agent]?.holdUntil = clock + hold
        }
        change(place.run) { [now, clock] in $0.giveBack(place.job, now: now, clock: clock) }
    }

    /// Gives ready jobs to agents with free slots, until one of them runs out. Called once, at the end of a group.
    ///
    /// - Complexity: O(agents) for each different set of labels that is waited for, then O(agents) for each job assigned,
    ///   where the latter looks at numbers only.
    package mutating func dispatch() {
        guard queue.count > 0 else { return }
        var free = freeAgents
        var left = free.count
        // Places in `free` of the agents that fit, for each set of labels; those without a slot are taken out.
        var fitting: [[String: String]: [Int]] = [:]
        while left > 0, queue.count > 0 {
            let project = slotsInUse
            let entry = queue.next(clock: clock, slotsInUse: { project[$0] ?? 0 }) { wanted in
                if let found = fitting[wanted] { return !found.isEmpty }
                let found = free.indices.filter { free[$0].slots > 0 && LabelMatch.fits(wanted, free[$0].labels) }
                fitting[wanted] = found
                return !found.isEmpty
            }
            // The agent with the most free slots; the older one among equals, and they are in order.
            guard let entry, let candidates = fitting[entry.labels], var best = candidates.first else { return }
            for place in candidates where free[place].slots > free[best].slots { best = place }
            queue.remove(entry)
            assign(entry, to: free[best].agent)
            free[best].slots = agents[free[best].agent]?.slotsToGive ?? 0
            guard free[best].slots == 0 else { continue }
            left -= 1
            for wanted in fitting.keys { fitting[wanted]?.removeAll { $0 == best } }
        }
    }

    private struct FreeAgent {
        var agent: AgentID
        var slots: Int
        var labels: [String: String]
    }

    private var freeAgents: [FreeAgent] {
        agentOrder.compactMap { id in
            guard let state = agents[id], state.slotsToGive > 0 else { return nil }
            return FreeAgent(agent: id, slots: state.slotsToGive, labels: state.row.labels)
        }
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
