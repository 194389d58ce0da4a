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
            load: state.session?.load, diskFreeBytes: state.session?.diskFreeBytes,
            clockAheadMs: state.session?.clockAheadMs, running: running, orphans: state.orphans, alarms: state.alarms)
    }

    /// Whether the attempt was assigned and has no end yet.
    package func isLive(_ attempt: AttemptID) -> Bool { places[attempt] != nil }

    /// Attempts that the agent holds; ascending.
    package func live(of agent: AgentID) -> [AttemptID] { (agents[agent]?.live ?? []).sorted() }

    /// The attempt of this run that the agent holds.
    package func attempt(of run: RunID, heldBy agent: AgentID) -> AttemptID? {
        live(of: agent).first { places[$0]?.run == run }
    }

    /// Whether it has not ended.
    package func isWaiting(_ run: RunID) -> Bool { runs[run] != nil }

    /// When the attempt began, in ms since 1970; nil before.
    package func startedAt(_ attempt: AttemptID) -> Int64? { self.attempt(attempt)?.row.startedAt }

    package var agentViews: [AgentView] {
        // The controller's own place for other systems' runs is nobody's machine.
        agentOrder.compactMap { view(of: $0) }.filter { $0.row.labels[LabelMatch.reported] == nil }.sorted {
            ($0.row.name, $0.row.id) < ($1.row.name, $1.row.id)
        }
    }

    package var statistics: EngineStatistics {
        var statistics = EngineStatistics()
        statistics.activeRuns = runs.count
        statistics.queuedJobs = queue.count
        statistics.longestWaitMs = queue.oldest.map { max(0, clock - $0) } ?? 0
        statistics.runningAttempts = places.count
        statistics.enrolledAgents = agentOrder.count
        statistics.connectedAgents = agents.values.count { $0.session != nil }
        statistics.alarmedAgents = agents.values.count { !$0.alarms.isEmpty }
        return statistics
    }
}
