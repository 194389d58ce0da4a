package import ControllerCore
package import ControllerRealtime

/// Tells those who watch `/ws/system` of what is no event of a run: agents that changed, and the queue's figures.
package actor SystemFeed {
    private let commands: any EngineCommands
    private let hub: EventHub
    private var agents: [AgentView] = []
    private var figures: EngineStatistics?

    package init(commands: any EngineCommands, hub: EventHub) {
        self.commands = commands
        self.hub = hub
    }

    /// Looks, and says what is other than with the last look. To be called every few seconds. Costs nothing where nobody watches.
    package func tell() async {
        guard hub.isWatched(.system) else {
            // Whoever comes next is told of all.
            (agents, figures) = ([], nil)
            return
        }
        let views = await commands.agents()
        let known = Dictionary(agents.map { ($0.row.id, Self.settled($0)) }) { first, _ in first }
        for view in views where known[view.row.id] != Self.settled(view) {
            hub.announce("agent_update", on: .system) { AgentJSON.write(view, &$0) }
        }
        agents = views
        let statistics = await commands.statistics()
        guard figures.map(Self.settled) != Self.settled(statistics) else { return }
        figures = statistics
        hub.announce("statistics", on: .system) { json in
            json.object { json in
                json.field("active_runs", statistics.activeRuns)
                json.field("queued_jobs", statistics.queuedJobs)
                json.field("longest_wait_ms", statistics.longestWaitMs)
                json.field("running_attempts", statistics.runningAttempts)
                json.field("connected_agents", statistics.connectedAgents)
                json.field("enrolled_agents", statistics.enrolledAgents)
            }
        }
    }

    /// Without what moves all the time.
    private static func settled(_ view: AgentView) -> AgentView {
        var view = view
        view.load = nil
        view.diskFreeBytes = nil
        view.row.lastSeenAt = nil
        return view
    }

    private static func settled(_ statistics: EngineStatistics) -> EngineStatistics {
        var statistics = statistics
        statistics.longestWaitMs = 0
        statistics.commits = 0
        return statistics
    }
}
