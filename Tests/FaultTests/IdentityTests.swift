import TestSupport
import Testing

/// Row 28 of the fault matrix: a cloned disk.
@Suite struct IdentityTests {
    @Test func twoAgentsWithOneKey() async throws {
        try await Cluster.with { cluster in
            let copy = cluster.root + "/clone"
            try #require(try ChildProcess.run("/bin/mkdir", [copy]).code == 0)
            for name in ["agent.key", "agent.crt", "ca.crt", "link.json", "store-id", "journal"] {
                _ = try ChildProcess.run("/bin/cp", ["-a", "\(cluster.agent.dataDirectory)/\(name)", copy + "/"])
            }
            let log = cluster.root + "/clone.log"
            let clone = AgentProcess(name: "clone", dataDirectory: copy, log: log)
            try clone.start()
            defer { clone.destroy() }
            try eventually(within: 30, "the clone is refused") {
                let text = TextFile.read(log)
                return text.contains("4409") || text.contains("identityConflict") || text.contains("same key")
                    || text.contains("already connected")
            }
            try #require(try cluster.agentState("a1")["connected"].isTrue)
            let alarm = try cluster.agentState("a1")["alarms"][0]
            #expect(alarm["kind"].text == "refused" && alarm["close_code"].int == 4409, "\(alarm)")
            #expect(try cluster.api.request("GET", "/metrics").text.contains("ansflow_agents_alarmed 1\n"))
            for index in 0..<4 {
                let run = try cluster.start("echo start >> \(cluster.work)/mark", name: "p\(index)")
                try #require(try cluster.finish(run)["status"].text == "success")
            }
            #expect(cluster.lines("mark").count == 4, "nothing ran twice")
            #expect(!TextFile.lines(cluster.agent.log).contains { $0.contains("4409") }, "the first one stays")
            // When the first is gone, the other may come.
            cluster.agent.kill()
            let run = try cluster.start("echo start >> \(cluster.work)/mark", name: "last")
            try #require(try cluster.finish(run, within: 90)["status"].text == "success")
            #expect(cluster.lines("mark").count == 5)
        }
    }
}
