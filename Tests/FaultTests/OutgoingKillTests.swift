import TestSupport
import Testing

/// The controller dies between deciding, sending and noting what goes to other servers: it arrives, under the same id.
@Suite struct OutgoingKillTests {
    @Test(arguments: [("outbox_derived", 1), ("outbox_sent", 2)])
    func whatWasDecidedArrivesUnderOneID(_ place: String, _ times: Int) async throws {
        let peer = try HTTPPeer { _ in HTTPPeer.Reply(204) }
        defer { peer.stop() }
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline("p", "agents: { none: x }\nsteps: [{ run: make }]\n")
            _ = try cluster.api.call(
                "POST", "/api/v1/projects/1/notification-targets",
                ["name": "hook", "url": .string(peer.url + "/in")])
            _ = try cluster.api.call(
                "POST", "/api/v1/notification-rules",
                ["name": "all", "on": ["always"], "webhook": "hook", "in_app": true])
            cluster.api.disconnect()
            cluster.controller.kill()
            cluster.controller.arguments = ["--outgoing-allow", "127.0.0.1"]
            cluster.controller.environment = ["ANSFLOW_CRASH_AT": "\(place):1"]
            try cluster.controller.start()
            cluster.controller.environment = [:]
            let run = try cluster.startRun(pipeline)
            // It may die before it has answered.
            _ = try? cluster.api.request("POST", "/api/v1/pipeline-runs/\(run)/cancel", body: Array("{}".utf8))
            try eventually(within: 30, "the controller dies at \(place)") {
                cluster.controller.process?.ended() != nil
            }
            #expect(peer.requests.count == times - 1)
            cluster.api.disconnect()
            try cluster.controller.start()
            let delivery: JSON = try eventually(within: 30, "the delivery is noted as sent") {
                try cluster.api.get("/api/v1/notification-rules/1/deliveries")["items"].items.first {
                    $0["delivery"].text == "sent"
                }
            }
            #expect(delivery["notice"]["run_id"].int == run, "\(delivery)")
            #expect(peer.requests.count == times)
            #expect(Set(peer.requests.map { $0.headers["webhook-id"] ?? "" }).count == 1)
            #expect(Set(peer.requests.map(\.body)).count == 1)
            #expect(try cluster.api.get("/api/v1/notification-rules/1/deliveries")["total"].int == 1)
            #expect(try cluster.api.get("/api/v1/notifications")["total"].int == 1)
        }
    }

    @Test func aStatusArrivesThoughTheControllerDied() async throws {
        let forge = try FakeForge(.github)
        defer { forge.stop() }
        for place in ["outbox_derived", "outbox_sent"] {
            try await Cluster.with([]) { cluster in
                let pipeline = try cluster.createPipeline("p", "agents: { none: x }\nsteps: [{ run: make }]\n")
                _ = try cluster.api.call(
                    "POST", "/api/v1/projects/1/secrets", ["name": "FORGE_TOKEN", "value": .string(FakeForge.token)])
                _ = try cluster.api.call(
                    "POST", "/api/v1/projects/1/forges",
                    [
                        "kind": "github", "api_url": .string(forge.api), "repository": .string(FakeForge.repository),
                        "secret": "FORGE_TOKEN",
                    ])
                cluster.api.disconnect()
                cluster.controller.kill()
                cluster.controller.arguments = ["--outgoing-allow", "127.0.0.1"]
                cluster.controller.environment = ["ANSFLOW_CRASH_AT": "\(place):1"]
                try cluster.controller.start()
                cluster.controller.environment = [:]
                let before = forge.statuses.count
                _ = try? cluster.startRun(pipeline, ["commit": .string(FakeForge.commit)])
                try eventually(within: 30, "the controller dies at \(place)") {
                    cluster.controller.process?.ended() != nil
                }
                cluster.api.disconnect()
                try cluster.controller.start()
                try eventually(within: 30, "the status is noted as sent") {
                    try cluster.api.get("/api/v1/projects/1/forges/1/statuses")["items"][0]["delivery"].text == "sent"
                }
                let told = forge.statuses.dropFirst(before)
                #expect(told.count == (place == "outbox_sent" ? 2 : 1))
                #expect(Set(told.map(\.state)) == ["pending"] && Set(told.map(\.context)) == ["ansflow/p"])
            }
        }
    }
}
