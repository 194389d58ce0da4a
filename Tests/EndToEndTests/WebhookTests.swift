import ControllerWebhooks
import TestSupport
import Testing

/// Webhooks against the real controller, with real repositories and a real agent.
@Suite struct WebhookTests {
    static let secret = "a secret of sixteen bytes or more"

    static func push(_ origin: GitOrigin, from: String?, to: String, branch: String = "main") -> [UInt8] {
        let zero = String(repeating: "0", count: 40)
        return Array(
            """
            {"ref": "refs/heads/\(branch)", "before": "\(from ?? zero)", "after": "\(to)", "created": \(from == nil),
             "deleted": false, "forced": false, "head_commit": {"id": "\(to)", "message": "Count"},
             "repository": {"id": 4217, "full_name": "octo/widgets", "clone_url": "\(origin.url)",
             "default_branch": "main"}, "sender": {"login": "octo"}}
            """.utf8)
    }

    static func send(
        _ cluster: Cluster, _ body: [UInt8], id: String, hook: Int64? = nil, event: String = "push",
        secret: String = WebhookTests.secret
    ) throws -> APIClient.Response {
        let client = APIClient(port: cluster.controller.port)
        defer { client.disconnect() }
        return try client.request(
            "POST", "/webhooks/github" + (hook.map { "?hook=\($0)" } ?? ""),
            headers: [
                "X-GitHub-Event": event, "X-GitHub-Delivery": id,
                "X-Hub-Signature-256": "sha256=" + Signature.sign(body: body, secret: secret),
            ], body: body)
    }

    static func hook(_ cluster: Cluster, _ more: [String: JSON] = [:]) throws -> Int64 {
        var body: [String: JSON] = ["source": "github", "name": "widgets", "secret": .string(secret)]
        for (name, value) in more { body[name] = value }
        let made = try cluster.api.call("POST", "/api/v1/projects/1/hooks", .object(body))
        guard let id = made["id"].int, made["secret"].text == nil else { throw TestFailure("No hook: \(made)") }
        return id
    }

    static func judged(_ cluster: Cluster, _ event: Int64) throws -> JSON {
        var last = JSON.null
        return try eventually(within: 30, "event \(event) is judged; it is \(last)", pause: 50) {
            last = try cluster.api.get("/api/v1/webhook-events/\(event)")
            return last["state"].text == "judged" ? last : nil
        }
    }

    @Test func aPushBecomesARunThatTheCommandLineShows() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            let origin = try GitOrigin()
            let first = try origin.commit([
                ".ansflow.yml":
                    "on: { push: { paths: [\"src/**\"] } }\nsteps: [{ run: 'echo $ANSFLOW_EVENT $ANSFLOW_BRANCH $ANSFLOW_COMMIT' }]\n",
                "src/a": "1",
            ])
            let second = try origin.commit(["src/a": "2"])
            let created = try ansflow(
                "pipeline", "create", "--name", "widgets", "--repository", origin.url, "--ref", "main")
            try #require(created.code == 0, "\(created)")
            let made = try ansflow("hook", "create", "github", "--name", "cli")
            #expect(made.code == 0 && made.output.contains("secret:  whsec_"), "\(made)")
            #expect(made.output.contains("address: http://127.0.0.1:\(cluster.controller.port)/webhooks/github?hook=1"))
            let hook = try Self.hook(cluster)
            let sent = try Self.send(cluster, Self.push(origin, from: first, to: second), id: "one", hook: hook)
            #expect(sent.status == 202, "\(sent.text)")
            let again = try Self.send(cluster, Self.push(origin, from: first, to: second), id: "two", hook: hook)
            let (one, other) = (try sent.json()["event_id"].int, try again.json()["event_id"].int)
            #expect(again.status == 200 && one == other)
            let bad = try Self.send(
                cluster, Self.push(origin, from: first, to: second), id: "3", hook: hook, secret: "another one of these"
            )
            #expect(bad.status == 401 && !bad.text.contains("hook \(hook)"), "\(bad.text)")
            let event = try #require(try sent.json()["event_id"].int)
            let judged = try Self.judged(cluster, event)
            let run = try #require(judged["runs"][0].int, "\(judged)")
            let ended = try cluster.finish(run)
            #expect(ended["status"].text == "success" && ended["event"].text == "push", "\(ended)")
            #expect(try ansflow("logs", "\(run)").output.contains("push main \(second)"))
            let shown = try ansflow("webhook", "show", "\(event)", "--body")
            #expect(shown.output.contains("widgets: run \(run): main was pushed"), "\(shown)")
            #expect(shown.output.contains("copies: 1"), "\(shown)")
            #expect(try ansflow("webhook", "list", "--event", "push").output.contains("push to main"))
            let replayed = try ansflow("webhook", "replay", "\(event)")
            #expect(replayed.code == 0 && replayed.output.contains("event \(event + 1): stored"), "\(replayed)")
            #expect(try Self.judged(cluster, event + 1)["runs"].items.count == 1)
            let test = try ansflow("hook", "test", "\(hook)")
            #expect(test.code == 0, "\(test)")
            #expect(try Self.judged(cluster, event + 2)["message"].text?.contains("works from here on") == true)
            #expect(try ansflow("hook", "list").output.contains(origin.url))
            let addresses = try cluster.api.get("/webhooks/test")
            #expect(addresses["endpoints"].items.count == 6 && addresses["status"].text == "ok")
            #expect(try ansflow("hook", "delete", "\(hook)").code == 0)
            let gone = try Self.send(cluster, Self.push(origin, from: nil, to: second), id: "4", hook: hook)
            #expect(gone.status == 401)
        }
    }

    @Test func aKeyMayStandForASignature() async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline(
                "deploy", "on: { webhook: { source: registry } }\nagents: { none: x }\nsteps: [{ run: make }]\n")
            let hook = try Self.hook(
                cluster, ["source": "generic", "name": "registry", "pipelines": [.integer(pipeline)]])
            let key = try cluster.api.call("POST", "/api/v1/api-keys", ["name": "ci", "scopes": ["webhook"]])
            let reader = try cluster.api.call("POST", "/api/v1/api-keys", ["name": "r", "scopes": ["read"]])
            func post(_ path: String, _ token: String?, _ body: String = "{\"a\":1}") throws -> APIClient.Response {
                let client = APIClient(port: cluster.controller.port, token: token)
                defer { client.disconnect() }
                return try client.request("POST", path, body: Array(body.utf8))
            }
            let text = try #require(key["key"].text)
            let sent = try post("/webhooks/generic?hook=\(hook)", text)
            #expect(sent.status == 202, "\(sent.text)")
            let event = try Self.judged(cluster, try #require(try sent.json()["event_id"].int))
            #expect(event["runs"].items.count == 1 && event["proof"].text?.hasPrefix("api key") == true, "\(event)")
            #expect(try post("/webhooks/generic?source=registry", text, "{\"a\":2}").status == 202)
            #expect(try post("/webhooks/generic?hook=\(hook)", reader["key"].text).status == 403)
            #expect(try post("/webhooks/generic?hook=\(hook)", nil).status == 401)
            #expect(try post("/webhooks/github?hook=\(hook)", text).status == 401)
            #expect(
                try post("/webhooks/generic?hook=\(hook)", text, String(repeating: "x", count: 2 << 20)).status == 202)
        }
    }

    @Test func pushesDuringDowntimeAreMadeUpFor() async throws {
        try await Cluster.with([]) { cluster in
            let origin = try GitOrigin()
            let first = try origin.commit([".ansflow.yml": "agents: { none: x }\nsteps: [{ run: make }]\n"])
            _ = try cluster.api.call(
                "POST", "/api/v1/pipelines",
                [
                    "name": "widgets",
                    "repository": ["url": .string(origin.url), "ref": "main", "path": ".ansflow.yml"],
                ])
            let hook = try Self.hook(cluster)
            let sent = try Self.send(cluster, Self.push(origin, from: nil, to: first), id: "one", hook: hook)
            _ = try Self.judged(cluster, try #require(try sent.json()["event_id"].int))
            cluster.controller.kill()
            let second = try origin.commit(["a": "1"])
            try cluster.controller.start()
            cluster.api.disconnect()
            let run: JSON = try eventually(within: 45, "the missed push starts a run", pause: 250) {
                try cluster.api.get("/api/v1/pipeline-runs")["items"].items.first { $0["commit"].text == second }
            }
            #expect(run["event"].text == "push" && run["branch"].text == "main", "\(run)")
            let events = try cluster.api.get("/api/v1/webhook-events")
            #expect(events["items"][0]["message"].text?.contains("found by looking") == true, "\(events)")
        }
    }
}
