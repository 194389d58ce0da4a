import TestSupport
import Testing

/// Shims that run nothing do not outlive their agent for long; those that run something do.
@Suite struct IdleShimTests {
    @Test func anAgentThatStopsTakesItsIdleShimsAlong() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                "echo start >> \(cluster.work)/mark; while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done")
            try cluster.waitLines("mark")
            try eventually(within: 20, "shims are warm") { Self.names(cluster).count >= 3 }
            try cluster.agent.terminate()
            // A shim has a child that is parked in it, with the same words on its command line.
            try eventually(within: 10, "only the step's shim is left") { Self.names(cluster).count == 1 }
            try cluster.agent.start()
            try cluster.touch("go")
            #expect(try cluster.finish(run)["status"].text == "success")
            #expect(cluster.lines("mark").count == 1)
        }
    }

    @Test(.enabled(if: Binaries.isFull, "they wait a minute for the next agent"))
    func anAgentThatIsKilledLeavesThemAMinute() async throws {
        try await Cluster.with { cluster in
            try eventually(within: 20, "shims are warm") { Self.names(cluster).count >= 2 }
            cluster.agent.kill()
            try eventually(within: 80, "all are gone", pause: 500) { cluster.agent.shims.isEmpty }
        }
    }

    /// By the directories that they serve.
    private static func names(_ cluster: Cluster) -> Set<String> {
        Set(
            cluster.agent.shims.compactMap { pid in
                TextFile.bytes("/proc/\(pid)/cmdline").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                    .first { $0.contains("/shims/") }
            })
    }
}
