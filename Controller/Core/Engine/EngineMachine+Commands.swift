package import AnsFlowProtocol
import HashTreeCollections

// What people ask for.
extension EngineMachine {
    package mutating func createRun(_ request: RunRequest) -> Result<RunRow, CommandFailure> {
        if let key = request.idempotencyKey, let known = idempotency[key],
            known.at > now - EngineLimits.idempotencyKeptMs
        {
            if let run = runs[known.run]?.row {
                tell(of: run, request, again: true)
                return .success(run)
            }
            return .failure(.conflict("the run of this Idempotency-Key is finished: \(known.run)"))
        }
        guard runs.count < EngineLimits.activeRunsMax, idempotency.count < EngineLimits.idempotencyKeysMax
        else { return .failure(.overloaded) }
        let id = RunID(counters.run)
        counters.run += 1
        let number = (runNumbers[request.pipeline.id] ?? 0) + 1
        runNumbers[request.pipeline.id] = number
        let row = RunRow(
            id: id, project: request.pipeline.project, pipeline: request.pipeline.id,
            pipelineName: request.pipeline.name, pipelineVersion: request.pipeline.version, number: number,
            event: request.event, ref: request.ref, branch: request.branch, tag: request.tag, commit: request.commit,
            inputs: request.inputs, priority: request.priority, actor: request.actor,
            trusted: request.plan.facts.trusted, origin: request.origin?.run, rerun: request.origin?.kind,
            createdAt: now,
            deadline: clock + Int64(request.plan.timeoutMs))
        let jobIDs = request.plan.jobs.map { _ in
            defer { counters.job += 1 }
            return JobID(counters.job)
        }
        let stepIDs = request.plan.jobs.map { job in
            job.steps.map { _ in
                defer { counters.step += 1 }
                return StepID(counters.step)
            }
        }
        runs[id] = RunLifecycle(
            row, plan: request.plan, jobIDs: jobIDs, stepIDs: stepIDs, origin: request.origin)
        newRuns.append(id)
        if let key = request.idempotencyKey { remember(IdempotencyRow(key: key, run: id, at: now)) }
        change(id) { [now, clock] run in
            guard let fault = request.fault else { return run.begin(now: now, clock: clock) }
            return run.reject(fault, now: now)
        }
        tell(of: row, request)
        return .success(runs[id]?.row ?? row)
    }

    package mutating func cancelRun(
        _ run: RunID, by actor: String, reason: String?, force: Bool, skipFinally: Bool = false
    ) -> Result<RunRow, CommandFailure> {
        guard runs[run] != nil else { return .failure(.notFound) }
        change(run) { [now, clock] in
            $0.cancel(by: actor, reason: reason, skipFinally: skipFinally, now: now, clock: clock)
        }
        if force {
            for (attempt, _) in liveAttempts(of: run) {
                guard let place = places[attempt],
                    agents[place.agent]?.session == nil || self.attempt(attempt)?.row.phase == .unreachable
                else { continue }
                lose(attempt, .forceCancelled, "cancelled by force by \(actor)")
            }
        }
        return .success(runs[run]?.row ?? unknownRun)
    }

    package mutating func pauseAgent(_ id: AgentID, note: String?) -> Result<Void, CommandFailure> {
        modifyAgent(id) {
            $0.paused = true
            $0.note = note
        }
    }

    /// Takes new job attempts again, also after a drain.
    package mutating func resumeAgent(_ id: AgentID) -> Result<Void, CommandFailure> {
        modifyAgent(id) {
            $0.paused = false
            $0.draining = false
            $0.note = nil
        }
    }

    /// No new job attempts; the agent leaves when its last has ended.
    package mutating func drainAgent(_ id: AgentID) -> Result<Void, CommandFailure> {
        let result = modifyAgent(id) { $0.draining = true }
        if case .success = result { send(.drain, to: id) }
        return result
    }

    /// Its attempts are lost in the same transaction; its steps are stopped and its connection ends for good.
    package mutating func revokeAgent(_ id: AgentID, by actor: String) -> Result<Void, CommandFailure> {
        guard let state = agents[id], !state.row.revoked else {
            return agents[id] == nil ? .failure(.notFound) : .success(())
        }
        _ = modifyAgent(id) {
            $0.revoked = true
            $0.note = "revoked by \(actor)"
        }
        for attempt in state.live.sorted() { sendStop(attempt, reason: .revoked) }
        // Before its jobs end: nothing of them may be started on it any more.
        if let session = state.session {
            effects.append(.close(id, session.id, .revoked, reason: "this agent was revoked"))
            agents[id]?.session = nil
            agents[id]?.absentSince = clock
        }
        abandon(id, cause: .agentRevoked, message: "agent \(state.row.name) was revoked by \(actor)")
        return .success(())
    }

    /// An operator says that the agent will never come back. Refused while it is connected.
    package mutating func agentGone(_ id: AgentID, by actor: String, reason: String?) -> Result<Void, CommandFailure> {
        guard let state = agents[id] else { return .failure(.notFound) }
        guard state.session == nil else {
            return .failure(
                .conflict("agent \(state.row.name) is connected; drain or revoke it, or cancel what it runs"))
        }
        let why = reason.map { ": \($0)" } ?? ""
        _ = modifyAgent(id) { $0.note = "declared gone by \(actor)\(why)" }
        abandon(id, cause: .agentGone, message: "agent \(state.row.name) was declared gone by \(actor)\(why)")
        return .success(())
    }

    /// Ends all attempts of an agent, and the jobs that have none.
    mutating func abandon(_ id: AgentID, cause: Cause, message: String) {
        guard let state = agents[id] else { return }
        for attempt in state.live.sorted() { lose(attempt, cause, message) }
        for place in (agents[id]?.jobs ?? []).sorted() {
            change(place.run) { [now, clock] in
                $0.jobLost(place.job, cause: cause, message: message, now: now, clock: clock)
            }
        }
    }

    mutating func lose(_ attempt: AttemptID, _ cause: Cause, _ message: String?) {
        guard let place = places[attempt] else { return }
        agents[place.agent]?.gaveUp(attempt)
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { $0.lost(cause, message: message, at: now) }
        }
    }

    func liveAttempts(of run: RunID) -> [(AttemptID, StepPlace)] {
        guard let state = runs[run] else { return [] }
        var found: [(AttemptID, StepPlace)] = []
        for (job, jobState) in state.jobs.enumerated() {
            for (step, stepState) in jobState.steps.enumerated() {
                guard let attempt = stepState.attempt, attempt.isLive else { continue }
                found.append((attempt.row.id, StepPlace(job: job, step: step)))
            }
        }
        return found
    }

    @discardableResult
    mutating func modifyAgent(_ id: AgentID, _ change: (inout AgentRow) -> Void) -> Result<Void, CommandFailure> {
        guard var state = agents[id] else { return .failure(.notFound) }
        let before = state.row
        change(&state.row)
        guard state.row != before else { return .success(()) }
        agents[id] = state
        dirtyAgents.insert(id)
        return .success(())
    }

    private mutating func remember(_ row: IdempotencyRow) {
        idempotency[row.key] = row
        newIdempotency.append(row)
    }

    /// Never seen: a run that is being changed is in memory until its group is taken.
    private var unknownRun: RunRow { preconditionFailure("a run left the engine inside its own group") }
}
