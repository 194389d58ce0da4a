import AnsFlowProtocol
import ControllerCore
import Testing

/// Random histories of the whole engine: rows obey the store's rules, the committed rows alone give the same decisions as the
/// live state, and once everybody answers everything ends.
@Suite struct RestoreTests {
    /// An engine, and agents that know what they were told.
    struct History {
        var rig: Rig
        var chance: Chance
        var known: [AgentID: [AttemptID: Hello.AttemptState]] = [:]
        var seen: [AgentID: AttemptID] = [:]

        init(_ seed: UInt64) {
            rig = Rig(agents: 3, slots: 2)
            chance = Chance(seed)
        }

        /// Takes in what went out. An agent's answers depend on nothing else.
        mutating func listen() {
            for case .send(let agent, let session, let message) in rig.effects where rig.session[agent] == session {
                switch message {
                case .start(let start):
                    if known[agent, default: [:]][start.attempt] == nil {
                        known[agent, default: [:]][start.attempt] = .accepted
                    }
                    seen[agent] = max(seen[agent] ?? 0, start.attempt)
                case .forget(let attempt): known[agent]?[attempt] = nil
                default: break
                }
            }
            for case .close(let agent, let session, _, _) in rig.effects where rig.session[agent] == session {
                rig.disconnect(agent)
            }
        }

        mutating func connect(_ agent: AgentID, store: String? = nil) {
            let attempts = (known[agent] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            rig.connect(agent, attempts, store: store ?? "store-\(agent)", seen: seen[agent] ?? 0)
            listen()
        }

        mutating func plan() -> [JobPlan] {
            (0..<1 + chance.below(3)).map { job in
                let steps = (0..<chance.below(4)).map { step in
                    Make.step(
                        "s\(job)\(step)", needs: step > 0 && chance.percent(60) ? ["s\(job)\(chance.below(step))"] : [],
                        if: chance.percent(25) ? Make.always : chance.percent(5) ? Make.never : nil,
                        allow: chance.percent(15))
                }
                return Make.job(
                    "j\(job)", needs: job > 0 && chance.percent(60) ? ["j\(chance.below(job))"] : [],
                    if: chance.percent(15) ? Make.always : nil, parallel: 1 + chance.below(3), timeoutMs: 60_000,
                    allow: chance.percent(15), steps)
            }
        }

        mutating func happen() {
            let agent = AgentID(Int64(1 + chance.below(3)))
            let id = rig.session[agent] ?? 0
            let mine = (known[agent] ?? [:]).keys.sorted()
            let attempt = mine.isEmpty || chance.percent(3) ? AttemptID(Int64(chance.below(30))) : chance.pick(mine)
            switch chance.below(100) {
            case ..<14:
                let request = Make.request(plan(), key: chance.percent(20) ? "key-\(chance.below(4))" : nil)
                _ = rig.group { $0.createRun(request) }
            case ..<28: connect(agent)
            case ..<33: rig.disconnect(agent)
            case ..<48:
                if known[agent]?[attempt] == .accepted { known[agent]?[attempt] = .running }
                rig.started(attempt, by: agent)
            case ..<74: end(attempt, of: agent)
            case ..<77:
                rig.group { $0.declined(attempt, reason: "no", by: agent, session: id) }
            case ..<82:
                let run = RunID(Int64(1 + chance.below(20)))
                let force = chance.percent(40)
                _ = rig.group { $0.cancelRun(run, by: "me", reason: nil, force: force) }
            case ..<84: _ = rig.group { $0.agentGone(agent, by: "me", reason: nil) }
            case ..<86:
                known[agent] = nil
                connect(agent, store: "store-\(chance.below(1_000))")
            case ..<88: _ = rig.group { $0.pauseAgent(agent, note: nil) }
            case ..<92: _ = rig.group { $0.resumeAgent(agent) }
            case ..<93: if agent == 3 { _ = rig.group { $0.revokeAgent(agent, by: "me") } }
            case ..<95:
                rig.restart()
            default: rig.tick(seconds: 1 + chance.below(40))
            }
            listen()
        }

        mutating func end(_ attempt: AttemptID, of agent: AgentID) {
            let never = known[agent]?[attempt] == .accepted && chance.percent(40)
            let result = never ? .error : chance.pick([AttemptResult.success, .success, .failed, .cancelled, .lost])
            if known[agent]?[attempt] != nil { known[agent]?[attempt] = never ? .neverStarted : .exited }
            rig.finish(attempt, result, never ? .neverStarted : .exit, by: agent)
        }
    }

    @Test(arguments: 0..<60) func committedRowsGiveTheSameDecisions(_ seed: UInt64) {
        var history = History(seed)
        for _ in 0..<120 {
            history.happen()
            guard history.chance.percent(15) else { continue }
            compare(history)
        }
    }

    /// All agents leave; then one engine goes on from memory and the other from the rows.
    private func compare(_ history: History) {
        var live = history
        for agent in live.rig.session.keys.sorted() { live.rig.disconnect(agent) }
        // With any change goes the clock, which is stored each minute only otherwise.
        live.rig.create([Make.job("a")])
        var restored = live
        restored.rig.restart()
        // Alarms are not stored.
        var statistics = live.rig.machine.statistics
        statistics.alarmedAgents = 0
        #expect(restored.rig.machine.statistics == statistics)
        #expect(restored.rig.busy == live.rig.busy)
        for agent in [AgentID(1), 2, 3] {
            live.connect(agent)
            restored.connect(agent)
            expectSame(live.rig, restored.rig)
        }
        for _ in 0..<10 {
            live.happen()
            restored.happen()
            expectSame(live.rig, restored.rig)
        }
    }

    private func expectSame(_ live: Rig, _ restored: Rig) {
        #expect(restored.rows.runs == live.rows.runs)
        #expect(restored.rows.jobs == live.rows.jobs)
        #expect(restored.rows.steps == live.rows.steps)
        #expect(restored.rows.jobAttempts == live.rows.jobAttempts)
        #expect(restored.rows.attempts == live.rows.attempts)
        #expect(restored.rows.counters == live.rows.counters)
        #expect(restored.rows.events == live.rows.events)
        #expect(Set(restored.starts) == Set(live.starts) && Set(restored.stops) == Set(live.stops))
        #expect(Set(restored.forgets) == Set(live.forgets))
    }

    @Test(arguments: 100..<140) func everythingEndsOnceEverybodyAnswers(_ seed: UInt64) {
        var history = History(seed)
        for _ in 0..<150 { history.happen() }
        for agent in [AgentID(1), 2, 3] {
            _ = history.rig.group { $0.resumeAgent(agent) }
            history.connect(agent)
        }
        for _ in 0..<400 where history.rig.machine.statistics.activeRuns > 0 {
            for agent in [AgentID(1), 2] where history.rig.session[agent] == nil { history.connect(agent) }
            for agent in [AgentID(1), 2, 3] {
                for attempt in (history.known[agent] ?? [:]).keys.sorted() {
                    history.rig.finish(attempt, by: agent)
                    history.listen()
                }
            }
            history.rig.tick(seconds: 2)
            history.listen()
        }
        let rig = history.rig
        #expect(rig.machine.statistics.activeRuns == 0)
        #expect(rig.machine.statistics.queuedJobs == 0 && rig.machine.statistics.runningAttempts == 0)
        #expect(rig.busy == 0, "a slot leaked")
        #expect(rig.rows.runs.values.allSatisfy { $0.phase == .finished })
        #expect(rig.rows.attempts.values.allSatisfy { $0.outcome != nil })
        #expect(rig.rows.jobAttempts.values.allSatisfy { $0.outcome != nil })
    }
}
