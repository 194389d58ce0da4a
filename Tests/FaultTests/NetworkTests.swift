import TestSupport
import Testing

/// Rows 6, 7 and 8 of the fault matrix: connections break, or fall silent.
@Suite struct NetworkTests {
    /// Silence ends a connection after 30 s; the rest is for a busy machine.
    private static let silence = 36.0

    @Test func resetInTheMiddleOfFrames() async throws {
        let resets = Binaries.isFull ? 8 : 3
        let log = NumberedLog(megabytes: Binaries.isFull ? 8 : 2, chunks: 1)
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let run = try cluster.start(log.script(cluster.work))
            try cluster.waitLines("mark")
            var faults = FaultProxy.Faults()
            faults.resetAfter = 200 * 1024 + 77
            cluster.proxy.faults = faults
            try log.releaseAll(cluster)
            // Waits between dials double each time.
            try eventually(within: 240, "\(resets) resets") { cluster.proxy.resetCount >= resets }
            cluster.proxy.faults = FaultProxy.Faults()
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            try #require(cluster.lines("mark").count == 1)
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }

    @Test func sliced() async throws {
        let log = NumberedLog(megabytes: 1, chunks: 1)
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            var faults = FaultProxy.Faults()
            faults.toServer.slice = 997
            faults.toClient.slice = 3
            faults.toClient.latency = 0.0005
            cluster.proxy.faults = faults
            let run = try cluster.start(log.script(cluster.work))
            try log.releaseAll(cluster)
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }

    @Test func halfOpen() async throws {
        let log = NumberedLog(megabytes: Binaries.isFull ? 64 : 8, chunks: 1)
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let run = try cluster.start(log.script(cluster.work))
            try cluster.waitLines("mark")
            let link = try #require(cluster.proxy.newest)
            let before = (cluster.controller.process?.residentBytes ?? 0, cluster.agent.process?.residentBytes ?? 0)
            var faults = FaultProxy.Faults()
            faults.blackholeAfter = Binaries.isFull ? 10 << 20 : 2 << 20
            cluster.proxy.faults = faults
            try log.releaseAll(cluster)
            try eventually(within: 30, "enough has gone through") { link.bytesToServer >= faults.blackholeAfter ?? 0 }
            let silentSince = Clock.seconds
            // The agent's own goodbye stands behind bytes that nobody takes, so its next dial is what shows that it has closed.
            try eventually(within: Self.silence, "the controller closes a silent connection") {
                link.serverClosedAt != nil
            }
            try eventually(within: Self.silence, "the agent closes a silent connection and dials again") {
                cluster.proxy.connectionCount > 1
            }
            #expect(Clock.seconds - silentSince > 15, "it was silence that ended it")
            #expect(Clock.seconds - silentSince < Self.silence)
            let after = (cluster.controller.process?.residentBytes ?? 0, cluster.agent.process?.residentBytes ?? 0)
            #expect(after.0 - before.0 < 48 << 20, "the controller grew from \(before.0) to \(after.0)")
            #expect(after.1 - before.1 < 32 << 20, "the agent grew from \(before.1) to \(after.1)")
            cluster.proxy.heal()
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            try #require(cluster.lines("mark").count == 1)
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }

    @Test func oneDirectionIsDeaf() async throws {
        let log = NumberedLog(megabytes: 1, chunks: 2)
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, labels: ["host": $0], isProxied: true) }
        try await Cluster.with(agents) { cluster in
            let run = try cluster.start(log.script(cluster.work), labels: ["host": "a1"])
            try cluster.waitLines("mark")
            var faults = FaultProxy.Faults()
            faults.toServer.flow = .discard
            cluster.proxies["a1"]?.faults = faults
            faults = FaultProxy.Faults()
            faults.toClient.flow = .discard
            cluster.proxies["a2"]?.faults = faults
            try log.release(0, cluster)
            let links = try ["a1", "a2"].map { try #require(cluster.proxies[$0]?.newest) }
            // The side that hears nothing closes; its close reaches the other side where that direction is whole.
            try eventually(within: Self.silence, "the deaf controller closes") { links[0].serverClosedAt != nil }
            try eventually(within: Self.silence, "the deaf agent closes") { links[1].clientClosedAt != nil }
            try cluster.waitConnected("a1", false, within: 5)
            for proxy in cluster.proxies.values { proxy.heal() }
            try log.releaseAll(cluster)
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            try #require(cluster.lines("mark").count == 1)
            try #require(try cluster.differs(end, from: "tee") == nil)
            try cluster.waitConnected("a2")
        }
    }
}
