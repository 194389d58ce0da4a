import TestSupport
import Testing

/// What is wrong gets an error that says where, and costs nothing else anything.
@Suite struct BadInputTests {
    @Test func requestsThatAreRefused() async throws {
        try await Cluster.with { cluster in
            let api = cluster.api
            let anonymous = APIClient(port: cluster.controller.port)
            func status(_ method: String, _ path: String, _ body: String? = nil) throws -> Int {
                let answer = try api.request(method, path, body: body.map { Array($0.utf8) })
                if answer.status >= 400 {
                    #expect(answer.headers["content-type"]?.hasPrefix("application/problem+json") == true, "\(path)")
                    #expect(try answer.json()["request_id"].text != nil)
                }
                return answer.status
            }
            #expect(try anonymous.request("GET", "/api/v1/pipelines").status == 401)
            anonymous.token = "nonsense"
            #expect(try anonymous.request("GET", "/api/v1/pipelines").status == 401)
            for path in ["/api/v1/pipelines/99", "/api/v1/pipeline-runs/99", "/api/v1/agents/99", "/nowhere"] {
                #expect(try status("GET", path) == 404, "\(path)")
            }
            #expect(try status("GET", "/api/v1/pipeline-runs/99/steps/main/s/log") == 404)
            #expect(try status("POST", "/api/v1/pipelines/99/runs", "{}") == 404)
            #expect(try status("POST", "/api/v1/pipeline-runs/99/cancel", "{}") == 404)
            #expect(try status("GET", "/api/v1/pipeline-runs?colour=red") == 400)
            #expect(try status("GET", "/api/v1/pipeline-runs/abc") >= 400)
            #expect(try status("POST", "/api/v1/pipelines", "{\"name\":") == 400)
            #expect(try status("POST", "/api/v1/pipelines", "{\"name\": 7}") == 422)
            let put = try api.request("PUT", "/api/v1/pipelines", body: Array("{}".utf8))
            #expect(put.status == 405 && put.headers["allow"]?.contains("POST") == true)
            let huge = "{\"name\":\"x\",\"definition\":\"" + String(repeating: "a", count: 3 << 20) + "\"}"
            #expect(try status("POST", "/api/v1/pipelines", huge) == 413)
            #expect(try status("GET", "/api/v1/pipelines") == 200, "nothing else was hurt")
            let wrong = Result { try APIClient(port: cluster.controller.port).login("admin", "wrong") }
            #expect(throws: TestFailure.self) { try wrong.get() }
        }
    }

    @Test func definitionsThatAreWrong() async throws {
        try await Cluster.with([]) { cluster in
            let ansflow = CommandLineClient(cluster)
            let path = try ansflow.file(
                "wrong.yml",
                """
                jobs:
                  build:
                    steps:
                      - run: make
                        timeuot: 5m
                  test:
                    needs: [biuld]
                    steps: [{ run: make test }]
                """)
            let validated = try ansflow("pipeline", "validate", path)
            #expect(validated.code == 1)
            #expect(validated.output.contains("\(path):5:9: error:"), "\(validated.output)")
            #expect(validated.output.contains("timeout"), "the nearest word: \(validated.output)")
            #expect(validated.output.contains(":7:"), "all errors at once: \(validated.output)")
            let created = try ansflow("pipeline", "create", "--file", path, "--name", "wrong")
            #expect(created.code == 6, "\(created)")
            #expect(created.errors.contains("timeuot"), "\(created.errors)")
            let broken = try ansflow.file("broken.yml", "jobs: [unclosed\n  - : :\n")
            let malformed = try ansflow("pipeline", "validate", broken)
            #expect(malformed.code == 1 && malformed.output.contains("\(broken):"), "\(malformed)")
            let body: JSON = ["name": "wrong", "definition": .string(TextFile.read(path))]
            let answer = try cluster.api.request("POST", "/api/v1/pipelines", body: body.bytes)
            #expect(answer.status == 422)
            #expect(try answer.json()["errors"].items.count >= 2, "\(answer.text)")
            #expect(try cluster.api.get("/api/v1/pipelines")["total"].int == 0)
            let later = try ansflow.file("later.yml", "steps:\n  - run: make\n    container: debian\n")
            let refused = try ansflow("pipeline", "validate", later)
            #expect(refused.code == 1 && refused.output.contains("not supported yet"), "\(refused.output)")
        }
    }

    /// Inputs are given when a run starts: without them a definition is right, and its graph can be drawn.
    @Test func inputsThatARunMustBeGiven() async throws {
        try await Cluster.with([]) { cluster in
            let ansflow = CommandLineClient(cluster)
            let text = """
                inputs:
                  target: { type: text, required: true }
                steps:
                  - { id: s, run: 'echo "$ANSFLOW_INPUT_TARGET"' }
                """
            let path = try ansflow.file("inputs.yml", text)
            let validated = try ansflow("pipeline", "validate", path)
            #expect(validated.code == 0, "\(validated)")
            #expect(validated.output.contains("\(path): note: The input `target` has no default"), "\(validated)")
            let answer = try cluster.api.call("POST", "/api/v1/pipelines/validate", ["definition": .string(text)])
            #expect(answer["valid"].isTrue && !answer["graph"]["nodes"].items.isEmpty, "\(answer)")
            let pipeline = try cluster.createPipeline("inputs", text)
            let refused = try cluster.api.request(
                "POST", "/api/v1/pipelines/\(pipeline)/runs", body: Array("{}".utf8))
            #expect(refused.status == 422 && refused.text.contains("target"), "a run needs it: \(refused.text)")
        }
    }

    @Test func portsThatAreTaken() async throws {
        try await Cluster.with([]) { cluster in
            let taken = cluster.controller
            for (port, agentPort, option) in [
                (taken.port, try Sockets.freePort(), "--listen"),
                (try Sockets.freePort(), taken.agentPort, "--agent-listen"),
            ] {
                let result = try ChildProcess.run(
                    Binaries.controller,
                    [
                        "serve", "--data-dir", cluster.work + "/second", "--listen", "127.0.0.1:\(port)",
                        "--agent-listen", "127.0.0.1:\(agentPort)",
                    ])
                #expect(result.code == 1, "\(result)")
                let wanted = "is in use by another program. Free it, or give another address with \(option)."
                #expect(result.errors.contains(wanted), "\(option): \(result.errors)")
            }
        }
    }

    @Test func stepsThatCanNotRun() async throws {
        try await Cluster.with { cluster in
            let absent = try cluster.finish(try cluster.start("no-such-command-anywhere --now", name: "absent"))
            #expect(absent["status"].text == "failed")
            #expect(Cluster.attempt(absent)["exit_code"].int == 127, "\(absent)")
            let log = String(decoding: try cluster.rawLog(absent["id"].int ?? 0), as: UTF8.self)
            #expect(log.contains("no-such-command-anywhere"), "\(log)")

            let answer = try cluster.api.call(
                "POST", "/api/v1/pipelines",
                [
                    "name": "clone", "definition": "steps:\n  - { id: s, run: 'true' }\n",
                    "repository": ["url": .string(cluster.work + "/no-such-repository"), "ref": "main"],
                ])
            let run = try cluster.startRun(answer["id"].int ?? 0)
            let end = try cluster.finish(run)
            #expect(end["status"].text == "failed", "\(end)")
            let steps = end["jobs"][0]["steps"].items
            #expect(steps.first?["name"].text == "checkout" && steps.first?["status"].text == "failed", "\(end)")
            #expect(steps.last?["status"].text != "success")
            let said = String(decoding: try cluster.rawLog(run, "main/checkout"), as: UTF8.self)
            #expect(said.contains("no-such-repository"), "\(said)")
            #expect(try cluster.finish(try cluster.start("true", name: "next"))["status"].text == "success")
        }
    }
}
