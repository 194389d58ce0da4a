import AnsFlowProtocol
import HashTreeCollections

// What time brings. The clock counts ticks, not wall time, and none while the controller is down or halted.
extension EngineMachine {
    /// - Parameter elapsed: ms since the last tick; at most ``EngineLimits/tickMsMax`` of it counts.
    package mutating func tick(elapsed: Int64) {
        clock += min(max(elapsed, 0), EngineLimits.tickMsMax)
        for run in runs.keys.sorted() { expire(run) }
        for agent in agentOrder {
            absent(agent)
            askAgain(agent)
        }
        forgetKeys()
    }

    private mutating func expire(_ id: RunID) {
        guard let run = runs[id] else { return }
        if run.row.deadline <= clock {
            change(id) { [now, clock] in
                $0.stop(by: nil, reason: "the run took longer than its timeout", now: now, clock: clock)
            }
        }
        for job in run.jobs.indices {
            guard let deadline = run.jobs[job].row.deadline, deadline <= clock else { continue }
            switch run.jobs[job].row.phase {
            case .queued:
                change(id) { [now, clock] in
                    $0.jobExpired(job, cause: .queueTimeout, now: now, clock: clock)
                }
            case .running:
                change(id) { [now, clock] in $0.jobExpired(job, cause: .timeout, now: now, clock: clock) }
            default: break
            }
        }
    }

    private mutating func absent(_ id: AgentID) {
        guard let state = agents[id], let since = state.absentSince else { return }
        for attempt in state.live.sorted() {
            guard let place = places[attempt], let row = self.attempt(attempt)?.row else { continue }
            if clock - since >= EngineLimits.unreachableAfterMs {
                change(place.run) { [now, clock] run in
                    run.attempt(at: place.step, now: now, clock: clock) { $0.becameUnreachable() }
                }
            }
            if row.deadline <= clock {
                lose(
                    attempt, .deadlinePassed,
                    "agent \(state.row.name) was silent until the step's own deadline had surely passed")
            }
        }
        guard clock - since >= EngineLimits.lostAfterMs else { return }
        for place in (agents[id]?.jobs ?? []).sorted() where runs[place.run]?.jobs[place.job].liveSteps == 0 {
            change(place.run) { [now, clock] in $0.jobExpired(place.job, cause: .agentLost, now: now, clock: clock) }
        }
    }

    /// The agent did not start what it was given a while ago: it is tried again.
    private mutating func askAgain(_ id: AgentID) {
        guard let until = agents[id]?.holdUntil, until <= clock else { return }
        agents[id]?.holdUntil = nil
        for place in (agents[id]?.jobs ?? []).sorted() { restart(place) }
    }

    private mutating func forgetKeys() {
        guard idempotency.count > EngineLimits.idempotencyKeysMax / 2 else { return }
        let old = now - EngineLimits.idempotencyKeptMs
        for (key, row) in idempotency where row.at <= old { idempotency[key] = nil }
    }
}
