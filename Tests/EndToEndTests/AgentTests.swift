import TestSupport
import Testing

/// Agents as an administrator handles them.
@Suite struct AgentTests {
    @Test func pauseAndResume() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            let paused = try ansflow("agent", "pause", "a1", "--note", "the disk is replaced")
            try #require(paused.code == 0, "\(paused)")
            #expect(try cluster.agentState("a1")["note"].text == "the disk is replaced")
            let run = try cluster.start("true")
            let reason = try eventually(within: 10, "a reason") { () -> String? in
                try cluster.show(run)["waiting"][0]["message"].text
            }
            #expect(reason.contains("paused"), "\(reason)")
            #expect(try ansflow("agent", "resume", "a1").code == 0)
            #expect(try cluster.finish(run)["status"].text == "success")
        }
    }

    @Test func drainLetsStepsEnd() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                "echo start >> \(cluster.work)/mark; while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done")
            try cluster.waitLines("mark")
            let drained = try CommandLineClient(cluster)("agent", "drain", "a1")
            try #require(drained.code == 0, "\(drained)")
            let next = try cluster.start("true", name: "next")
            try eventually(within: 10, "the second run waits") { try !cluster.show(next)["waiting"].items.isEmpty }
            try cluster.touch("go")
            #expect(try cluster.finish(run)["status"].text == "success")
            #expect(try cluster.show(next)["phase"].text != "finished")
        }
    }

    @Test func revokedAgentEndsItsStepsAndDialsNoMore() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("echo $$ >> \(cluster.work)/pids; sleep 600")
            try cluster.waitLines("pids")
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            let revoked = try CommandLineClient(cluster)("agent", "revoke", "a1")
            try #require(revoked.code == 0, "\(revoked)")
            let end = try cluster.finish(run)
            #expect(Cluster.attempt(end)["cause"].text == "agent_revoked", "\(end)")
            try eventually(within: 30, "its step is killed") { !ProcessTable.isAlive(pid) }
            try eventually(within: 30, "its process ends") { cluster.agent.process?.ended() != nil }
            try cluster.agent.start()
            try eventually(within: 30, "it is not let in again") { cluster.agent.process?.ended() != nil }
            #expect(!(try cluster.agentState("a1")["connected"].isTrue))
        }
    }

    /// SIGTERM to the agent leaves the step running; the next agent takes it over.
    @Test func stoppedAgentLeavesItsStep() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                "echo start >> \(cluster.work)/mark; while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done; echo well")
            try cluster.waitLines("mark")
            #expect(try cluster.agent.terminate() == 0)
            try cluster.waitConnected("a1", false, within: 10)
            try cluster.touch("go")
            try cluster.agent.start()
            #expect(try cluster.finish(run)["status"].text == "success")
            #expect(try cluster.rawLog(run).suffix(6) == Array("\nwell\n".utf8)[...])
            #expect(cluster.lines("mark").count == 1)
        }
    }

    @Test func wrongTokens() async throws {
        try await Cluster.with { cluster in
            // Of 64 random texts one begins with a hyphen, which a command line takes for an option.
            let begins = try (0..<300).map { _ in try cluster.enrolmentToken().prefix(1) }
            #expect(begins.allSatisfy { $0.first?.isLetter == true }, "\(Set(begins))")
            let good = try cluster.enrolmentToken()
            let parts = good.split(separator: ".")
            let wrong = [
                "nonsense", String(repeating: "x", count: 43) + "." + parts[1],
                parts[0] + "." + String(repeating: "0", count: 64),
            ]
            for (index, token) in wrong.enumerated() {
                let agent = AgentProcess(
                    name: "b\(index)", dataDirectory: "\(cluster.root)/b\(index)", log: "/dev/null")
                let result = Result {
                    try agent.enrol(port: cluster.controller.agentPort, token: token, labels: [:], slots: 1)
                }
                guard case .failure(let error) = result else {
                    Issue.record("\(token) was accepted")
                    continue
                }
                #expect("\(error)".contains("token") || "\(error)".contains("authority"), "\(error)")
            }
            #expect(try cluster.api.get("/api/v1/agents")["total"].int == 1)
        }
    }
}
