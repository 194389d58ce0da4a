import TestSupport
import Testing

/// Builds that Jenkins tells of, shown as runs.
@Suite struct JenkinsBuildTests {
    private static let secret = "a secret that Jenkins has"

    private struct Sender {
        var cluster: Cluster
        var hook: Int64

        func callAsFunction(
            _ phase: String, _ status: String? = nil, number: Int64 = 18, log: String = "",
            job: String = "widgets-nightly"
        ) throws -> JSON {
            let commit = String(repeating: "b", count: 39) + "2"
            let build: JSON = [
                "full_url": "https://ci.example.org/job/x/", "number": .integer(number), "phase": .string(phase),
                "status": status.map { .string($0) } ?? .null, "log": .string(log),
                "scm": ["branch": "origin/main", "commit": .string(commit)],
            ]
            let body: JSON = ["name": .string(job), "url": "job/x/", "build": build]
            let answer = try cluster.api.request(
                "POST", "/webhooks/jenkins?hook=\(hook)",
                headers: ["X-AnsFlow-Token": JenkinsBuildTests.secret, "Authorization": ""], body: body.bytes)
            guard answer.status == 202, let event = try answer.json()["event_id"].int else {
                throw TestFailure("\(phase): \(answer.status) \(answer.text)")
            }
            return try judged(event)
        }

        func judged(_ event: Int64) throws -> JSON {
            try eventually(within: 30, "the event \(event) is judged", pause: 50) {
                let row = try cluster.api.get("/api/v1/webhook-events/\(event)")
                return row["state"].text == "judged" ? row : nil
            }
        }

        func runs() throws -> [JSON] {
            try cluster.api.get("/api/v1/pipeline-runs?sort=created_at&per_page=100")["items"].items
        }
    }

    private static func sender(_ cluster: Cluster, mirrors: Bool = true) throws -> Sender {
        let pipeline = try cluster.createPipeline("nightly", Cluster.definition("true"))
        let made = try cluster.api.call(
            "POST", "/api/v1/projects/1/hooks",
            [
                "source": "jenkins", "name": "shown", "pipelines": .array([.integer(pipeline)]),
                "secret": .string(Self.secret), "mirrors_builds": .bool(mirrors),
            ])
        #expect(made["mirrors_builds"] == .bool(mirrors))
        return Sender(cluster: cluster, hook: try #require(made["id"].int))
    }

    @Test func aBuildIsARunFromItsStartToItsEnd() async throws {
        try await Cluster.with([]) { cluster in
            let send = try Self.sender(cluster)
            let queued = try send("QUEUED")
            #expect(queued["message"].text?.contains("once it starts") == true, "\(queued)")
            #expect(try send.runs().isEmpty)
            let started = try send("STARTED")
            let run = try #require(started["runs"][0].int, "\(started)")
            let shown = try cluster.show(run)
            #expect(shown["status"].text == "running" && shown["branch"].text == "main", "\(shown)")
            #expect(shown["actor"].text == "jenkins (hook shown)" && shown["event"].text == "reported")

            // Killed in between, and taken up again: the end finds the same run.
            try cluster.controller.restart()
            cluster.api.disconnect()
            _ = try send("COMPLETED", "FAILURE", log: "compiling\nno\n")
            let ended = try cluster.finish(run)
            #expect(ended["status"].text == "failed", "\(ended)")
            let log = String(decoding: try cluster.rawLog(run, "reported/report"), as: UTF8.self)
            #expect(log == "compiling\nno\n")
            let late = try send("FINALIZED", "FAILURE")
            #expect(late["message"].text?.contains("shown as run \(run)") == true, "\(late)")
            #expect(try send.runs().count == 1)
        }
    }

    @Test func whateverIsToldAgainIsTheSameRun() async throws {
        try await Cluster.with([]) { cluster in
            let send = try Self.sender(cluster)
            // The start was never told of.
            let first = try send("COMPLETED", "SUCCESS", number: 1)
            #expect(try send.runs().map(\.["status"].text) == ["success"])
            // It comes after all.
            _ = try send("STARTED", number: 1)
            let event = try #require(first["id"].int)
            let again = try cluster.api.call("POST", "/api/v1/webhook-events/\(event)/replay", [:])
            _ = try send.judged(try #require(again["event_id"].int))
            #expect(try send.runs().map(\.["status"].text) == ["success"])

            _ = try send("STARTED", number: 2)
            _ = try send("COMPLETED", "ABORTED", number: 2)
            _ = try send("STARTED", number: 3)
            _ = try send("COMPLETED", "UNSTABLE", number: 3)
            // Another job's build of the same number is another one.
            _ = try send("STARTED", number: 3, job: "gears")
            #expect(try send.runs().map(\.["status"].text) == ["success", "cancelled", "failed", "running"])

            // Who cancels here ends it here; the notice changes nothing more.
            let last = try #require(try send.runs().last?["id"].int)
            _ = try cluster.api.call("POST", "/api/v1/pipeline-runs/\(last)/cancel", [:])
            try cluster.finish(last)
            _ = try send("COMPLETED", "SUCCESS", number: 3, job: "gears")
            #expect(try cluster.show(last)["status"].text == "cancelled")

            // A paused pipeline shows no more, and a deleted run is not made again by what ended long ago.
            _ = try cluster.api.call("PATCH", "/api/v1/pipelines/1", ["enabled": false])
            let refused = try send("STARTED", number: 4)
            #expect(refused["pipelines"][0]["result"].text == "refused", "\(refused)")
            #expect(try send.runs().count == 4)
        }
    }

    @Test func onlyAHookThatSaysSoShowsThem() async throws {
        try await Cluster.with([]) { cluster in
            let send = try Self.sender(cluster, mirrors: false)
            func shown() throws -> Int { try send.runs().count { $0["event"].text == "reported" } }
            // It starts the pipeline here, as every other hook does.
            _ = try send("STARTED")
            #expect(try shown() == 0)
            let path = "/api/v1/projects/1/hooks"
            _ = try cluster.api.call("PATCH", "\(path)/\(send.hook)", ["mirrors_builds": true])
            _ = try send("COMPLETED", "SUCCESS")
            #expect(try shown() == 1)
            let wrong = try cluster.api.send(
                "POST", path, ["source": "github", "name": "gh", "mirrors_builds": true])
            #expect(wrong.status == 422, "\(wrong.text)")
        }
    }
}
