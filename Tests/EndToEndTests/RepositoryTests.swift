import TestSupport
import Testing

/// Pipelines whose definition lies in their repository, and schedules.
@Suite struct RepositoryTests {
    private static func shell(_ script: String) throws -> String {
        let result = try ChildProcess.run(
            "/bin/sh", ["-ec", script],
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
            ])
        guard result.code == 0 else { throw TestFailure("\(script): \(result.errors)") }
        return String(result.output.drop { $0 == "\n" }.prefix { $0 != "\n" })
    }

    /// Writes files, commits them, and gives the commit's id.
    private static func commit(_ files: [String: String], in path: String) throws -> String {
        for (name, text) in files {
            _ = try shell("mkdir -p $(dirname '\(path)/\(name)')")
            try TextFile.write("\(path)/\(name)", text)
        }
        return try shell("cd '\(path)'; git add -A; git commit -q -m c; git rev-parse HEAD")
    }

    @Test func definitionsAreReadAtTheRunsCommit() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            let path = cluster.work + "/origin"
            _ = try Self.shell("git init -q -b main '\(path)'")
            let first = try Self.commit(
                [
                    ".ansflow.yml":
                        "include: [ci/more.yml]\njobs: { a: { steps: [{ run: \"echo first $ANSFLOW_COMMIT\" }] } }\n",
                    "ci/more.yml": "jobs: { b: { steps: [{ run: cat note }] } }\n", "note": "one\n",
                ], in: path)
            let created = try ansflow(
                "pipeline", "create", "--name", "app", "--repository", "file://\(path)", "--ref", "main")
            try #require(created.code == 0, "\(created)")
            let pipeline = try #require(
                try cluster.api.get("/api/v1/pipelines?q=app")["items"][0]["id"].int)
            let old = try cluster.finish(try cluster.startRun(pipeline))
            #expect(old["status"].text == "success" && old["commit"].text == first, "\(old)")
            #expect(old["jobs"].items.count == 2)
            let second = try Self.commit(
                [".ansflow.yml": "steps: [{ id: s, run: \"echo second $ANSFLOW_BRANCH\" }]\n"], in: path)
            let new = try cluster.startRun(pipeline)
            let ended = try cluster.finish(new)
            #expect(ended["commit"].text == second && ended["branch"].text == "main")
            #expect(try ansflow("logs", "\(new)").output.contains("second main"))
            // The old commit has its own definition still.
            let again = try cluster.finish(try cluster.startRun(pipeline, ["commit": .string(first)]))
            #expect(again["jobs"].items.count == 2 && again["commit"].text == first)
            let shown = try cluster.api.get("/api/v1/pipelines/\(pipeline)")
            #expect(shown["definition"].text?.contains("second") == true && shown["version"].int == 2)
            #expect(shown["repository"]["path"].text == ".ansflow.yml")

            let gone = try cluster.api.request(
                "POST", "/api/v1/pipelines/\(pipeline)/runs", body: Array("{\"ref\": \"nope\"}".utf8))
            #expect(gone.status == 422 && gone.text.contains("has no branch or tag `nope`"), "\(gone.text)")
            _ = try Self.commit([".ansflow.yml": "steps: [{ rnu: x }]\n"], in: path)
            let bad = try cluster.api.request("POST", "/api/v1/pipelines/\(pipeline)/runs", body: Array("{}".utf8))
            #expect(bad.status == 422 && bad.text.contains("rnu") && bad.text.contains(".ansflow.yml:1"), "\(bad.text)")
            _ = try Self.shell("mv '\(path)' '\(path).away'")
            let away = try cluster.api.request("POST", "/api/v1/pipelines/\(pipeline)/runs", body: Array("{}".utf8))
            #expect(away.status == 422 && away.text.contains("The repository could not be fetched"), "\(away.text)")
        }
    }

    @Test func schedulesStartRunsAndShowTheirTimes() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            let text = """
                on: { cron: [{ name: often, at: "* * * * *" }, { name: rare, at: "30 2 1 1 *", zone: Europe/Berlin }] }
                steps: [{ run: "echo $ANSFLOW_EVENT" }]
                """
            let path = try ansflow.file("timed.yml", text + "\n")
            let created = try ansflow("pipeline", "create", "--file", path, "--name", "timed")
            try #require(created.code == 0, "\(created)")
            let shown = try ansflow("pipeline", "show", "timed")
            #expect(shown.output.contains("# schedule rare: 30 2 1 1 * Europe/Berlin; next runs: 2"), "\(shown)")
            #expect(shown.output.contains("-01-01T01:30:00.000Z"), "\(shown)")
            let list = try cluster.api.get("/api/v1/pipelines/1/schedules?next=2")
            #expect(list["items"][0]["name"].text == "often" && list["items"][0]["next"].items.count == 2)
            let wrong = try ansflow.file("wrong.yml", text.replacing("Berlin", with: "Nowhere"))
            let refused = try ansflow("pipeline", "create", "--file", wrong, "--name", "wrong")
            #expect(refused.code != 0 && refused.errors.contains("Europe/Nowhere"), "\(refused)")
            let run: JSON = try eventually(within: 75, "the schedule starts a run", pause: 500) {
                try cluster.api.get("/api/v1/pipeline-runs")["items"].items.first
            }
            #expect(run["event"].text == "cron" && run["actor"].text == "schedule often", "\(run)")
            let id = try #require(run["id"].int)
            try cluster.finish(id)
            #expect(try ansflow("logs", "\(id)").output.contains("cron"))
            _ = try cluster.api.call("PATCH", "/api/v1/pipelines/1/schedules/often", ["enabled": false])
            let off = try cluster.api.get("/api/v1/pipelines/1/schedules")["items"][0]
            #expect(
                off["enabled"].isTrue == false && off["next"].items.isEmpty && off["last_run_id"].int == id, "\(off)")
        }
    }
}
