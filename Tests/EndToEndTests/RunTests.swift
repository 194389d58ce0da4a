import TestSupport
import Testing

/// Runs as users start, watch and end them.
@Suite struct RunTests {
    @Test func followedRunsAndTheirExitCodes() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            for (name, script) in [("good", "echo all is well"), ("bad", "echo it breaks\n      exit 9")] {
                let path = try ansflow.file("\(name).yml", "steps:\n  - id: s\n    run: |\n      \(script)\n")
                let created = try ansflow("pipeline", "create", "--file", path, "--name", name)
                try #require(created.code == 0, "\(created)")
            }
            let good = try ansflow("run", "good", "--follow")
            #expect(good.code == 0 && good.output.contains("all is well"), "\(good)")
            let bad = try ansflow("run", "bad", "--follow")
            #expect(bad.code == 1 && bad.output.contains("it breaks") && bad.output.contains("failed"), "\(bad)")
            let shown = try ansflow("show", "2")
            #expect(shown.code == 0 && shown.output.contains("9"), "the exit code is shown: \(shown.output)")
            let list = try ansflow("runs", "--json")
            #expect(try JSON(parsing: Array(list.output.utf8))["total"].int == 2)
            #expect(try ansflow("run", "nobody").code == 3)
            #expect(try ansflow("logs", "1").output.contains("all is well"))
        }
    }

    @Test func logsAreTheSameInEveryForm() async throws {
        try await Cluster.with { cluster in
            let script = "seq 1 3000 | tee \(cluster.work)/tee; printf 'no end'| tee -a \(cluster.work)/tee"
            let run = try cluster.start(script)
            try cluster.finish(run)
            let raw = try cluster.rawLog(run)
            let header = try #require(try cluster.header(of: run, script))
            try #require(raw.dropFirst(header).elementsEqual(TextFile.bytes(cluster.work + "/tee")))
            let above = raw.prefix(header).filter { $0 == 10 }.count
            let text = try cluster.api.request("GET", cluster.logPath(run, "main/s", "format=text"))
            #expect(text.body == raw || text.body == raw + [10], "text that is text is the same")
            var lines: [String] = []
            var page = try cluster.api.get(cluster.logPath(run, "main/s", "format=json&lines=1000"))
            #expect(page["total"].int == Int64(above + 3001) && page["complete"].isTrue, "\(page["total"])")
            while !page["lines"].items.isEmpty {
                lines += page["lines"].items.compactMap { $0["text"].text }
                page = try cluster.api.get(
                    cluster.logPath(run, "main/s", "format=json&lines=1000&from_line=\(lines.count + 1)"))
            }
            #expect(lines.joined(separator: "\n") == String(decoding: raw, as: UTF8.self))
            for (header, range) in [
                ("bytes=0-9", 0..<10), ("bytes=5000-5999", 5000..<6000), ("bytes=-7", raw.count - 7..<raw.count),
            ] {
                let part = try cluster.api.request(
                    "GET", cluster.logPath(run, "main/s", "format=raw"), headers: ["Range": header])
                #expect(part.status == 206 && part.body.elementsEqual(raw[range]), "\(header): \(part.status)")
            }
            let beyond = try cluster.api.request(
                "GET", cluster.logPath(run, "main/s", "format=raw"), headers: ["Range": "bytes=999999-"])
            #expect(beyond.status == 416)
            let tail = try cluster.api.request("GET", cluster.logPath(run, "main/s", "format=text&tail=2"))
            #expect(tail.text.hasPrefix("3000\nno end"), "\(tail.text)")
            let ansflow = CommandLineClient(cluster)
            #expect(Array(try ansflow("logs", "\(run)", "main/s", "--raw").output.utf8) == raw)
            #expect(
                try ansflow("logs", "\(run)", "main/s", "--from-line", "\(above + 2999)").output.hasPrefix(
                    "2999\n3000\nno end"))
        }
    }

    @Test func waitingSaysForWhat() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("true", labels: ["gpu": "big"])
            let waiting = try eventually(within: 10, "a reason") { () -> JSON? in
                let reasons = try cluster.show(run)["waiting"]
                return reasons.items.isEmpty ? nil : reasons[0]
            }
            #expect(waiting["message"].text?.contains("gpu=big") == true, "\(waiting)")
            #expect(waiting["candidates"][0]["agent"].text == "a1", "\(waiting)")
            #expect(waiting["candidates"][0]["lacks"].text?.contains("gpu") == true, "\(waiting)")
            let ansflow = CommandLineClient(cluster)
            let shown = try ansflow("show", "\(run)")
            #expect(shown.output.contains("waits") && shown.output.contains("gpu"), "\(shown.output)")
            let cancelled = try ansflow("cancel", "\(run)", "--reason", "never mind")
            #expect(cancelled.code == 0, "\(cancelled)")
            let end = try cluster.finish(run)
            #expect(end["status"].text == "cancelled" && end["cancel_reason"].text == "never mind", "\(end)")
        }
    }

    @Test func cancelEndsARunningStep() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("echo start >> \(cluster.work)/mark; sleep 600")
            try cluster.waitLines("mark")
            try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", [:])
            let end = try cluster.finish(run, within: 20)
            #expect(end["status"].text == "cancelled")
            #expect(Cluster.attempt(end)["result"].text == "cancelled", "\(end)")
            let again = try cluster.api.request("POST", "/api/v1/pipeline-runs/\(run)/cancel", body: Array("{}".utf8))
            #expect(again.status == 200 || again.status == 409, "\(again.text)")
            #expect(try cluster.show(run)["status"].text == "cancelled")
        }
    }

    @Test func jobsOnTwoAgentsInOrder() async throws {
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, labels: ["host": $0], slots: 1) }
        try await Cluster.with(agents) { cluster in
            let note = "echo \"$ANSFLOW_JOB/$ANSFLOW_STEP $ANSFLOW_AGENT\" >> \(cluster.work)/order"
            let definition = """
                inputs: { level: { type: choice, options: [debug, release], default: debug } }
                jobs:
                  left: { agents: { host: a1 }, steps: [{ id: x, run: '\(note)' }, { id: y, run: '\(note)' }] }
                  right: { agents: { host: a2 }, steps: [{ id: x, run: '\(note)' }] }
                  breaks: { allow_failure: true, steps: [{ id: x, run: exit 1 }] }
                  end:
                    needs: [left, right, breaks]
                    if: inputs.level == 'release'
                    steps: [{ id: x, run: '\(note)' }]
                  never: { needs: [left], if: inputs.level == 'debug', steps: [{ id: x, run: '\(note)' }] }
                """
            let pipeline = try cluster.createPipeline("p", definition)
            let run = try cluster.startRun(pipeline, ["inputs": ["level": "release"]])
            let end = try cluster.finish(run)
            #expect(["success", "warning"].contains(end["status"].text), "\(end)")
            let order = cluster.lines("order")
            #expect(order.last?.hasPrefix("end/x") == true, "\(order)")
            #expect(Set(order.dropLast()) == ["left/x a1", "left/y a1", "right/x a2"], "\(order)")
            #expect(order.firstIndex(of: "left/x a1") ?? 9 < order.firstIndex(of: "left/y a1") ?? 0)
            let skipped = end["jobs"].items.first { $0["name"].text == "never" }
            #expect(skipped?["status"].text == "skipped", "\(skipped ?? .null)")
            let graph = try cluster.api.get("/api/v1/pipeline-runs/\(run)/graph")
            #expect(graph != .null)
        }
    }

    @Test func checkoutOfALocalRepository() async throws {
        try await Cluster.with { cluster in
            let repository = cluster.work + "/repo"
            let made = try ChildProcess.run(
                "/bin/sh",
                [
                    "-ec",
                    """
                    git init -q -b main \(repository); cd \(repository)
                    git config user.name tests; git config user.email tests@example.org
                    echo one > file; git add file; git commit -q -m one; git tag v1
                    echo two > file; git commit -q -a -m two
                    """,
                ])
            try #require(made.code == 0, "\(made)")
            let ansflow = CommandLineClient(cluster)
            let file = try ansflow.file("p.yml", "steps:\n  - { id: s, run: 'cat file; git log --oneline | wc -l' }\n")
            let created = try ansflow(
                "pipeline", "create", "--file", file, "--name", "p", "--repository", repository, "--ref", "main")
            try #require(created.code == 0, "\(created)")
            let newest = try ansflow("run", "p", "--follow")
            #expect(newest.code == 0 && newest.output.contains("two"), "\(newest)")
            let old = try ansflow("run", "p", "--ref", "refs/tags/v1", "--follow")
            #expect(old.code == 0 && old.output.contains("one"), "\(old)")
            let commit = try ChildProcess.run("/usr/bin/git", ["-C", repository, "rev-parse", "v1"]).output.prefix(40)
            let exact = try ansflow("run", "p", "--commit", String(commit), "--follow")
            #expect(exact.code == 0 && exact.output.contains("one"), "\(exact)")
            let absent = try ansflow("run", "p", "--ref", "nobody", "--follow")
            #expect(absent.code == 1, "\(absent)")
            #expect(absent.output.contains("nobody"), "it says what is missing: \(absent.output)")
        }
    }
}
