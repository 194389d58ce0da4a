import Foundation
import TestSupport
import Testing

/// Pipelines that people really use with a real controller and agents: groups, gates, artifacts, matrices, reports. What `ansflow
/// exec` can show of them is in ``FixtureExecTests``.
@Suite struct FixtureClusterTests {
    @Test func neverTwoDeploysAtOnce() async throws {
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, slots: 2) }
        try await Cluster.with(agents) { cluster in
            let deploy = try FixtureCluster("deploy", cluster)
            let server = "\(cluster.work)/server"
            try FileManager.default.createDirectory(atPath: server, withIntermediateDirectories: true)
            let runs = try (1...5).map { _ in try deploy.start("target=\(server)") }
            for run in runs {
                let end = try cluster.finish(run, within: 90)
                #expect(end["status"].text == "success", "\(end)")
            }
            #expect(TextFile.lines("\(server)/errors").isEmpty)
            // Each took half a second, and none began before another had ended. Who is ready first depends on the checks.
            let log = TextFile.lines("\(server)/log")
            let order = log.filter { $0.hasPrefix("begin ") }.map { String($0.dropFirst(6)) }
            #expect(
                log == order.flatMap { ["begin \($0)", "end \($0)"] } && order.sorted() == (1...5).map(String.init))
            #expect(TextFile.lines("\(server)/release") == order.suffix(1))
            let history = try cluster.api.get("/api/v1/projects/1/environments/production/deployments")
            #expect(Set(history["items"].items.compactMap { $0["run_id"].int }) == Set(runs), "\(history)")
            let listed = try deploy.ansflow("environment", "list")
            #expect(listed.code == 0 && listed.output.contains("production"), "\(listed)")
            let shown = try deploy.ansflow("environment", "show", "production")
            #expect(shown.code == 0 && (1...5).allSatisfy { shown.output.contains("deploy #\($0)") }, "\(shown)")
            #expect(try deploy.ansflow("environment", "show", "nowhere").code == 3)
        }
    }

    private static func waitsForApproval(_ run: Int64, _ cluster: Cluster) throws {
        try eventually(within: 60, "run \(run) waits for approval") {
            try cluster.show(run)["waiting"].items.contains { $0["kind"].text == "approval" }
        }
    }

    @Test func aReleaseWaitsForAWord() async throws {
        try await Cluster.with { cluster in
            let release = try FixtureCluster("release", cluster)
            _ = try cluster.api.call("PUT", "/api/v1/projects/1/secrets/upload_key", ["value": "upload-4711"])
            let run = try release.start()
            try Self.waitsForApproval(run, cluster)
            #expect(FixtureCluster.job(try cluster.show(run), "verify")["status"].text == "success")
            #expect(FixtureCluster.job(try cluster.show(run), "publish")["attempts"].items.isEmpty)
            let approved = try release.ansflow("approve", "\(run)", "publish", "--reason", "checked")
            #expect(approved.code == 0, "\(approved)")
            let end = try cluster.finish(run)
            #expect(end["status"].text == "success", "\(end)")
            let log = try release.log(run, "publish/upload")
            #expect(log.contains("uploading to beta") && log.contains("SHA256SUMS") && !log.contains("4711"), "\(log)")

            let declined = try release.start("channel=stable")
            try Self.waitsForApproval(declined, cluster)
            #expect(try release.ansflow("decline", "\(declined)", "publish", "--reason", "not today").code == 0)
            let no = try cluster.finish(declined)
            #expect(no["result"].text == "cancelled", "\(no)")
            let publish = FixtureCluster.job(no, "publish")
            #expect(publish["cause"].text == "approval_declined" && publish["attempts"].items.isEmpty, "\(publish)")
            // What was built is kept all the same.
            let kept = try cluster.api.get("/api/v1/pipeline-runs/\(declined)/artifacts")["items"].items
            #expect(kept.contains { $0["path"].text == "out/SHA256SUMS" }, "\(kept)")
        }
    }

    @Test func aSiteGoesFromJobToJobAndOut() async throws {
        try await Cluster.with { cluster in
            let site = try FixtureCluster("static-site", cluster)
            let run = try site.start()
            let end = try cluster.finish(run)
            #expect(end["status"].text == "success", "\(end)")
            #expect(end["jobs"].items.count == 3 && end["jobs"].items.allSatisfy { $0["status"].text == "success" })
            let items = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
            let pages = Set(items.compactMap { $0["path"].text }.filter { $0.hasSuffix(".html") })
            #expect(pages == ["public/index.html", "public/measure.html", "public/table.html"], "\(items)")
            let index = try #require(items.first { $0["path"].text == "public/index.html" })
            // The same bytes by API and by command line, whose hash is the one that is listed.
            let address = "/api/v1/pipeline-runs/\(run)/artifacts/file?job=build&path=public/index.html"
            let answer = try cluster.api.request("GET", address)
            #expect(answer.status == 200 && answer.text.contains("<!doctype html>"), "\(answer.text)")
            let target = "\(cluster.work)/index.html"
            let got = try site.ansflow("artifact", "get", "\(run)", "build", "public/index.html", "-o", target)
            #expect(got.code == 0, "\(got)")
            #expect(TextFile.read(target) == answer.text)
            #expect(try TextFile.sha256(target) == index["sha256"].text)
            let listed = try site.ansflow("artifact", "list", "\(run)", "--job", "build")
            #expect(pages.allSatisfy { listed.output.contains($0) }, "\(listed)")
        }
    }

    @Test func pythonTestsAreCounted() async throws {
        try await Cluster.with { cluster in
            let python = try FixtureCluster("python", cluster)
            let run = try python.start()
            let end = try cluster.finish(run)
            #expect(end["status"].text == "success", "\(end)")
            let tests = try cluster.api.get("/api/v1/pipeline-runs/\(run)/tests")
            let outcomes = tests["items"].items.compactMap { $0["outcome"].text }.sorted()
            #expect(outcomes == ["passed", "passed", "passed", "skipped"], "\(tests)")
            let summary = tests["summary"]
            #expect(
                summary["total"].int == 4 && summary["passed"].int == 3 && summary["skipped"].int == 1, "\(summary)")
            #expect(summary["failed"].int == 0 && summary["error"].int == 0, "\(summary)")
            let shown = try python.ansflow("tests", "\(run)", "--all")
            #expect(shown.code == 0 && shown.output.contains("test_a_bad_line_is_named"), "\(shown)")
            // One that fails is counted as such, and the step that runs them says so as well.
            try TextFile.write(
                "\(cluster.work)/python/tests/test_more.py",
                "import unittest\n\n\nclass More(unittest.TestCase):\n    def test_wrong(self):\n        self.assertEqual(1, 2)\n"
            )
            try python.commit("two")
            let bad = try python.start()
            #expect(try cluster.finish(bad)["status"].text == "failed")
            let worse = try cluster.api.get("/api/v1/pipeline-runs/\(bad)/tests")
            #expect(worse["summary"]["total"].int == 5 && worse["summary"]["failed"].int == 1, "\(worse["summary"])")
            #expect(worse["items"][0]["name"].text == "test_wrong", "failed ones come first: \(worse)")
            #expect(try python.ansflow("tests", "\(bad)").code == 1)
        }
    }

    @Test func aMatrixOfSanitizersOnTwoAgents() async throws {
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, slots: 2) }
        try await Cluster.with(agents) { cluster in
            let library = try FixtureCluster("c-library", cluster)
            let run = try library.start()
            let end = try cluster.finish(run, within: 180)
            // The cell with threads may fail: not every machine can run it.
            #expect(["success", "warning"].contains(end["status"].text), "\(end)")
            let cells = end["jobs"].items.filter { $0["name"].text?.hasPrefix("test[") ?? false }
            #expect(cells.count == 6, "\(cells)")
            for cell in cells {
                let allowed = cell["name"].text?.contains("thread") ?? false ? ["success", "warning"] : ["success"]
                #expect(allowed.contains(cell["status"].text ?? ""), "\(cell)")
            }
            let kept = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
            #expect(Set(kept.compactMap { $0["path"].text }) == ["libring.a", "src/ring.h"], "\(kept)")
        }
    }

    @Test func twoHundredCellsOnTwoAgents() async throws {
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, slots: 8) }
        try await Cluster.with(agents) { cluster in
            let fan = try FixtureCluster("fan-out", cluster)
            let run = try fan.start()
            let end = try cluster.finish(run, within: 240)
            #expect(end["status"].text == "success", "\(end["message"])")
            let cells = end["jobs"].items.filter { $0["name"].text != "plan" }
            #expect(cells.count == 200 && cells.allSatisfy { $0["status"].text == "success" })
            #expect(cells.allSatisfy { $0["attempts"].items.count == 1 }, "each cell ran once")
            #expect(Set(cells.compactMap { $0["agent"].text }) == ["a1", "a2"], "both agents took part")
            for (cell, value) in [("cell[column=0,row=a]", "a0"), ("cell[column=19,row=j]", "j133")] {
                let name = try #require(
                    cells.compactMap { $0["name"].text }.first { Self.axes($0) == Self.axes(cell) }, "\(cell)")
                #expect(try fan.log(run, "\(name)/work").hasSuffix("\(value)\n"), "\(name)")
            }
        }
    }

    /// `column=0` and `row=a` of `cell[column=0,row=a]`, in whatever order they stand.
    private static func axes(_ cell: String) -> Set<String> {
        Set(cell.drop { $0 != "[" }.dropFirst().dropLast().split(separator: ",").map(String.init))
    }

    /// Nights that passed while the controller was down: one run makes up for all of them where the schedule says so, none where it says
    /// that missed times are skipped, and no restart makes another.
    @Test(.enabled(if: NightClock.isThere, "it needs python3 with sqlite3")) func aNightIsNeverRunTwice() async throws {
        try await Cluster.with { cluster in
            let nightly = try FixtureCluster("nightly", cluster)
            let clock = NightClock(cluster)
            try eventually(within: 20, "both schedules are known") { try clock.schedules() == ["nightly", "weekly"] }
            #expect(try nightly.runs(event: "cron").isEmpty)
            cluster.controller.kill()
            try clock.setBack(days: 9)
            try cluster.controller.start()
            cluster.api.disconnect()
            try eventually(within: 30, "the missed night is made up for") {
                try nightly.runs(event: "cron").count == 1
            }
            // Killed at once, and told again that nobody has looked for days: what was fired is known by its slot.
            for round in 1...3 {
                let probe = try clock.makeProbe("probe-\(round)")
                cluster.controller.kill()
                try clock.setBack(days: 9)
                try cluster.controller.start()
                cluster.api.disconnect()
                try clock.waitForLook(probe)
            }
            let runs = try nightly.runs(event: "cron").filter { $0["pipeline_id"].int == 1 }
            #expect(runs.count == 1 && runs.first?["actor"].text == "schedule nightly", "\(runs)")
            let id = try #require(runs.first?["id"].int)
            #expect(try cluster.finish(id, within: 90)["status"].text == "success")
            let list = try cluster.api.get("/api/v1/pipelines/1/schedules")["items"].items
            #expect(list.map { $0["last_run_id"].int } == [id, nil], "\(list)")
        }
    }
}
