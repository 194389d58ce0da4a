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
        statistics.longestWaitMs = queue.oldest.map { max(0, clock - $0) } ?? 0
        statistics.runningAttempts = places.count
        statistics.enrolledAgents = agentOrder.count
        statistics.connectedAgents = agents.values.count { $0.session != nil }
        statistics.alarmedAgents = agents.values.count { !$0.alarms.isEmpty }
        return statistics
    }
}
