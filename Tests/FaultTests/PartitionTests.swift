import TestSupport
import Testing

/// Row 9 of the fault matrix: a partition that outlasts every wait.
@Suite struct PartitionTests {
    @Test func reportsLateOrIsGivenUp() async throws {
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, labels: ["host": $0], isProxied: true) }
        try await Cluster.with(agents) { cluster in
            func script(_ name: String) -> String {
                """
                echo start >> \(cluster.work)/mark-\(name)
                while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done
                seq 1 50000 | tee \(cluster.work)/tee-\(name)
                touch \(cluster.work)/done-\(name)
                """
            }
            let runs = try ["a1", "a2"].map {
                try cluster.start(script($0), labels: ["host": $0], name: $0)
            }
            for name in ["a1", "a2"] { try cluster.waitLines("mark-\(name)") }
            for proxy in cluster.proxies.values { proxy.cut() }
            for run in runs { try cluster.waitPhase(run, "unreachable", within: 60) }
            if Binaries.isFull { Clock.pause(300) }
            try cluster.touch("go")
            for name in ["a1", "a2"] {
                try eventually(within: 20, "the step of \(name) ends") {
                    TextFile.exists("\(cluster.work)/done-\(name)")
                }
            }
            // Silence ends nothing; an operator's word does.
            try #require(Cluster.attempt(try cluster.show(runs[0]))["phase"].text == "unreachable")
            let id = try cluster.agentState("a2")["id"].int ?? 0
            try cluster.api.call("POST", "/api/v1/agents/\(id)/gone", ["reason": "a test says so"])
            let lost = try cluster.finish(runs[1])
            try #require(Cluster.attempt(lost)["result"].text == "lost", "\(lost)")
            try #require(Cluster.attempt(lost)["cause"].text == "agent_gone", "\(lost)")
            for proxy in cluster.proxies.values { proxy.heal() }
            let late = try cluster.finish(runs[0], within: 90)
            try #require(late["status"].text == "success", "a late report counts: \(late)")
            try #require(try cluster.differs(late, from: "tee-a1") == nil)
            try cluster.waitConnected("a2", within: 60)
            let attempt = Cluster.attempt(lost)["id"].int ?? 0
            try eventually(within: 30, "a2 was told to forget it") {
                !TextFile.exists(cluster.agents[1].spool(attempt))
            }
            let alarm = try cluster.agentState("a2")["alarms"][0]
            #expect(alarm["kind"].text == "late_end", "what it reported late is kept as a note: \(alarm)")
            #expect(alarm["message"].text?.contains("Attempt \(attempt)") == true, "\(alarm)")
            let still = try cluster.show(runs[1])
            #expect(still["status"].text == "failed", "an end never changes: \(still)")
            #expect(Cluster.attempt(still) == Cluster.attempt(lost))
        }
    }
}
