import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import ControllerStore
import Foundation
import Logging
import Synchronization
import Testing

@testable import ControllerHTTP

/// Notices, rules, forges and badges over a real database.
@Suite struct NoticeRouteTests {
    private struct Tester: NoticeTesting {
        func test(_ rule: NotificationRule) async throws -> NoticeTestResult? {
            rule.target == nil ? nil : NoticeTestResult(delivered: false, answer: 500, detail: "It failed.")
        }
    }

    private func withNotices(_ body: (ControllerStore.Database, World, Client) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/notices-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let database = try ControllerStore.Database.open(
            directory: path, logger: Logger(label: "test"), now: { World.now })
        defer { try? database.close() }
        _ = try await database.create(
            PipelineDraft(name: "<demo> & \"co\"", definition: "jobs: {}"), by: "admin", at: 1)
        try await withServer(services: {
            $0.notices = database
            $0.forges = database
            $0.noticeTests = Tester()
            $0.pipelines = database
        }) { world, _, client in try await body(database, world, client) }
    }

    @Test func forgesAreKept() async throws {
        try await withNotices { database, _, client in
            let path = "/api/v1/projects/1/forges"
            let made = try await client.send(
                "POST", path, body: #"{"kind":"github","repository":"octo/widgets","secret":"FORGE_TOKEN"}"#)
            #expect(made.status == 201)
            #expect(made.headers["location"] == path + "/1")
            #expect(try made.json()["api_url"] as? String == "https://api.github.com")
            let changed = try await client.send("PUT", path + "/1", body: #"{"enabled":false,"pipeline_id":1}"#)
            #expect(changed.status == 200)
            #expect(try changed.json()["repository"] as? String == "octo/widgets")
            #expect(try changed.json()["enabled"] as? Bool == false)
            #expect(try await client.get(path).json()["total"] as? Int == 1)
            #expect(try await client.get(path + "/1").status == 200)
            #expect(try await client.get(path + "/1/statuses").json()["total"] as? Int == 0)
            #expect(try await client.get("/api/v1/projects/2/forges/1").status == 404)
            #expect(try await client.send("PUT", "/api/v1/projects/2/forges/1", body: "{}").status == 404)
            #expect(try await client.send("DELETE", "/api/v1/projects/2/forges/1").status == 404)
            #expect(try await client.send("DELETE", path + "/1").status == 204)
            #expect(try await client.get(path + "/1").status == 404)
        }
    }

    @Test(arguments: [
        (#"{"kind":"svn","repository":"octo/widgets","secret":"S"}"#, "kind"),
        (#"{"kind":"gitea","repository":"octo/widgets","secret":"S"}"#, "api_url"),
        (#"{"kind":"gitea","api_url":"ftp://x","repository":"octo/widgets","secret":"S"}"#, "api_url"),
        (#"{"kind":"gitea","api_url":"https://u:p@x","repository":"octo/widgets","secret":"S"}"#, "api_url"),
        (#"{"kind":"github","repository":"../../user","secret":"S"}"#, "repository"),
        (#"{"kind":"github","repository":"octo/widgets/x","secret":"S"}"#, "repository"),
        (#"{"kind":"github","repository":"octo/wid?gets","secret":"S"}"#, "repository"),
        (#"{"kind":"github","repository":"octo/widgets","secret":"ghp-token"}"#, "secret"),
        (#"{"kind":"github","repository":"octo/widgets"}"#, "secret"),
        (#"{"kind":"github","repository":"octo/widgets","secret":"S","pipeline_id":99}"#, "pipeline_id"),
    ])
    func wrongForges(_ body: String, _ field: String) async throws {
        try await withNotices { _, _, client in
            let answer = try await client.send("POST", "/api/v1/projects/1/forges", body: body)
            #expect(answer.status == 422)
            #expect(answer.body.contains("\"path\":\"\(field)\""))
        }
    }

    @Test func rulesAndTargets() async throws {
        try await withNotices { database, _, client in
            let targets = "/api/v1/projects/1/notification-targets"
            let chat = try await client.send(
                "POST", targets, body: #"{"name":"chat","format":"slack","url":"https://hooks.example.org/T0/secret"}"#)
            #expect(chat.status == 201)
            #expect(try chat.json()["url"] as? String == "https://hooks.example.org/…")
            #expect(!chat.body.contains("T0/secret"))
            #expect(try await client.send("POST", targets, body: #"{"name":"chat","url":"https://x"}"#).status == 409)
            #expect(try await client.send("POST", targets, body: #"{"name":"b"}"#).status == 422)
            let moved = try await client.send("PUT", targets + "/1", body: #"{"url_secret":"CHAT_URL"}"#)
            #expect(moved.status == 200)
            #expect(try moved.json()["url"] is NSNull)

            let rules = "/api/v1/notification-rules"
            let made = try await client.send(
                "POST", rules, body: #"{"name":"tell","on":["failed","fixed","failed"],"webhook":"chat"}"#)
            #expect(made.status == 201)
            #expect(try made.json()["on"] as? [String] == ["failed", "fixed"])
            #expect(try made.json()["webhook"] as? String == "chat")
            #expect(try await client.send("POST", rules, body: #"{"name":"a","on":["failed"]}"#).status == 422)
            #expect(
                try await client.send("POST", rules, body: #"{"name":"a","on":["system"],"in_app":true}"#).status == 422
            )
            #expect(
                try await client.send("POST", rules, body: #"{"name":"a","on":["failed"],"webhook":"no"}"#).status
                    == 422)
            #expect(
                try await client.send(
                    "POST", rules, body: #"{"project_id":9,"name":"a","on":["failed"],"in_app":true}"#
                ).status == 404)
            #expect(try await client.send("DELETE", targets + "/1").status == 409)
            let tested = try await client.send("POST", rules + "/1/test")
            #expect(try tested.json()["delivered"] as? Bool == false)
            let inApp = try await client.send("PUT", rules + "/1", body: #"{"webhook":"","in_app":true}"#)
            #expect(try inApp.json()["webhook"] is NSNull)
            #expect(try await client.send("POST", rules + "/1/test").status == 409)
            let only = try await client.send("PUT", rules + "/1", body: #"{"pipeline_id":1}"#)
            #expect(try only.json()["pipeline_id"] as? Int == 1)
            let renamed = try await client.send("PUT", rules + "/1", body: #"{"name":"tell all"}"#)
            #expect(try renamed.json()["pipeline_id"] as? Int == 1)
            let all = try await client.send("PUT", rules + "/1", body: #"{"pipeline_id":null}"#)
            #expect(try all.json()["pipeline_id"] is NSNull)
            #expect(try await client.get(rules + "?project_id=1").json()["total"] as? Int == 1)
            #expect(try await client.get(rules + "?project_id=2").json()["total"] as? Int == 0)
            #expect(try await client.get(rules + "/1/deliveries").status == 200)
            #expect(try await client.send("DELETE", rules + "/1").status == 204)
            #expect(try await client.send("DELETE", targets + "/1").status == 204)
            #expect(try await client.get(rules + "/1").status == 404)
        }
    }

    @Test func noticesAreReadByEachReader() async throws {
        try await withNotices { database, _, client in
            for number in 1...3 {
                _ = try await database.add(
                    Notice(.failed, title: "t\(number)", message: "", at: World.now, project: 1, run: Int64(number)),
                    key: "k\(number)")
            }
            let path = "/api/v1/notifications"
            let first = try await client.get(path + "?per_page=2")
            let items = try #require(try first.json()["items"] as? [[String: Any]])
            #expect(items.map { $0["title"] as? String } == ["t3", "t2"])
            #expect(try first.json()["total"] as? Int == 3)
            let marked = try await client.send("POST", path, body: #"{"read":[3,99]}"#)
            #expect(try marked.json()["marked"] as? Int == 1)
            #expect(try await client.get(path + "?unread=true").json()["total"] as? Int == 2)
            let all = try await client.send("POST", path, body: #"{"read":"all"}"#)
            #expect(try all.json()["marked"] as? Int == 2)
            #expect(try await client.get(path + "?unread=true").json()["total"] as? Int == 0)
            let other = try await client.send("GET", path + "?unread=true", token: "reader-token")
            #expect(try other.json()["total"] as? Int == 3)
            #expect(try await client.send("POST", path, body: #"{"read":"some"}"#).status == 422)
            #expect(try await client.send("POST", path, body: #"{"read":[1.5]}"#).status == 422)
        }
    }

    @Test func wordsToEverybodyArriveAtOnce() async throws {
        try await withNotices { _, world, client in
            let viewer = try await LiveClient.open(client, "/ws/system")
            #expect(try await viewer.message()["type"] as? String == "snapshot")
            let made = try await client.send(
                "POST", "/api/v1/system/notify", body: #"{"title":"noon","message":"Agents are drained."}"#)
            #expect(made.status == 201)
            let told = try await viewer.message()
            #expect(told["type"] as? String == "system_notice")
            #expect((told["data"] as? [String: Any])?["title"] as? String == "noon")
            #expect(
                try await client.send("POST", "/api/v1/system/notify", token: "reader-token", body: #"{"title":"x"}"#)
                    .status == 403)
            #expect(try await client.send("POST", "/api/v1/system/notify", body: #"{"title":"a\nb"}"#).status == 422)
            let listed = try await client.get("/api/v1/notifications")
            #expect((try listed.json()["total"] as? Int ?? 0) > 0)
        }
    }

    // MARK: Badges

    private func commit(
        _ database: ControllerStore.Database, _ run: Int64, _ phase: Phase, _ outcome: Outcome?, _ branch: String
    )
        async throws
    {
        var counters = Counters()
        counters.run = run + 1
        var batch = CommitBatch(clock: 1, counters: counters)
        batch.runs = [
            RunRow(
                id: RunID(run), project: .main, pipeline: PipelineID(1), pipelineName: "demo", pipelineVersion: 1,
                number: run, phase: phase, outcome: outcome, event: "push", ref: branch, branch: branch, tag: "",
                commit: "", inputs: [:], priority: 0, actor: "octo", createdAt: 1, deadline: 9)
        ]
        try await database.commit(batch)
    }

    @Test func badges() async throws {
        try await withNotices { database, world, client in
            let path = "/api/v1/pipelines/1/badge.svg"
            func moved() { world.state.withLock { $0.version += 1 } }
            let own = try await client.get(path)
            #expect(own.status == 200)
            #expect(own.headers["content-type"] == "image/svg+xml; charset=utf-8")
            #expect(own.body.contains("no runs"))
            #expect(own.body.contains("&lt;demo&gt; &amp; &quot;co&quot;"))
            #expect(!own.body.contains("<demo>"))
            for (run, phase, outcome, word) in [
                (1, Phase.running, nil, "running"), (1, .finished, Outcome.success, "passing"),
                (2, .queued, nil, "pending"), (2, .finished, .failed, "failing"),
            ] as [(Int64, Phase, Outcome?, String)] {
                try await commit(database, run, phase, outcome, "main")
                moved()
                #expect(try await client.get(path).body.contains(">\(word)<"))
            }
            try await commit(database, 3, .finished, .success, "topic")
            moved()
            #expect(try await client.get(path + "?branch=main").body.contains(">failing<"))
            #expect(try await client.get(path + "?branch=topic").body.contains(">passing<"))
            let none = try await client.get(path + "?branch=gone")
            #expect(none.body.contains(">no runs<"))
            let tag = try #require(none.headers["etag"])
            let again = try await client.get(path + "?branch=gone", headers: [("If-None-Match", tag)])
            #expect(again.status == 304)
        }
    }

    @Test func badgesAreForThoseWhoMaySeeThem() async throws {
        try await withNotices { _, _, client in
            let path = "/api/v1/pipelines/1/badge.svg"
            #expect(try await client.send("GET", path, token: nil).status == 404)
            #expect(try await client.send("GET", path, token: "wrong").status == 404)
            #expect(try await client.send("GET", path + "?token=", token: nil).status == 404)
            #expect(try await client.send("GET", path, token: "reader-token").status == 200)
            #expect(try await client.get("/api/v1/pipelines/1/badge").json()["path"] is NSNull)
            let made = try await client.send("POST", "/api/v1/pipelines/1/badge")
            #expect(made.status == 201)
            let link = try #require(try made.json()["path"] as? String)
            #expect(try await client.send("GET", link, token: nil).status == 200)
            #expect(try await client.send("GET", String(link.dropLast()), token: nil).status == 404)
            let next = try #require(
                try await client.send("POST", "/api/v1/pipelines/1/badge").json()["path"] as? String)
            #expect(try await client.send("GET", link, token: nil).status == 404)
            #expect(try await client.send("GET", next, token: nil).status == 200)
            #expect(try await client.send("DELETE", "/api/v1/pipelines/1/badge").status == 204)
            #expect(try await client.send("GET", next, token: nil).status == 404)
            #expect(try await client.send("PUT", "/api/v1/projects/1/badges", body: #"{"public":true}"#).status == 200)
            #expect(try await client.send("GET", path, token: nil).status == 200)
            #expect(try await client.send("GET", "/api/v1/pipelines/9/badge.svg", token: nil).status == 404)
            #expect(try await client.send("PUT", "/api/v1/projects/9/badges", body: #"{"public":true}"#).status == 404)
        }
    }
}
