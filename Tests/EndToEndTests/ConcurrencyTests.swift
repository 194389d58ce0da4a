import TestSupport
import Testing

/// Runs and jobs of which only so many go on at a time.
@Suite struct ConcurrencyTests {
    /// Holds the group until the test lets it go on.
    private static func definition(_ cluster: Cluster, _ words: String, job: Bool = false) -> String {
        let group = "concurrency: { group: g, \(words) }"
        return """
            \(job ? "" : group)
            jobs:
              main:
                \(job ? group : "timeout: 10m")
                steps:
                  - id: s
                    run: |
                      echo "begin $ANSFLOW_RUN_ID" >> \(cluster.work)/order
                      while [ ! -e \(cluster.work)/go-$ANSFLOW_RUN_ID ]; do sleep 0.1; done
                      echo "end $ANSFLOW_RUN_ID" >> \(cluster.work)/order
            """
    }

    private static func waits(_ run: Int64, behind: Int64, _ cluster: Cluster) throws {
        let reason = try eventually(within: 20, "run \(run) waits for its group") { () -> JSON? in
            try cluster.show(run)["waiting"].items.first { $0["kind"].text == "group" }
        }
        #expect(reason["front"].items.contains { $0["run_id"].int == behind }, "\(reason)")
    }

    @Test(arguments: [false, true]) func oneAfterTheOther(job: Bool) async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline("p", Self.definition(cluster, "on_new: queue", job: job))
            let runs = try (0..<3).map { _ in try cluster.startRun(pipeline) }
            try cluster.waitLines("order")
            try Self.waits(runs[1], behind: runs[0], cluster)
            try Self.waits(runs[2], behind: runs[1], cluster)
            let shown = try CommandLineClient(cluster)("show", "\(runs[1])")
            #expect(shown.output.contains("holds the group") && shown.output.contains("run \(runs[0])"), "\(shown)")
            for run in runs {
                try cluster.touch("go-\(run)")
                #expect(try cluster.finish(run)["status"].text == "success")
            }
            #expect(cluster.lines("order") == runs.flatMap { ["begin \($0)", "end \($0)"] })
        }
    }

    @Test func aNewRunTakesThePlaceOfThoseThatWait() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline("p", Self.definition(cluster, "on_new: cancel_pending"))
            let first = try cluster.startRun(pipeline)
            try cluster.waitLines("order")
            let second = try cluster.startRun(pipeline)
            try Self.waits(second, behind: first, cluster)
            let third = try cluster.startRun(pipeline)
            let superseded = try cluster.finish(second)
            #expect(superseded["result"].text == "cancelled" && superseded["cause"].text == "superseded")
            for run in [first, third] { try cluster.touch("go-\(run)") }
            #expect(try cluster.finish(first)["status"].text == "success")
            #expect(try cluster.finish(third)["status"].text == "success")
            #expect(!cluster.lines("order").contains("begin \(second)"))
        }
    }

    @Test func aNewRunEndsTheOneThatRuns() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline("p", Self.definition(cluster, "on_new: cancel_running"))
            let first = try cluster.startRun(pipeline)
            try cluster.waitLines("order")
            let second = try cluster.startRun(pipeline)
            let superseded = try cluster.finish(first)
            #expect(superseded["result"].text == "cancelled" && superseded["cause"].text == "superseded")
            try cluster.touch("go-\(second)")
            #expect(try cluster.finish(second)["status"].text == "success")
            #expect(cluster.lines("order") == ["begin \(first)", "begin \(second)", "end \(second)"])
        }
    }

    @Test func theGroupIsKeptOverAKill() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline("p", Self.definition(cluster, "on_new: queue"))
            let runs = try (0..<3).map { _ in try cluster.startRun(pipeline) }
            try cluster.waitLines("order")
            try cluster.controller.restart()
            cluster.api.disconnect()
            try Self.waits(runs[1], behind: runs[0], cluster)
            for run in runs {
                try cluster.touch("go-\(run)")
                #expect(try cluster.finish(run, within: 90)["status"].text == "success")
            }
            #expect(cluster.lines("order") == runs.flatMap { ["begin \($0)", "end \($0)"] })
        }
    }
}
