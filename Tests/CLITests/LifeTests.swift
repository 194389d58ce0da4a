import Foundation
import Testing

@testable import ansflow

/// Checking definitions here, running again, and answering approvals.
@Suite struct LifeTests {
    private static let waiting = #"""
        {"id":7,"number":3,"pipeline_id":2,"pipeline_name":"app","status":"running","phase":"running","result":null,
        "origin_id":5,"rerun":"failed","group":"ci-main","trusted":false,"event":"manual","actor":"admin","seq":9,
        "created_at":"2026-01-02T03:04:05.000Z","started_at":"2026-01-02T03:04:06.000Z","finished_at":null,
        "approvals":[{"job":"deploy","state":"waiting","message":"Ship it?","by":["maintainer"],
        "inputs":[{"name":"region","type":"choice","options":["eu","us"],"required":true,"description":"where"}],
        "expires_in_ms":3600000},
        {"job":null,"state":"approved","answered_by":"eve","reason":"ok","answered_at":"2026-01-02T03:04:05.000Z"}],
        "waiting":[{"job":"deploy","kind":"approval","message":"waits for a maintainer","remaining_ms":3600000},
        {"job":"build","step":"test","kind":"retry","message":"exit code 75; it is tried again in 12s","remaining_ms":12300},
        {"job":"pack","kind":"slots","message":"all slots are taken","position":2,
        "candidates":[{"agent":"one","lacks":"a free slot"},{"agent":"two","lacks":"label gpu=yes"}]},
        {"job":"","kind":"group","message":"waits for its group",
        "front":[{"run_id":4,"pipeline_name":"app","number":1,"job":null,"holds":true},
        {"run_id":6,"pipeline_name":"app","number":2,"job":"x","holds":false}]}],
        "jobs":[{"id":1,"name":"build","status":"running","phase":"running","agent":"one","attempts":[],
        "steps":[{"id":4,"name":"test","status":"running","phase":"queued","attempt":1,"exit_code":75,
        "attempts":[{"id":8,"number":1,"agent":"one","result":"failed","cause":"exit","exit_code":75,
        "started_at":"2026-01-02T03:04:06.000Z","finished_at":"2026-01-02T03:04:07.000Z"}]}]},
        {"id":2,"name":"lint","status":"success","phase":"finished","result":"success","carried_from":3,
        "environment":"staging","attempts":[
        {"id":1,"number":1,"agent":"one","result":"lost","cause":"agent_lost"},
        {"id":2,"number":2,"agent":"two","result":"success"}],"steps":[]}]}
        """#

    private func client(_ server: FakeController) throws -> Client {
        try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
    }

    // MARK: validate

    @Test func validateNeedsNoController() async throws {
        let client = try Client(environment: ["ANSFLOW_URL": "http://127.0.0.1:1"])
        defer { client.removeHome() }
        let good = client.home + "/good.yml"
        let bad = client.home + "/bad.yml"
        try Data("jobs:\n  a: { steps: [{ run: x }] }\n  b: { needs: [a], steps: [{ id: s, run: y }] }\n".utf8)
            .write(to: URL(fileURLWithPath: good))
        try Data("jobs:\n  a: { stepz: [], needs: [c] }\n  b: { runs: 1 }\n".utf8)
            .write(to: URL(fileURLWithPath: bad))
        let fine = try await client.run(["validate", good, "--graph"])
        #expect(fine.code == 0, "\(fine)")
        #expect(fine.output.hasPrefix("\(good): ok\n"))
        #expect(fine.output.contains("  b  needs a\n    checkout\n    s  needs checkout"), "\(fine.output)")
        let wrong = try await client.run(["validate", good, bad])
        #expect(wrong.code == 1)
        let lines = wrong.output.split(separator: "\n")
        #expect(lines.first == "\(good): ok")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("\(bad):") && $0.contains(": error: ") }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("\(bad):2:") } && lines.contains { $0.hasPrefix("\(bad):3:") })
        #expect(wrong.output.contains("stepz"))
        let input = try await client.run(["validate", "-", "--json"], input: "steps: [{ run: x }]\n")
        #expect(input.code == 0)
        #expect(input.output == #"{"files":[{"diagnostics":[],"file":"<stdin>","valid":true}],"valid":true}"# + "\n")
        #expect(try await client.run(["validate", client.home + "/absent.yml"]).code == 3)
        #expect(try await client.run(["validate", "-", "-"]).code == 2)
    }

    @Test func includedFilesComeFromTheCheckout() async throws {
        let client = try Client()
        defer { client.removeHome() }
        let top = client.home + "/tree"
        for folder in [".git", "ci"] {
            try FileManager.default.createDirectory(atPath: top + "/" + folder, withIntermediateDirectories: true)
        }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: top + "/" + name))
        }
        try write("ci/main.yml", "include: [ci/more.yml]\njobs:\n  a: { steps: [{ run: x }] }\n")
        try write("ci/more.yml", "jobs:\n  b: { needs: [a], steps: [{ run: y }] }\n")
        let good = try await client.run(["validate", top + "/ci/main.yml", "--graph"])
        #expect(good.code == 0, "\(good)")
        #expect(good.output.contains("  b  needs a"))
        try write("ci/more.yml", "jobs:\n  b: { stepz: [] }\n")
        let bad = try await client.run(["validate", top + "/ci/main.yml"])
        #expect(bad.code == 1 && bad.output.contains("ci/more.yml:2:"), "\(bad)")
        try FileManager.default.removeItem(atPath: top + "/ci/more.yml")
        #expect(try await client.run(["validate", top + "/ci/main.yml"]).code == 3)
    }

    /// Both readers are the same, so they say the same.
    @Test func aRequiredInputIsNotMissingHere() async throws {
        let client = try Client()
        defer { client.removeHome() }
        let text = "inputs: { level: { type: text, required: true } }\nsteps: [{ run: x }]\n"
        let result = try await client.run(["validate", "-"], input: text)
        #expect(result.code == 0, "\(result)")
    }

    // MARK: rerun

    @Test func rerunSaysWhatIsRunAgain() async throws {
        let server = try await FakeController { request in
            request.path.hasSuffix("/rerun") ? .json(#"{"id":9,"status":"pending"}"#, status: 201) : .problem(404, "no")
        }
        let client = try client(server)
        defer { client.removeHome() }
        let first = try await client.run(["rerun", "7"])
        #expect(first.code == 0, "\(first)")
        #expect(first.output == "run 9 repeats run 7\n")
        for arguments in [
            ["--failed"], ["--latest"], ["--from", "a/b"], ["--from", "t[os=a/b,n=1]/s"], ["--from", "c"],
        ] {
            #expect(try await client.run(["rerun", "7"] + arguments).code == 0)
        }
        #expect(
            server.requests.map(\.body) == [
                #"{"mode":"all"}"#, #"{"mode":"failed"}"#, #"{"latest":true}"#,
                #"{"job":"a","mode":"from","step":"b"}"#, #"{"job":"t[os=a/b,n=1]","mode":"from","step":"s"}"#,
                #"{"job":"c","mode":"from"}"#,
            ])
        #expect(Set(server.requests.compactMap { $0.headers["idempotency-key"] }).count == 6)
        for wrong in [["--failed", "--latest"], ["--from", "/x"], ["--from", "x/"], ["--failed", "--from", "x"]] {
            #expect(try await client.run(["rerun", "7"] + wrong).code == 2, "\(wrong)")
        }
        await server.close()
    }

    // MARK: approve, decline, cancel

    @Test func answersCarryJobReasonAndInputs() async throws {
        let server = try await FakeController { request in
            if request.body.contains("moon") {
                return FakeController.Response(
                    status: 422,
                    body: #"{"detail":"wrong","errors":[{"path":"inputs.region","message":"It must be eu or us."}]}"#,
                    type: "application/problem+json")
            }
            return .json(#"{"run_id":7,"job":"deploy","state":"approved"}"#)
        }
        let client = try client(server)
        defer { client.removeHome() }
        let yes = try await client.run(["approve", "7", "deploy", "--reason", "fine", "-i", "region=eu", "-i", "n=1=2"])
        #expect(yes.code == 0, "\(yes)")
        #expect(yes.output == "job deploy of run 7: approved\n")
        #expect(server.requests[0].path == "/api/v1/pipeline-runs/7/approve")
        #expect(server.requests[0].body == #"{"inputs":{"n":"1=2","region":"eu"},"job":"deploy","reason":"fine"}"#)
        #expect(try await client.run(["decline", "7", "--reason", "no"]).code == 0)
        #expect(server.requests[1].path == "/api/v1/pipeline-runs/7/decline")
        #expect(server.requests[1].body == #"{"reason":"no"}"#)
        let moon = try await client.run(["approve", "7", "--input", "region=moon"])
        #expect(moon.code == 6)
        #expect(moon.errors.contains("inputs.region: It must be eu or us."), "\(moon.errors)")
        #expect(try await client.run(["approve", "7", "--input", "region"]).code == 2)
        #expect(try await client.run(["approve", "7", "-i", "a=1", "-i", "a=2"]).code == 2)
        await server.close()
    }

    @Test func cancelAndRunSayWhatIsWanted() async throws {
        let server = try await FakeController { request in
            switch request.path {
            case "/api/v1/pipelines/2": .json(#"{"id":2,"name":"app"}"#)
            default: .json(#"{"id":9,"status":"pending"}"#)
            }
        }
        let client = try client(server)
        defer { client.removeHome() }
        #expect(try await client.run(["cancel", "7", "--skip-finally"]).code == 0)
        #expect(server.requests[0].body == #"{"skip_finally":true}"#)
        #expect(try await client.run(["run", "2", "--tag", "v1", "--untrusted", "-i", "a=b"]).code == 0)
        #expect(server.requests.last?.body == #"{"inputs":{"a":"b"},"tag":"v1","untrusted":true}"#)
        #expect(try await client.run(["run", "2", "--branch", "x"]).code == 0)
        #expect(server.requests.last?.body == #"{"branch":"x"}"#)
        #expect(try await client.run(["run", "2", "--branch", "x", "--ref", "y"]).code == 2)
        await server.close()
    }

    // MARK: show

    @Test func showSaysWhatWaitsAndWhy() async throws {
        let server = try await FakeController { request in
            request.path == "/api/v1/approvals"
                ? .json(
                    #"{"items":[{"run_id":7,"run_number":3,"pipeline_name":"app","job":"deploy","environment":"live","by":["owner"],"expires_in_ms":60000,"message":"Go?"}],"total":1}"#
                ) : .json(Self.waiting)
        }
        let client = try client(server)
        defer { client.removeHome() }
        let shown = try await client.run(["show", "7"])
        #expect(shown.code == 0, "\(shown)")
        for text in [
            "run 5, what failed", "ci-main", "untrusted",
            "approval deploy: waits for the word of a maintainer, 1h 00m left",
            "Ship it?", "--input region=<eu|us>, required  where", "ansflow approve 7 deploy",
            "approval the run: approved by eve at 2026-01-02 03:04:05: ok",
            "waits build/test: exit code 75; it is tried again in 12s",
            "waits pack: all slots are taken (place 2 in the queue)", "one: a free slot", "two: label gpu=yes",
            "run 4 (app #1): holds the group", "run 6 (app #2, job x): waits before", "taken over", "to staging",
            "attempt 1", "agent_lost",
        ] {
            #expect(shown.output.contains(text), "\(text) is missing in:\n\(shown.output)")
        }
        let list = try await client.run(["approvals"])
        #expect(list.output.contains("app #3") && list.output.contains("deploy") && list.output.contains("1m 00s"))
        await server.close()
    }

    @Test func aFollowerTellsEachTryOnce() throws {
        var state = FollowState()
        func look(_ text: String) throws -> [FollowState.Output] {
            let run = try JSON.decode(RunModel.self, from: Array(text.utf8))
            return state.look(at: run, all: true).compactMap { if case .show(let output) = $0 { output } else { nil } }
        }
        let place = StepPlace(job: "build", step: "test")
        let first = try look(Self.waiting)
        #expect(first.contains(.stepBegan(place, attempt: 1, agent: "one")) == false, "it has no start of its own")
        #expect(
            first.contains(
                .attemptEnded(
                    LogKey(place: place, attempt: 1), status: "failed", note: "exit code 75", duration: "1.0s")))
        let told = first.compactMap { if case .waiting(let text) = $0 { text } else { nil } }
        #expect(told.contains("build/test: exit code 75; it is tried again in 12s"), "\(told)")
        #expect(told.contains("deploy: waits for a maintainer (ansflow approve 7 deploy)"), "\(told)")
        // What only counts down is not told again.
        let later = Self.waiting.replacing("12300", with: "9000").replacing("in 12s", with: "in 9s").replacing(
            "3600000", with: "3500000")
        #expect(try look(later).isEmpty)
        // The job is done again from its first step: its second end is told too.
        let ended = #"""
            {"id":7,"status":"running","phase":"running","jobs":[{"name":"build","status":"running","agent":"two",
            "steps":[{"name":"test","status":"success","phase":"finished","result":"success","attempt":2,
            "started_at":"2026-01-02T03:05:06.000Z","finished_at":"2026-01-02T03:05:08.000Z"}]}]}
            """#
        let end = try look(ended)
        #expect(end.contains(.stepBegan(place, attempt: 2, agent: "two")))
        #expect(end.contains(.stepEnded(place, status: "success", note: "", duration: "2.0s")))
        #expect(try look(ended).isEmpty)
    }

    @Test func everyCommandOfALifeHasExamples() async throws {
        let client = try Client()
        defer { client.removeHome() }
        for command in ["validate", "rerun", "approve", "decline", "approvals"] {
            let result = try await client.run([command, "--help"])
            #expect(result.code == 0 && result.output.contains("Examples:"), "\(command)")
            #expect(result.output.contains("  ansflow \(command)"), "\(command)")
        }
        let completion = try await client.run(["--generate-completion-script", "bash"])
        for word in ["rerun", "approve", "--skip-finally", "--from", "validate"] {
            #expect(completion.output.contains(word), "\(word)")
        }
    }
}
