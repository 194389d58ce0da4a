import AnsFlowProtocol
import HashTreeCollections

// What time brings. The clock counts ticks, not wall time, and none while the controller is down or halted.
extension EngineMachine {
    /// - Parameter elapsed: ms since the last tick; at most ``EngineLimits/tickMsMax`` of it counts.
    package mutating func tick(elapsed: Int64) {
        clock += min(max(elapsed, 0), EngineLimits.tickMsMax)
        expire()
        for agent in agentOrder {
            absent(agent)
            overdue(agent)
            askAgain(agent)
        }
        forgetKeys()
    }

    /// Ends waits and work that have taken too long.
    private mutating func expire() {
        var due: [RunID] = []
        for id in runs.keys {
            guard let run = runs[id] else { continue }
            if let known = run.due {
                if known <= clock { due.append(id) }
            } else if runs[id]!.nextDue() <= clock {
                due.append(id)
            }
        }
        for id in due.sorted() {
            change(id) { [now, clock] in $0.timeCame(now: now, clock: clock) }
        }
    }

    /// A connected agent that does not do what it was told: first that is shown, and then it is not waited for any longer.
    private mutating func overdue(_ id: AgentID) {
        guard let state = agents[id], state.session != nil, !state.stops.isEmpty else { return }
        for (attempt, until) in state.stops.sorted(by: { $0.key < $1.key }) where until <= clock {
            guard let place = places[attempt] else { continue }
            change(place.run) { [now, clock] run in
                run.attempt(at: place.step, now: now, clock: clock) { $0.becameUnreachable() }
            }
            guard until + EngineLimits.lostAfterMs <= clock else { continue }
            lose(
                attempt, .unkillable,
                "agent \(state.row.name) is connected and did not end it after it was told to stop; look at its host")
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
            change(place.run) { [now, clock] in
                $0.jobLost(
                    place.job, cause: .agentLost,
                    message:
                        "agent \(state.row.name) was away for \(TimeWords.words(UInt64(EngineLimits.lostAfterMs)))",
                    now: now, clock: clock)
            }
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
