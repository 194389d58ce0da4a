package import AnsFlowProtocol
import HashTreeCollections

// What people see of the engine's committed state.
extension EngineMachine {
    package func view(of id: AgentID) -> AgentView? {
        guard let state = agents[id] else { return nil }
        var running: [RunID] = []
        for place in state.jobs where running.last != place.run { running.append(place.run) }
        var row = state.row
        row.draining = state.isDraining
        return AgentView(
            row: row, connected: state.session != nil, busy: state.jobs.count, remote: state.session?.remote,
            load: state.session?.load, diskFreeBytes: state.session?.diskFreeBytes, running: running,
            orphans: state.orphans, alarms: state.alarms)
    }

    /// Whether the attempt was assigned and has no end yet.
    package func isLive(_ attempt: AttemptID) -> Bool { places[attempt] != nil }

    package var agentViews: [AgentView] {
        agentOrder.compactMap { view(of: $0) }.sorted { ($0.row.name, $0.row.id) < ($1.row.name, $1.row.id) }
    }

    package var statistics: EngineStatistics {
        var statistics = EngineStatistics()
        statistics.activeRuns = runs.count
        statistics.queuedJobs = queue.count
        statistics.runningAttempts = places.count
        statistics.enrolledAgents = agentOrder.count
        statistics.connectedAgents = agents.values.count { $0.session != nil }
        statistics.alarmedAgents = agents.values.count { !$0.alarms.isEmpty }
        return statistics
    }

    /// Why each waiting part of a run waits.
    package func waitingReasons(_ id: RunID) -> [WaitingReason] {
        guard let run = runs[id] else { return [] }
        var reasons: [WaitingReason] = []
        for (index, job) in run.jobs.enumerated() {
            switch job.row.phase {
            case .blocked:
                let open = run.topology.jobNeeds[index].map { run.jobs[$0] }.filter { !$0.isFinished }.map(\.row.name)
                reasons.append(
                    WaitingReason(job: job.row.name, kind: .needs, message: "waits for \(open.joined(separator: ", "))")
                )
            case .queued:
                reasons.append(queued(run, job: index))
            case .running, .unreachable, .starting:
                reasons += waitingSteps(run, job: index)
            case .created, .stopping, .finished: break
            }
        }
        return reasons
    }

    private func queued(_ run: RunLifecycle, job: Int) -> WaitingReason {
        let name = run.jobs[job].row.name
        let wanted = run.plan.jobs[job].agentLabels
        let position = queue.position(of: entry(run, job: job))
        var candidates: [WaitingReason.Candidate] = []
        var fitting: [AgentState] = []
        for id in agentOrder {
            guard let agent = agents[id], !agent.row.revoked else { continue }
            if let missing = LabelMatch.missing(wanted, agent.row.labels) {
                candidates.append(.init(agent: agent.row.name, lacks: missing))
                continue
            }
            fitting.append(agent)
            if agent.session == nil {
                candidates.append(.init(agent: agent.row.name, lacks: "a connection"))
            } else if agent.row.paused || agent.isDraining {
                candidates.append(
                    .init(agent: agent.row.name, lacks: agent.row.paused ? "it is paused" : "it is draining"))
            } else if agent.holdUntil != nil {
                candidates.append(
                    .init(agent: agent.row.name, lacks: "it did not start what it was given; it is asked again soon"))
            } else {
                candidates.append(
                    .init(
                        agent: agent.row.name, lacks: "a free slot (\(agent.jobs.count) of \(agent.row.slots) in use)"))
            }
        }
        let labels = wanted.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        let with = labels.isEmpty ? "" : " with \(labels)"
        let kind: WaitingReason.Kind
        let message: String
        if fitting.isEmpty {
            kind = .noAgent
            message = "no enrolled agent\(with); enrol one or change the job's agents"
        } else if !fitting.contains(where: { $0.session != nil }) {
            kind = .agentsOffline
            message = "no agent\(with) is connected; \(fitting.count) known"
        } else if !fitting.contains(where: { $0.session != nil && !$0.row.paused && !$0.isDraining }) {
            kind = .agentsPaused
            message = "every connected agent\(with) is paused or draining"
        } else {
            kind = .slots
            message = "every slot of the agents\(with) is in use"
        }
        return WaitingReason(
            job: name, kind: kind, message: message, position: position,
            candidates: candidates.sorted { $0.agent < $1.agent })
    }

    private func waitingSteps(_ run: RunLifecycle, job: Int) -> [WaitingReason] {
        let state = run.jobs[job]
        let agent = state.attempt.flatMap { agents[$0.agent]?.row.name } ?? "its agent"
        var reasons: [WaitingReason] = []
        for (index, step) in state.steps.enumerated() {
            switch step.row.phase {
            case .blocked:
                let open = run.topology.stepNeeds[job][index].map { state.steps[$0].row }.filter {
                    $0.phase != .finished
                }
                let names = open.map(\.name).joined(separator: ", ")
                reasons.append(
                    open.isEmpty
                        ? WaitingReason(
                            job: state.row.name, step: step.row.name, kind: .parallel,
                            message:
                                "\(run.plan.jobs[job].parallel) steps of the job run already, as many as its parallel allows"
                        )
                        : WaitingReason(
                            job: state.row.name, step: step.row.name, kind: .needs, message: "waits for \(names)"))
            case .queued where state.attempt.flatMap({ agents[$0.agent]?.session }) != nil:
                reasons.append(
                    WaitingReason(
                        job: state.row.name, step: step.row.name, kind: .slots,
                        message: "agent \(agent) did not start it when it was told to; it is asked again soon"))
            case .queued, .unreachable:
                reasons.append(
                    WaitingReason(
                        job: state.row.name, step: step.row.name, kind: .unreachable,
                        message: "agent \(agent) is silent; it goes on when the agent is back, or ends with "
                            + "`ansflow agent gone \(agent)`"))
            default: break
            }
        }
        return reasons
    }
}
