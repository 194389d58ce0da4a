import TestSupport
import Testing

/// A key stands for its owner, who may not start runs everywhere.
@Suite struct WebhookKeyTests {
    private static func user(_ cluster: Cluster, _ name: String, _ roles: [(Int64, String)]) throws -> APIClient {
        let id = try cluster.api.call(
            "POST", "/api/v1/users", ["username": .string(name), "password": "correct horse battery"])["id"].int
        for (project, role) in roles {
            _ = try cluster.api.call(
                "PUT", "/api/v1/projects/\(project)/members/\(try #require(id))", ["role": .string(role)])
        }
        let client = APIClient(port: cluster.controller.port)
        try client.login(name, "correct horse battery")
        let key = try client.call("POST", "/api/v1/api-keys", ["name": "hooks", "scopes": ["webhook"]])["key"].text
        return APIClient(port: cluster.controller.port, token: key)
    }

    @Test func onlyHooksOfProjectsWhoseRunsTheOwnerMayStart() async throws {
        try await Cluster.with([]) { cluster in
            let other = try #require(try cluster.api.call("POST", "/api/v1/projects", ["name": "gadgets"])["id"].int)
            var hooks: [Int64: Int64] = [:]
            for project in [1, other] {
                let pipeline = try cluster.api.call(
                    "POST", "/api/v1/pipelines",
                    [
                        "name": "p", "project_id": .integer(project),
                        "definition": "on: { webhook: { source: w } }\nagents: { none: x }\nsteps: [{ run: make }]\n",
                    ])["id"]
                hooks[project] = try cluster.api.call(
                    "POST", "/api/v1/projects/\(project)/hooks",
                    ["source": "generic", "name": "w", "pipelines": [pipeline]])["id"].int
            }
            let (mine, theirs) = (try #require(hooks[other]), try #require(hooks[1]))
            let developer = try Self.user(cluster, "dev", [(1, "viewer"), (other, "developer")])
            let viewer = try Self.user(cluster, "onlooker", [(1, "viewer"), (other, "viewer")])
            let stranger = try Self.user(cluster, "stranger", [])
            func post(_ client: APIClient, _ query: String, _ number: Int) throws -> Int {
                try client.request("POST", "/webhooks/generic?\(query)", body: Array("{\"n\": \(number)}".utf8)).status
            }
            // The hooks have one name: it is the one of the owner's project that is meant, though the other is older.
            #expect(try post(developer, "source=w", 1) == 202)
            #expect(try post(developer, "hook=\(mine)", 2) == 202)
            #expect(try post(developer, "hook=\(theirs)", 3) == 401)
            for client in [viewer, stranger] {
                #expect(try post(client, "source=w", 4) == 401)
                #expect(try post(client, "hook=\(mine)", 5) == 401)
                #expect(try post(client, "hook=\(theirs)", 6) == 401)
            }
            // An administrator may start both, so one must be named.
            let made = try cluster.api.call("POST", "/api/v1/api-keys", ["name": "all", "scopes": ["webhook"]])
            let administrator = APIClient(port: cluster.controller.port, token: made["key"].text)
            #expect(try post(administrator, "source=w", 7) == 422)
            #expect(try post(administrator, "hook=\(theirs)", 8) == 202)
            let events = try cluster.api.get("/api/v1/webhook-events?per_page=100")["items"].items
            #expect(events.filter { $0["hook_id"].int == mine }.count == 2, "\(events)")
            #expect(events.filter { $0["hook_id"].int == theirs }.count == 1)

            // A role that ends takes the key's right with it.
            let id = try #require(
                try cluster.api.get("/api/v1/projects/\(other)/members")["items"].items.first {
                    $0["username"].text == "dev"
                }?["user_id"].int)
            _ = try cluster.api.call("DELETE", "/api/v1/projects/\(other)/members/\(id)")
            #expect(try post(developer, "hook=\(mine)", 9) == 401)
        }
    }
}
