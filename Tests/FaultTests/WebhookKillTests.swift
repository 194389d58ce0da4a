import ControllerWebhooks
import Foundation
import TestSupport
import Testing

/// Rows 2 and 22 of the fault matrix for webhooks: the controller dies between storing, judging and answering.
@Suite struct WebhookKillTests {
    private static let secret = "a secret of sixteen bytes or more"

    private func send(_ cluster: Cluster, _ number: Int) throws -> APIClient.Response {
        let body = Array("{\"number\": \(number)}".utf8)
        let client = APIClient(port: cluster.controller.port)
        defer { client.disconnect() }
        return try client.request(
            "POST", "/webhooks/generic?hook=1",
            headers: [
                "X-Delivery-Id": "delivery-\(number)",
                "X-Hub-Signature-256": "sha256=" + Signature.sign(body: body, secret: Self.secret),
            ], body: body)
    }

    @Test(arguments: ["webhook_stored", "webhook_claimed", "decided", "committed", "answered"])
    func everyDeliveryIsJudgedOnce(_ place: String) async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline("p", "agents: { none: x }\nsteps: [{ run: make }]\n")
            _ = try cluster.api.call(
                "POST", "/api/v1/projects/1/hooks",
                ["source": "generic", "name": "w", "secret": .string(Self.secret), "pipelines": [.integer(pipeline)]])
            cluster.api.disconnect()
            cluster.controller.kill()
            cluster.controller.environment = ["ANSFLOW_CRASH_AT": "\(place):3"]
            try cluster.controller.start()
            cluster.controller.environment = [:]
            var deaths = 0
            for number in 0..<6 {
                // Whoever gets no answer sends the same again, as forges' users do.
                try eventually(within: 60, "delivery \(number) is taken", pause: 50) {
                    if cluster.controller.process?.ended() != nil {
                        deaths += 1
                        try cluster.controller.start()
                    }
                    guard let answer = try? send(cluster, number) else { return false }
                    return answer.status == 202 || answer.status == 200
                }
            }
            try eventually(within: 60, "all are judged", pause: 100) {
                if cluster.controller.process?.ended() != nil {
                    deaths += 1
                    cluster.api.disconnect()
                    try cluster.controller.start()
                }
                let events = try? cluster.api.get("/api/v1/webhook-events?state=judged&per_page=100")
                return events?["total"].int == 6
            }
            #expect(deaths == 1, "the controller died at \(place)")
            let runs = try cluster.api.get("/api/v1/pipeline-runs?per_page=100")
            #expect(runs["total"].int == 6, "one run of each delivery")
            for event in try cluster.api.get("/api/v1/webhook-events?per_page=100")["items"].items {
                #expect(event["runs"].items.count == 1, "\(event)")
            }
        }
    }
}
