import TestSupport
import Testing

/// Runs again, all of it or in part.
@Suite struct RerunTests {
    /// `build`, then `test` which fails until the test lets it pass, then `pack`; `docs` beside them.
    private static func definition(_ cluster: Cluster, word: String = "one") -> String {
        func step(_ name: String, _ more: String = "true") -> String {
            "steps: [{ id: s, run: \"echo \(word)-$ANSFLOW_RUN_ID >> \(cluster.work)/\(name); \(more)\" }]"
        }
        return """
            jobs:
              build: { \(step("build")) }
              docs: { \(step("docs")) }
              test: { needs: [build], \(step("test", "test -e \(cluster.work)/pass")) }
              pack: { needs: [test], \(step("pack")) }
            """
    }

    /// A run in which `test` has failed.
    private static func failed(_ cluster: Cluster) throws -> (pipeline: Int64, run: Int64) {
        let pipeline = try cluster.createPipeline("p", definition(cluster))
        let run = try cluster.startRun(pipeline)
        #expect(try cluster.finish(run)["status"].text == "failed")
        try cluster.touch("pass")
        return (pipeline, run)
    }

    private static func number(_ output: String) throws -> Int64 {
        try #require(output.split(separator: " ").dropFirst().first.flatMap { Int64($0) })
    }

    @Test func onlyWhatFailedRunsAgain() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let (_, run) = try Self.failed(cluster)
            let answer = try CommandLineClient(cluster)("rerun", "\(run)", "--failed")
            try #require(answer.code == 0, "\(answer)")
            let again = try Self.number(answer.output)
            let end = try cluster.finish(again)
            #expect(end["status"].text == "success", "\(end)")
            #expect(end["origin_id"].int == run && end["rerun"].text == "failed")
            #expect(cluster.lines("build").count == 1 && cluster.lines("docs").count == 1)
            #expect(cluster.lines("test").count == 2 && cluster.lines("pack") == ["one-\(again)"])
            let kept = end["jobs"].items.filter { $0["carried_from"] != .null }.compactMap { $0["name"].text }
            #expect(kept == ["build", "docs"])
            let shown = try CommandLineClient(cluster)("show", "\(again)")
            #expect(shown.output.contains("taken over") && shown.output.contains("run \(run)"), "\(shown.output)")
            // Nothing of it failed, so there is nothing to do again.
            let nothing = try CommandLineClient(cluster)("rerun", "\(again)", "--failed")
            #expect(nothing.code == 6, "\(nothing)")
        }
    }

    @Test func fromOneJobOn() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let (_, run) = try Self.failed(cluster)
            let ansflow = CommandLineClient(cluster)
            let answer = try ansflow("rerun", "\(run)", "--from", "build/s", "--follow")
            #expect(answer.code == 0, "\(answer)")
            #expect(cluster.lines("build").count == 2 && cluster.lines("pack").count == 1)
            #expect(cluster.lines("docs").count == 1)
            #expect(try ansflow("rerun", "\(run)", "--from", "nothing").code == 6)
            // What it needs did not end well in that run.
            #expect(try ansflow("rerun", "\(run)", "--from", "pack").code == 6)
        }
    }

    @Test func theStoredPlanAndTheNewestDefinition() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let (pipeline, run) = try Self.failed(cluster)
            try cluster.api.call(
                "PATCH", "/api/v1/pipelines/\(pipeline)",
                ["definition": .string(Self.definition(cluster, word: "two"))])
            let ansflow = CommandLineClient(cluster)
            let same = try Self.number(try ansflow("rerun", "\(run)").output)
            #expect(try cluster.finish(same)["status"].text == "success")
            let newest = try Self.number(try ansflow("rerun", "\(run)", "--latest").output)
            let end = try cluster.finish(newest)
            #expect(end["status"].text == "success" && end["origin_id"].int == run)
            #expect(cluster.lines("build") == ["one-\(run)", "one-\(same)", "two-\(newest)"])
        }
    }

    @Test func aRunThatGoesOnCantRunAgain() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("sleep 600")
            let early = try CommandLineClient(cluster)("rerun", "\(run)")
            #expect(early.code == 6 && early.errors.contains("has not ended"), "\(early)")
            #expect(try CommandLineClient(cluster)("cancel", "\(run)").code == 0)
            try cluster.finish(run)
        }
    }

    @Test func oneKeyGivesOneRerunOverAKill() async throws {
        try await Cluster.with { cluster in
            let (_, run) = try Self.failed(cluster)
            let path = "/api/v1/pipeline-runs/\(run)/rerun"
            let headers = ["Idempotency-Key": "again-1"]
            let first = try cluster.api.call("POST", path, ["mode": "failed"], headers: headers)["id"].int
            try cluster.controller.restart()
            cluster.api.disconnect()
            let second = try cluster.api.call("POST", path, ["mode": "failed"], headers: headers)["id"].int
            #expect(first != nil && first == second)
            let end = try cluster.finish(try #require(first), within: 90)
            #expect(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("test").count == 2 && cluster.lines("pack").count == 1)
        }
    }
}
