import Foundation
import TestSupport
import Testing

/// Each row of the protocol's resume table, with real processes. Running and exited attempts without a stop are in
/// ``AgentKillTests`` and ``ControllerKillTests``.
@Suite struct ResumeTests {
    private static func marking(_ work: String, then: String = "") -> String {
        "echo start >> \(work)/mark\necho $$ >> \(work)/pids\n" + then
    }

    /// Starts a run whose START the agent never sees.
    private static func runWithoutStart(_ cluster: Cluster) throws -> Int64 {
        var faults = FaultProxy.Faults()
        faults.toClient.flow = .discard
        cluster.proxy.faults = faults
        let run = try cluster.start(marking(cluster.work))
        try cluster.waitPhase(run, "starting")
        return run
    }

    @Test func absentInTheSameStoreGetsTheSameStartAgain() async throws {
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let run = try Self.runWithoutStart(cluster)
            let before = Cluster.attempt(try cluster.show(run))["id"].int
            cluster.proxy.heal()
            let end = try cluster.finish(run)
            try #require(end["status"].text == "success", "\(end)")
            #expect(Cluster.attempt(end)["id"].int == before, "the same attempt")
            #expect(cluster.lines("mark").count == 1)
        }
    }

    @Test func absentAndCancelledIsStopped() async throws {
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let run = try Self.runWithoutStart(cluster)
            try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", [:])
            try #require(try cluster.show(run)["phase"].text != "finished", "only the agent can say that nothing ran")
            cluster.proxy.heal()
            let end = try cluster.finish(run)
            #expect(end["status"].text == "cancelled", "\(end)")
            #expect(cluster.lines("mark").isEmpty)
        }
    }

    @Test func absentInAnotherStoreIsLost() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(Self.marking(cluster.work, then: "sleep 600"))
            try cluster.waitLines("mark")
            cluster.agent.kill()
            try cluster.agent.killShims()
            let keep = Set(["agent.key", "agent.crt", "ca.crt", "link.json"])
            let directory = cluster.agent.dataDirectory
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) where !keep.contains(name) {
                try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
            }
            try cluster.agent.start()
            let end = try cluster.finish(run)
            #expect(Cluster.attempt(end)["result"].text == "lost", "\(end)")
            #expect(Cluster.attempt(end)["cause"].text == "agent_state_lost", "\(end)")
            #expect(cluster.lines("mark").count == 1)
            let next = try cluster.start("true", name: "next")
            #expect(try cluster.finish(next)["status"].text == "success", "the agent goes on")
        }
    }

    /// The shim that holds the START is frozen, so the attempt is accepted and not started.
    private static func acceptedNotStarted(_ cluster: Cluster) throws -> Int64 {
        try eventually(within: 20, "shims are warm") { cluster.agent.shims.count >= 2 }
        // A shim is listed as soon as it runs; the agent must know it as warm, too.
        Clock.pause(1)
        cluster.agent.signalShims(SIGSTOP)
        let run = try cluster.start(marking(cluster.work))
        let starts = cluster.agent.dataDirectory + "/starts"
        try cluster.waitPhase(run, "starting")
        try eventually(within: 20, "the agent has journalled it") {
            TextFile.size(cluster.agent.dataDirectory + "/journal") > 0
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: starts)
        try #require(files.isEmpty, "a frozen shim starts nothing")
        cluster.agent.kill()
        return run
    }

    @Test func acceptedInAFrozenShimStartsOnce() async throws {
        try await Cluster.with { cluster in
            let run = try Self.acceptedNotStarted(cluster)
            try cluster.agent.start()
            try cluster.waitConnected("a1")
            cluster.agent.signalShims(SIGCONT)
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("mark").count == 1)
        }
    }

    @Test func acceptedInADeadShimStartsElsewhereOnTheSameAgent() async throws {
        try await Cluster.with { cluster in
            let run = try Self.acceptedNotStarted(cluster)
            try cluster.agent.killShims()
            try cluster.agent.start()
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("mark").count == 1)
        }
    }

    @Test func stoppingWhileTheAgentWasAway() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(Self.marking(cluster.work, then: "sleep 600"))
            try cluster.waitLines("pids")
            cluster.agent.kill()
            try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", [:])
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            try #require(ProcessTable.isAlive(pid), "an absent agent's step goes on")
            try cluster.agent.start()
            let end = try cluster.finish(run)
            #expect(end["status"].text == "cancelled", "\(end)")
            #expect(!ProcessTable.isAlive(pid))
            #expect(cluster.lines("mark").count == 1)
        }
    }

    @Test func shimDiesUnderALivingAgent() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(Self.marking(cluster.work, then: "sleep 600"))
            try cluster.waitLines("pids")
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            try cluster.agent.killShims()
            let end = try cluster.finish(run)
            #expect(Cluster.attempt(end)["result"].text == "lost", "\(end)")
            if cluster.agent.cgroup != nil {
                try eventually(within: 5, "the tree is dead") { !ProcessTable.isAlive(pid) }
            }
            let next = try cluster.start("true", name: "next")
            #expect(try cluster.finish(next)["status"].text == "success", "the agent goes on")
        }
    }

    /// A partition, a forced end on the controller, and the agent's return.
    private static func forcedEnd(_ cluster: Cluster, _ run: Int64) throws -> JSON {
        try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", ["force": true])
        let end = try cluster.finish(run)
        try #require(attempt(end)["result"].text == "lost", "\(end)")
        return end
    }

    private static func attempt(_ run: JSON) -> JSON { Cluster.attempt(run) }

    @Test func terminalAndAliveIsStopped() async throws {
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let run = try cluster.start(Self.marking(cluster.work, then: "sleep 600"))
            try cluster.waitLines("pids")
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            cluster.proxy.cut()
            try cluster.waitPhase(run, "unreachable", within: 60)
            let end = try Self.forcedEnd(cluster, run)
            try #require(ProcessTable.isAlive(pid), "the step of a silent agent lives on")
            cluster.proxy.heal()
            try eventually(within: 60, "it is stopped when the agent is back") { !ProcessTable.isAlive(pid) }
            #expect(try cluster.show(run)["status"] == end["status"], "an end never changes")
            try eventually(within: 30, "its spool is gone") {
                !TextFile.exists(cluster.agent.spool(Self.attempt(end)["id"].int ?? 0))
            }
        }
    }

    @Test func terminalAndEndedIsForgotten() async throws {
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let run = try cluster.start(
                Self.marking(cluster.work, then: "while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done"))
            try cluster.waitLines("pids")
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            cluster.proxy.cut()
            try cluster.waitPhase(run, "unreachable", within: 60)
            let end = try Self.forcedEnd(cluster, run)
            let spool = cluster.agent.spool(Self.attempt(end)["id"].int ?? 0)
            try cluster.touch("go")
            try eventually(within: 20, "the step ends") { !ProcessTable.isAlive(pid) }
            try #require(TextFile.exists(spool), "the spool is kept until FORGET")
            cluster.proxy.heal()
            try eventually(within: 60, "FORGET comes") { !TextFile.exists(spool) }
            #expect(try cluster.show(run)["status"] == end["status"], "an end never changes")
        }
    }

    @Test func attemptsThatWereNeverIssued() async throws {
        try await Cluster.with { cluster in
            let data = cluster.controller.dataDirectory
            try cluster.controller.terminate()
            try #require(try ChildProcess.run("/bin/cp", ["-a", data, cluster.root + "/backup"]).code == 0)
            try cluster.controller.start()
            cluster.api.disconnect()
            try cluster.waitConnected("a1")
            let run = try cluster.start(Self.marking(cluster.work))
            try #require(try cluster.finish(run)["status"].text == "success")
            cluster.controller.kill()
            cluster.api.disconnect()
            try #require(try ChildProcess.run("/bin/rm", ["-rf", data]).code == 0)
            try #require(try ChildProcess.run("/bin/mv", [cluster.root + "/backup", data]).code == 0)
            try cluster.controller.start()
            try eventually(within: 45, "the agent is told why it is refused") {
                TextFile.read(cluster.agent.log).contains("4412")
                    || TextFile.read(cluster.agent.log).contains("never made")
            }
            try #require(!(try cluster.agentState("a1")["connected"].isTrue))
            let again = try cluster.start(Self.marking(cluster.work))
            Clock.pause(2)
            #expect(try cluster.show(again)["phase"].text != "finished")
            #expect(cluster.lines("mark").count == 1, "a controller that was rolled back starts nothing there")
        }
    }
}
