package import AnsFlowProtocol
import HashTreeCollections

// What agents say.
extension EngineMachine {
    /// An agent's HELLO on a new connection: who it is was decided by its key.
    ///
    /// WELCOME goes out before the effects of this group.
    ///
    /// - Parameter logNext: for each attempt that the HELLO names, the first byte that is not held durably.
    package mutating func agentConnected(
        _ id: AgentID, session: SessionID, remote: String, hello: Hello, logNext: [AttemptID: UInt64], writable: Bool
    ) -> HelloAnswer {
        guard let state = agents[id] else { return .refuse(.notAuthenticated, reason: "this agent is not enrolled") }
        if state.row.revoked { return .refuse(.revoked, reason: "this agent was revoked") }
        guard let proto = ProtocolVersion.negotiate(minimum: hello.protocolMin, maximum: hello.protocolMax) else {
            return .refuse(
                .version,
                reason: "this controller speaks protocol \(ProtocolVersion.oldest) to \(ProtocolVersion.current), "
                    + "the agent \(hello.protocolMin) to \(hello.protocolMax)")
        }
        guard hello.highestAttemptSeen.rawValue < counters.attempt else {
            return .refuse(
                .generation,
                reason: "the agent has seen attempt \(hello.highestAttemptSeen), which this controller never made: "
                    + "was its data restored from a backup?")
        }
        for known in hello.attempts {
            if let place = places[known.attempt], place.agent != id {
                return .refuse(.revoked, reason: "attempt \(known.attempt) is another agent's")
            }
        }
        if let known = state.row.storeID, known != hello.storeID { loseState(id, hello: hello) }
        take(hello, of: id, session: session, remote: remote)
        let welcome = Welcome(
            proto: proto, generation: generation, agent: id,
            verdicts: hello.attempts.map { verdict(on: $0, logNext: logNext[$0.attempt] ?? 0) }, writable: writable)
        for known in hello.attempts { resume(known, of: id) }
        settleAbsent(id, hello: hello)
        if agents[id]?.row.draining ?? false { send(.drain, to: id) }
        for place in (agents[id]?.jobs ?? []).sorted() { restart(place) }
        return .welcome(welcome)
    }

    package mutating func agentDisconnected(_ id: AgentID, session: SessionID) {
        guard agents[id]?.session?.id == session else { return }
        agents[id]?.session = nil
        agents[id]?.absentSince = clock
        let seen = now
        modifyAgent(id) { $0.lastSeenAt = seen }
    }

    package mutating func heartbeat(_ id: AgentID, session: SessionID, _ heartbeat: AgentHeartbeat) {
        guard agents[id]?.session?.id == session else { return }
        agents[id]?.session?.load = heartbeat.load
        agents[id]?.session?.diskFreeBytes = heartbeat.diskFreeBytes
        // For people alone: nothing is decided by an agent's clock.
        let (ahead, overflow) = heartbeat.nowMs.subtractingReportingOverflow(now)
        agents[id]?.session?.clockAheadMs = overflow ? nil : ahead
    }

    package mutating func started(_ attempt: AttemptID, by id: AgentID, session: SessionID) {
        guard let place = holder(of: attempt, by: id, session: session) else { return }
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { $0.started(at: now) }
        }
        if agents[id]?.holdUntil == nil { agents[id]?.holdMs = 0 }
    }

    package mutating func declined(_ attempt: AttemptID, reason: String, by id: AgentID, session: SessionID) {
        guard let place = holder(of: attempt, by: id, session: session) else { return }
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { $0.declined(reason, at: now) }
        }
    }

    /// An attempt's end, once its log was agreed on.
    package mutating func finished(_ finish: Finish, log: LogSummary, by id: AgentID, session: SessionID) {
        guard
            let place = holder(of: finish.attempt, by: id, session: session, ending: finish.result.rawValue)
        else { return }
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { attempt in
                if attempt.row.startedAt == nil, finish.cause != .neverStarted {
                    _ = attempt.started(at: max(attempt.row.createdAt, now - Int64(clamping: finish.usage.wallMs)))
                }
                return attempt.finished(finish, log: log, at: now)
            }
        }
    }

    /// The attempt's place, if this agent holds it. An attempt that was issued and is not live has its end: the agent may
    /// forget it. One that another agent holds ends the connection.
    ///
    /// - Parameter ending: How it ended, where that is what the agent says.
    mutating func holder(
        of attempt: AttemptID, by id: AgentID, session: SessionID, ending: String? = nil
    ) -> AttemptPlace? {
        guard agents[id]?.session?.id == session else { return nil }
        guard let place = places[attempt] else {
            if attempt.rawValue > 0, attempt.rawValue < counters.attempt {
                noteLateEnd(of: attempt, ending, by: id)
                send(.forget(attempt), to: id)
            }
            return nil
        }
        guard place.agent == id else {
            effects.append(.close(id, session, .revoked, reason: "attempt \(attempt) is another agent's"))
            return nil
        }
        return place
    }

    /// Whether log bytes of this attempt may come from this agent.
    package func mayLog(_ attempt: AttemptID, agent: AgentID) -> Bool {
        places[attempt]?.agent == agent
    }

    // MARK: Resume

    private mutating func take(_ hello: Hello, of id: AgentID, session: SessionID, remote: String) {
        agents[id]?.session = AgentState.Session(id: session, remote: remote, draining: hello.draining)
        agents[id]?.absentSince = nil
        agents[id]?.holdUntil = nil
        agents[id]?.stops = [:]
        let orphans = hello.attempts.map(\.attempt).filter(isOrphan)
        agents[id]?.orphans = orphans
        agents[id]?.wasLetIn()
        noteOrphans(of: id)
        let seen = now
        modifyAgent(id) { row in
            row.labels = hello.labels
            row.slots = min(max(hello.slots, 0), ProtocolLimits.slotsMax)
            row.version = hello.version
            row.containment = hello.containment.rawValue
            row.storeID = hello.storeID
            row.lastSeenAt = seen
            // Who is back is not gone.
            if !row.paused { row.note = nil }
        }
    }

    private func verdict(on known: Hello.Known, logNext: UInt64) -> Welcome.Entry {
        guard let attempt = attempt(known.attempt) else {
            let ended = known.attempt.rawValue > 0 && !isOrphan(known.attempt)
            let alive = known.state == .running || known.state == .accepted
            return Welcome.Entry(
                attempt: known.attempt, verdict: !ended ? .orphan : alive ? .stop : .forget, logNext: logNext)
        }
        switch known.state {
        case .accepted:
            return Welcome.Entry(attempt: known.attempt, verdict: attempt.isStopping ? .stop : .start, logNext: logNext)
        case .running, .exited, .lost, .neverStarted:
            return Welcome.Entry(attempt: known.attempt, verdict: .proceed, logNext: logNext)
        }
    }

    /// What follows WELCOME for an attempt that the agent knows.
    private mutating func resume(_ known: Hello.Known, of id: AgentID) {
        guard let place = places[known.attempt], let attempt = attempt(known.attempt) else {
            return resumeEnded(known, of: id)
        }
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { $0.becameReachable() }
        }
        switch known.state {
        case .accepted:
            if let reason = attempt.row.stopReason {
                sendStop(known.attempt, reason: reason)
            } else {
                startAgain(known.attempt, at: place)
            }
        case .running, .exited:
            change(place.run) { [now, clock] run in
                run.attempt(at: place.step, now: now, clock: clock) { $0.started(at: now) }
            }
            if let reason = attempt.row.stopReason { sendStop(known.attempt, reason: reason) }
        case .lost, .neverStarted: break
        }
    }

    /// The resume table's row "terminal": stop it where it lives, else let the agent forget it. What was made behind a restored backup
    /// too: nothing here could take its results.
    private mutating func resumeEnded(_ known: Hello.Known, of id: AgentID) {
        guard known.attempt.rawValue > 0, known.attempt.rawValue < counters.attempt else { return }
        switch known.state {
        case .running, .accepted: send(.stop(known.attempt, reason: .ended, graceMs: 10_000), to: id)
        case .exited, .lost, .neverStarted:
            if known.state == .exited { noteLateEnd(of: known.attempt, nil, by: id) }
            send(.forget(known.attempt), to: id)
        }
    }

    /// The agent has another data directory than when its attempts were assigned: what its HELLO does not name is lost, and
    /// so are the jobs without a live step, whose workspaces are gone.
    ///
    /// Decided as if it were absent, so that nothing of these jobs is started in an empty workspace.
    private mutating func loseState(_ id: AgentID, hello: Hello) {
        agents[id]?.session = nil
        let message = "the agent's data directory is another one than when this was assigned"
        let named = Set(hello.attempts.map(\.attempt))
        for attempt in (agents[id]?.live ?? []).sorted() where !named.contains(attempt) {
            lose(attempt, .agentStateLost, message)
        }
        for place in (agents[id]?.jobs ?? []).sorted() where runs[place.run]?.jobs[place.job].liveSteps == 0 {
            change(place.run) { [now, clock] in
                $0.jobLost(place.job, cause: .agentStateLost, message: message, now: now, clock: clock)
            }
        }
    }

    /// Attempts that the engine believes the agent holds and that its HELLO does not name.
    private mutating func settleAbsent(_ id: AgentID, hello: Hello) {
        let named = Set(hello.attempts.map(\.attempt))
        for attempt in (agents[id]?.live ?? []).sorted() where !named.contains(attempt) {
            guard let place = places[attempt], let state = self.attempt(attempt) else { continue }
            change(place.run) { [now, clock] run in
                run.attempt(at: place.step, now: now, clock: clock) { $0.becameReachable() }
            }
            if let reason = state.row.stopReason {
                sendStop(attempt, reason: reason)
            } else {
                startAgain(attempt, at: place)
            }
        }
    }

    private mutating func startAgain(_ attempt: AttemptID, at place: AttemptPlace) {
        guard let plan = runs[place.run]?.plan.jobs[place.step.job].steps[place.step.step] else { return }
        let deadline = deadline(of: plan)
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { $0.startSent(deadline: deadline) }
        }
        sendStart(attempt)
    }

    /// Steps that wanted an attempt while their agent was away, or did not start them.
    mutating func restart(_ place: JobPlace) {
        guard let wanting = runs[place.run]?.stepsWantingAttempt(place.job), !wanting.isEmpty else { return }
        perform(wanting.map { .start(job: place.job, step: $0) }, of: place.run)
    }
}
