import TestSupport
import Testing

/// Steps of `finally` run whatever happened, and once.
@Suite struct FinallyTests {
    /// - Parameters:
    ///   - body: the job's one command.
    ///   - clean: more of the clean-up's, which begins with a line in `clean`.
    private static func start(_ body: String, clean: String = "true", _ cluster: Cluster) throws -> Int64 {
        let definition = """
            jobs:
              main:
                steps:
                  - id: work
                    run: |
                      echo work >> \(cluster.work)/work
                      \(body)
                finally:
                  - id: clean
                    timeout: 2m
                    run: |
                      echo begin >> \(cluster.work)/clean
                      \(clean)
                      echo end >> \(cluster.work)/clean
            """
        return try cluster.startRun(try cluster.createPipeline("p", definition))
    }

    private static func clean(_ run: JSON) -> JSON {
        run["jobs"][0]["steps"].items.first { $0["name"].text == "clean" } ?? .null
    }

    @Test func afterAFailure() async throws {
        try await Cluster.with { cluster in
            let end = try cluster.finish(try Self.start("exit 3", cluster))
            #expect(end["result"].text == "failed", "\(end)")
            #expect(Self.clean(end)["result"].text == "success")
            #expect(Self.clean(end)["stage"].text == "finally")
            #expect(cluster.lines("clean") == ["begin", "end"])
        }
    }

    @Test func afterACancel() async throws {
        try await Cluster.with { cluster in
            let run = try Self.start("sleep 600", cluster)
            try cluster.waitLines("work")
            #expect(try CommandLineClient(cluster)("cancel", "\(run)").code == 0)
            let end = try cluster.finish(run)
            #expect(end["result"].text == "cancelled", "\(end)")
            #expect(cluster.lines("clean") == ["begin", "end"])
        }
    }

    @Test func aSecondCancelSkipsIt() async throws {
        try await Cluster.with { cluster in
            let run = try Self.start("sleep 600", clean: "sleep 600", cluster)
            try cluster.waitLines("work")
            let ansflow = CommandLineClient(cluster)
            #expect(try ansflow("cancel", "\(run)").code == 0)
            try cluster.waitLines("clean")
            // A second plain cancel changes nothing.
            #expect(try ansflow("cancel", "\(run)").code == 0)
            #expect(try cluster.show(run)["phase"].text != "finished")
            #expect(try ansflow("cancel", "\(run)", "--skip-finally").code == 0)
            let end = try cluster.finish(run)
            #expect(end["result"].text == "cancelled", "\(end)")
            #expect(cluster.lines("clean") == ["begin"])
        }
    }

    @Test func skippedBeforeItBegan() async throws {
        try await Cluster.with { cluster in
            let run = try Self.start("sleep 600", cluster)
            try cluster.waitLines("work")
            #expect(try CommandLineClient(cluster)("cancel", "\(run)", "--skip-finally").code == 0)
            #expect(try cluster.finish(run)["result"].text == "cancelled")
            #expect(cluster.lines("clean").isEmpty)
        }
    }

    /// The clean-up goes on in its shim, and is neither lost nor done again.
    @Test(arguments: ["controller", "agent"]) func killedInTheMiddle(who: String) async throws {
        try await Cluster.with { cluster in
            let run = try Self.start(
                "exit 3", clean: "while [ ! -e \(cluster.work)/go ]; do sleep 0.1; done", cluster)
            try cluster.waitLines("clean")
            if who == "controller" {
                try cluster.controller.restart()
                cluster.api.disconnect()
            } else {
                cluster.agent.kill()
                try cluster.agent.start()
                try cluster.waitConnected("a1")
            }
            try cluster.touch("go")
            let end = try cluster.finish(run, within: 90)
            #expect(end["result"].text == "failed", "\(end)")
            #expect(Self.clean(end)["result"].text == "success", "\(Self.clean(end))")
            #expect(Self.clean(end)["attempts"].items.count == 1)
            #expect(cluster.lines("clean") == ["begin", "end"] && cluster.lines("work") == ["work"])
        }
    }
}
