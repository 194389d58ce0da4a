import TestSupport
import Testing

/// What is stored of an attempt that is given up.
@Suite struct LostLogTests {
    @Test func theRowSaysHowMuchIsStored() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("seq 1 500; sleep 600")
            try eventually(within: 30, "the output is stored") { try cluster.logBytes(run) > 1_800 }
            cluster.agent.kill()
            try cluster.waitConnected("a1", false)
            let agent = try cluster.agentState("a1")["id"].int ?? 0
            try cluster.api.call("POST", "/api/v1/agents/\(agent)/gone", ["reason": "it burnt"])
            let log = Cluster.attempt(try cluster.finish(run))["log"]
            let stored = Int64(try cluster.rawLog(run).count)
            #expect(log["bytes"].int == stored && stored > 1_800, "\(log); stored are \(stored)")
            #expect(log["lines"].int ?? 0 > 499 && log["state"].text == "incomplete", "\(log)")
            // The same after a restart, and however often it is asked.
            try cluster.controller.restart()
            cluster.api.disconnect()
            #expect(Cluster.attempt(try cluster.show(run))["log"]["bytes"].int == stored)
        }
    }
}
