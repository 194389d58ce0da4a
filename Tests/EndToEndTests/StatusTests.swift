import TestSupport
import Testing

/// What the real controller tells forges and hooks.
@Suite struct StatusTests {
    private static func statuses(_ cluster: Cluster) throws -> [JSON] {
        try cluster.api.get("/api/v1/projects/1/forges/1/statuses")["items"].items
    }

    @Test func aForgeIsToldOfRunsAndOfWhatPathsRuleOut() async throws {
        let forge = try FakeForge(.gitea)
        defer { forge.stop() }
        try await Cluster.with(prepare: {
            $0.controller.arguments = ["--outgoing-allow", "127.0.0.1", "--public-url", "https://ci.example.org"]
        }) { cluster in
            let origin = try GitOrigin()
            let first = try origin.commit([
                ".ansflow.yml": "on: { push: { paths: [\"src/**\"] } }\nsteps: [{ run: 'true' }]\n", "src/a": "1",
            ])
            let docs = try origin.commit(["docs/a": "1"])
            let source = try origin.commit(["src/a": "2"])
            forge.know(docs, source)
            let pipeline = try cluster.api.call(
                "POST", "/api/v1/pipelines",
                [
                    "name": "widgets",
                    "repository": ["url": .string(origin.url), "ref": "main", "path": ".ansflow.yml"],
                ])["id"]
            _ = try cluster.api.call(
                "POST", "/api/v1/projects/1/secrets", ["name": "FORGE_TOKEN", "value": .string(FakeForge.token)])
            _ = try cluster.api.call(
                "POST", "/api/v1/projects/1/forges",
                [
                    "kind": "gitea", "api_url": .string(forge.api), "repository": .string(FakeForge.repository),
                    "secret": "FORGE_TOKEN", "pipeline_id": pipeline,
                ])
            let hook = try WebhookTests.hook(cluster)
            let ruledOut = try WebhookTests.send(
                cluster, WebhookTests.push(origin, from: first, to: docs), id: "one", hook: hook)
            let event = try WebhookTests.judged(cluster, try #require(try ruledOut.json()["event_id"].int))
            #expect(event["runs"].items.isEmpty, "\(event)")
            try eventually(within: 30, "the forge is told that nothing is needed") { !forge.statuses.isEmpty }
            let told = try #require(forge.statuses.first)
            #expect(told.commit == docs && told.context == "ansflow/widgets" && told.state == "success", "\(told)")
            #expect(told.summary == "Not needed: `on.push.paths` matches no changed file.")
            #expect(told.link == "https://ci.example.org" && forge.statuses.count == 1, "\(told)")

            // The forge's limit is respected, and what it takes afterwards is the newest.
            forge.script(HTTPPeer.Reply(429, [("Retry-After", "1")], "slow down"))
            let sent = try WebhookTests.send(
                cluster, WebhookTests.push(origin, from: docs, to: source), id: "two", hook: hook)
            let started = try WebhookTests.judged(cluster, try #require(try sent.json()["event_id"].int))
            let run = try #require(started["runs"][0].int, "\(started)")
            #expect(try cluster.finish(run)["status"].text == "success")
            try eventually(within: 60, "the forge is told of the run; it knows \(forge.statuses)") {
                forge.statuses.last { $0.commit == source }?.state == "success"
            }
            #expect(forge.statuses.last?.link == "https://ci.example.org/api/v1/pipeline-runs/\(run)")
            #expect(forge.statuses.filter { $0.commit == docs }.count == 1)
            try eventually(within: 10, "both are noted as sent") {
                let all = try Self.statuses(cluster)
                return all.count == 2 && all.allSatisfy { $0["delivery"].text == "sent" }
            }
            try Self.checkMetrics(cluster, hook)
        }
    }

    private static func checkMetrics(_ cluster: Cluster, _ hook: Int64) throws {
        let forged = try WebhookTests.send(cluster, [1], id: "three", hook: hook, secret: "another one of these")
        #expect(forged.status == 401)
        let text = try cluster.api.request("GET", "/metrics").text
        for line in [
            #"ansflow_webhook_deliveries_total{source="github",answer="stored"} 2"#,
            #"ansflow_webhook_deliveries_total{source="github",answer="refused"} 1"#,
            #"ansflow_webhook_judged_total{end="started"} 1"#, #"ansflow_webhook_judged_total{end="nothing"} 1"#,
            "ansflow_webhook_pending 0", "ansflow_webhook_oldest_seconds 0.0",
            #"ansflow_outbox_pending{kind="status"} 0"#, #"ansflow_outbox_oldest_seconds{kind="notice"} 0.0"#,
            #"ansflow_outbox_tries_total{kind="status",end="retried"} 1"#,
        ] {
            #expect(text.contains("\n" + line + "\n"), "\(line)")
        }
    }

    @Test func addressesThatAreNotPublicAreNotAskedUnlessTheOperatorSaysSo() async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(204) }
        defer { peer.stop() }
        try await Cluster.with([]) { cluster in
            let api = cluster.api
            func test(_ name: String, _ url: String) throws -> JSON {
                _ = try api.call(
                    "POST", "/api/v1/projects/1/notification-targets", ["name": .string(name), "url": .string(url)])
                let rule = try api.call(
                    "POST", "/api/v1/notification-rules",
                    ["name": .string(name), "on": ["failed"], "webhook": .string(name)])["id"].int
                return try api.call("POST", "/api/v1/notification-rules/\(rule ?? 0)/test", [:])
            }
            for (index, host) in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254"].enumerated() {
                let result = try test("t\(index)", "http://\(host):\(peer.port)/")
                #expect(!result["delivered"].isTrue, "\(host)")
                #expect(result["detail"].text?.contains("--outgoing-allow") == true, "\(host): \(result)")
            }
            #expect(peer.connectionCount == 0)
            cluster.controller.arguments = ["--outgoing-allow", "127.0.0.1"]
            try cluster.controller.restart()
            api.disconnect()
            let allowed = try api.call("POST", "/api/v1/notification-rules/1/test", [:])
            #expect(allowed["delivered"].isTrue && peer.requests.count == 1, "\(allowed)")
            let other = try api.call("POST", "/api/v1/notification-rules/4/test", [:])
            #expect(!other["delivered"].isTrue, "\(other)")
        }
    }
}
