import Foundation
import TestSupport
import Testing

/// What the built program asks of a controller and what it makes of the answers.
@Suite struct RequestTests {
    static let run = #"""
        {"id":7,"number":3,"pipeline_id":2,"pipeline_name":"app","status":"failed","phase":"finished","result":"failed",
        "cause":"step_failed","ref":"main","event":"manual","created_at":"2026-01-02T03:04:05.000Z",
        "started_at":"2026-01-02T03:04:06.000Z","finished_at":"2026-01-02T03:05:16.500Z","seq":9,"waiting":[],
        "jobs":[{"id":1,"name":"build","status":"failed","phase":"finished","result":"failed","agent":"local",
        "steps":[{"id":4,"name":"test","status":"failed","phase":"finished","result":"failed","attempt":2,"exit_code":3,
        "cause":"exit","started_at":"2026-01-02T03:04:06.000Z","finished_at":"2026-01-02T03:04:07.400Z"}]}]}
        """#

    @Test func tokenAndUserAgentAreSent() async throws {
        let server = try await FakeController { _ in .json(Self.run) }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "key-1"])
        defer { client.removeHome() }
        let result = try await client.run(["show", "7"])
        #expect(result.code == 0, "\(result.errors)")
        let request = try #require(server.requests.first)
        #expect(request.path == "/api/v1/pipeline-runs/7")
        #expect(request.headers["authorization"] == "Bearer key-1")
        #expect(request.headers["user-agent"]?.hasPrefix("ansflow/") == true)
        #expect(result.output.contains("run 7 (app #3): failed in 1m 10s"))
        #expect(result.output.contains("exit code 3"))
        #expect(result.output.contains("attempt 2"))
        #expect(!result.output.contains("\u{1B}"), "no colours into a file")
        await server.close()
    }

    @Test func jsonIsTheControllersAnswer() async throws {
        let body = #"{"id":7,"status":"success","unknown_field":[1,2]}"#
        let server = try await FakeController { _ in .json(body) }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run(["show", "7", "--json"])
        #expect(result.output == body + "\n")
        await server.close()
    }

    @Test(arguments: [
        (401, 4, "ansflow login"), (403, 4, "permission"), (404, 3, "Run 7 was not found"), (409, 6, "because"),
        (422, 6, "because"), (429, 6, "again"), (500, 7, "r-1"), (503, 7, "ansflow status"),
    ])
    func errorsHaveTheirCodeAndCure(status: Int, code: Int32, text: String) async throws {
        let server = try await FakeController { _ in .problem(status, "because") }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run(["show", "7"])
        #expect(result.code == code)
        #expect(result.errors.contains(text), "\(result.errors)")
        #expect(result.output.isEmpty)
        await server.close()
    }

    @Test func aPipelineIsFoundByNameAndRunWithInputs() async throws {
        let server = try await FakeController { request in
            switch (request.method, request.path) {
            case ("GET", "/api/v1/pipelines"):
                .json(#"{"items":[{"id":1,"name":"other"},{"id":2,"name":"app"}],"page":1,"per_page":100,"total":2}"#)
            case ("POST", "/api/v1/pipelines/2/runs"): .json(#"{"id":9,"status":"pending"}"#, status: 201)
            default: .problem(404, "no")
            }
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run([
            "run", "app", "--input", "a=1=2", "--input", "has_gpu=", "--ref", "v1", "--priority", "5",
        ])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output == "run 9 of app started\n")
        let request = try #require(server.requests.last)
        #expect(request.body == #"{"inputs":{"a":"1=2","has_gpu":""},"priority":5,"ref":"v1"}"#)
        #expect(request.headers["idempotency-key"]?.count == 36)
        let missing = try await client.run(["run", "absent"])
        #expect(missing.code == 3)
        #expect(missing.errors.contains("ansflow pipeline list"))
        await server.close()
    }

    @Test func validateExitsWithOneAndNamesThePlace() async throws {
        let server = try await FakeController { request in
            request.body.contains("good")
                ? .json(#"{"valid":true,"diagnostics":[]}"#)
                : .json(
                    #"{"valid":false,"diagnostics":[{"severity":"error","line":3,"column":5,"message":"unknown word"}]}"#
                )
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let bad = try await client.run(["pipeline", "validate", "-"], input: "bad: 1\n")
        #expect(bad.code == 1)
        #expect(bad.output == "<stdin>:3:5: error: unknown word\n")
        let good = try await client.run(["pipeline", "validate", "-"], input: "good: 1\n")
        #expect(good.code == 0)
        let absent = try await client.run(["pipeline", "validate", "/nonexistent.yml"])
        #expect(absent.code == 3)
        await server.close()
    }

    @Test func inputsToBeGivenAreNotes() async throws {
        let server = try await FakeController { _ in
            .json(#"{"valid":true,"diagnostics":[],"notes":["The input `a` has no default."]}"#)
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let good = try await client.run(["pipeline", "validate", "-"], input: "x: 1\n")
        #expect(good.code == 0 && good.output == "<stdin>: note: The input `a` has no default.\n<stdin>: ok\n")
        await server.close()
    }

    /// Scripts must see that what they wanted did not arrive.
    @Test func outputThatCannotBeWrittenIsAnError() async throws {
        let server = try await FakeController { _ in .json(#"{"items":[],"page":1,"per_page":20,"total":0}"#) }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        for target in [">/dev/full", ">&-"] {
            let shell = ["-c", "exec \"$0\" \"$@\" \(target)", BuiltProducts.path("ansflow"), "runs", "--json"]
            let result = try await client.run(shell, program: "/bin/sh")
            #expect(result.code == 7, "\(target): \(result)")
            #expect(
                result.errors.hasPrefix("error: Standard output cannot be written: "), "\(target): \(result.errors)")
        }
        await server.close()
    }

    @Test func namesAreSafeToShowAndToPaste() async throws {
        let server = try await FakeController { _ in
            .json(#"{"id":3,"name":"my \u001b[31mapp's","version":1}"#, status: 201)
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run(["pipeline", "create", "-f", "-", "--name", "x"], input: "x: 1\n")
        #expect(result.output == "pipeline 3 (my app's) created, version 1\n")
        #expect(result.errors == #"Run it with: ansflow run 'my app'\''s' --follow"# + "\n")
        await server.close()
    }

    @Test func alarmsStandWithTheirAgents() async throws {
        let agent =
            #"{"id":1,"name":"one","alarms":[{"kind":"refused","message":"It was refused.","at":"2026-01-02T03:04:05.000Z","count":3}]}"#
        let server = try await FakeController { request in
            request.path == "/api/v1/agents/1" ? .json(agent) : .json(#"{"items":[\#(agent)],"total":1}"#)
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let line = "alarm: It was refused. (3 times), 2026-01-02 03:04:05"
        #expect(try await client.run(["agents"]).errors == "agent one: \(line)\n")
        #expect(try await client.run(["agent", "show", "one"]).output.hasSuffix("  \(line)\n"))
        await server.close()
    }

    @Test(arguments: [
        (3_200, "3 s ahead of"), (-1_000, "1 s behind"), (150_000, "3 min ahead of"), (-7_400_000, "2 h behind"),
        (864_000_000, "10 days ahead of"), (999, ""), (-400, ""),
    ]) func aWrongClockIsToldInWords(ahead: Int, words: String) async throws {
        let agent = #"{"id":1,"name":"one","clock_ahead_ms":\#(ahead)}"#
        let server = try await FakeController { request in
            request.path == "/api/v1/agents/1" ? .json(agent) : .json(#"{"items":[\#(agent)],"total":1}"#)
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let listed = words.isEmpty ? "" : "agent one: its clock is \(words) the controller's\n"
        #expect(try await client.run(["agents"]).errors == listed)
        let shown = try await client.run(["agent", "show", "one"]).output
        #expect(shown.contains("clock") == !words.isEmpty)
        #expect(words.isEmpty || shown.contains("\(words) the controller's"))
        await server.close()
    }

    @Test func cancelSaysWhereNothingWasCancelled() async throws {
        let server = try await FakeController { request in
            let ended = request.path.hasPrefix("/api/v1/pipeline-runs/1/")
            return .json(
                ended
                    ? #"{"id":1,"status":"success","phase":"finished","result":"success"}"#
                    : #"{"id":2,"status":"running","phase":"stopping"}"#)
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        #expect(
            try await client.run(["cancel", "1"]).output
                == "run 1: success (it had ended before; nothing was cancelled)\n")
        #expect(try await client.run(["cancel", "2"]).output == "run 2: stopping\n")
        await server.close()
    }

    @Test func theWrongKindOfPortIsNamed() async throws {
        let server = try await FakeController { _ in .json("{}") }
        let client = try Client(environment: ["ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let secure = server.url.replacing("http:", with: "https:")
        let result = try await client.run(["agents", "--url", secure])
        #expect(result.code == 5 && result.errors.contains("does not speak TLS"), "\(result)")
        #expect(result.errors.contains("http://"))
        await server.close()
    }

    @Test func logsOfOneStep() async throws {
        let server = try await FakeController { request in
            if request.path == "/api/v1/pipeline-runs/7" { return .json(Self.run) }
            guard request.path == "/api/v1/pipeline-runs/7/steps/build%2Ftest/log" else { return .problem(404, "no") }
            if request.query["format"] == "raw" { return .json("raw \u{1B}[31mbytes", status: 200) }
            let from = Int(request.query["from_line"] ?? "") ?? 3
            let all = (1...4).map { #"{"n":\#($0),"t_ms":\#($0),"text":"a\#(request.query["attempt"] ?? "")-\#($0)"}"# }
            let lines = all.dropFirst(from - 1).joined(separator: ",")
            return .json(#"{"first_line":\#(from),"total":4,"complete":true,"lines":[\#(lines)]}"#)
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let all = try await client.run(["logs", "7"])
        #expect(
            all.output == (1...4).map { "build/test | a1-\($0)\n" }.joined()
                + (1...4).map { "build/test#2 | a2-\($0)\n" }.joined())
        let tail = try await client.run(["logs", "7", "test", "--tail", "2"])
        #expect(tail.output == "a2-3\na2-4\n")
        let from = try await client.run(["logs", "7", "build/test", "--from-line", "4", "--attempt", "1", "--json"])
        #expect(from.output == #"{"attempt":1,"n":4,"step":"build/test","t_ms":4,"text":"a1-4"}"# + "\n")
        let raw = try await client.run(["logs", "7", "4", "--raw"])
        #expect(raw.output == "raw \u{1B}[31mbytes")
        let absent = try await client.run(["logs", "7", "deploy"])
        #expect(absent.code == 3)
        #expect(absent.errors.contains("build/test"))
        await server.close()
    }
}
