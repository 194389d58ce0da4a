import Foundation
import TestSupport
import Testing

/// Every operation asked by everybody, held against `Tests/Fixtures/permissions.txt`.
@Suite struct PermissionTests {
    private struct Row {
        var operation: String
        var method: String
        var path: String
        var letters: [Character]
        var body: String?
    }

    private static func rows() throws -> [Row] {
        let text = try String(contentsOfFile: Fixtures.path("../permissions.txt"), encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.split(separator: " ", maxSplits: 4).map(String.init)
            try #require(parts.count >= 4 && parts[3].count == 12, "\(line)")
            return Row(
                operation: parts[0], method: parts[1], path: parts[2], letters: Array(parts[3]),
                body: parts.count > 4 ? parts[4] : nil)
        }
    }

    private static func members(_ json: JSON) -> [JSON] {
        if case .object(let members) = json { return Array(members.values) }
        return []
    }

    private static func user(_ cluster: Cluster, _ name: String, _ role: String, of project: Int64) throws -> APIClient
    {
        let made = try cluster.api.send(
            "POST", "/api/v1/users", ["username": .string(name), "password": "correct horse battery"])
        let id = try #require(try made.json()["id"].int)
        let added = try cluster.api.send("PUT", "/api/v1/projects/\(project)/members/\(id)", ["role": .string(role)])
        try #require(added.status == 201, "\(added.text)")
        let client = APIClient(port: cluster.controller.port)
        try client.login(name, "correct horse battery")
        return client
    }

    private static func key(_ client: APIClient, _ scope: String) throws -> APIClient {
        let made = try client.send("POST", "/api/v1/api-keys", ["name": .string(scope), "scopes": [.string(scope)]])
        let text: String = try #require(try made.json()["key"].text, "\(made.text)")
        return APIClient(port: client.port, token: text)
    }

    @Test(.timeLimit(.minutes(5))) func everybodyGetsWhatTheMatrixSays() async throws {
        try await Cluster.with { cluster in
            let rows = try Self.rows()
            var served: Set<String> = []
            for path in Self.members(try cluster.api.get("/openapi.json")["paths"]) {
                for operation in Self.members(path) { served.insert(operation["operationId"].text ?? "") }
            }
            served.remove("")
            #expect(served.subtracting(rows.map(\.operation)).isEmpty, "not in the matrix: give each its letters")
            #expect(Set(rows.map(\.operation)).subtracting(served).isEmpty, "in the matrix and not served")

            func project(_ name: String) throws -> Int64 {
                let id = try cluster.api.send("POST", "/api/v1/projects", ["name": .string(name)]).json()["id"].int
                return try #require(id)
            }
            let own = try project("widgets")
            var members: [APIClient] = []
            for role in ["viewer", "developer", "maintainer", "owner"] {
                members.append(try Self.user(cluster, role, role, of: own))
            }
            let owner = members[3]
            let stranger = try Self.user(cluster, "stranger", "owner", of: try project("gadgets"))
            let made = try owner.send(
                "POST", "/api/v1/pipelines",
                ["name": "p", "project_id": .integer(own), "definition": .string(Cluster.definition("echo hello"))])
            let pipeline = try #require(try made.json()["id"].int, "\(made.text)")
            let run = try cluster.startRun(pipeline)
            try cluster.finish(run)
            var keys: [APIClient] = []
            for scope in ["read", "run", "write", "webhook"] { keys.append(try Self.key(owner, scope)) }
            let larger = try owner.send("POST", "/api/v1/api-keys", ["name": "a", "scopes": ["admin"]])
            #expect(larger.status == 403, "no key can do more than its owner")
            // The cluster's own client has a key of the administrator with every scope.
            let administrator = APIClient(port: cluster.controller.port)
            try administrator.login("admin", ClusterTemplate.password)
            let all =
                [APIClient(port: cluster.controller.port)] + members + [stranger, administrator] + keys
                + [try Self.key(administrator, "admin")]
            #expect(try owner.send("PATCH", "/api/v1/projects/\(own)", ["archived": true]).status == 200)

            for row in rows {
                var (path, body) = (row.path, row.body)
                for (name, id) in [("PROJECT", own), ("PIPELINE", pipeline), ("RUN", run)] {
                    path = path.replacing(name, with: "\(id)")
                    body = body?.replacing(name, with: "\(id)")
                }
                for (caller, letter) in zip(all, row.letters) where letter != "." {
                    let answer = try caller.request(row.method, path, body: body.map { Array($0.utf8) })
                    let got: Character =
                        switch answer.status {
                        case 401: "-"
                        case 403: "x"
                        case 404: "?"
                        default: "+"
                        }
                    let place = all.firstIndex { $0 === caller } ?? -1
                    #expect(
                        got == letter && answer.status < 500,
                        "\(row.operation) by caller \(place): \(answer.status) \(answer.text.prefix(200))")
                }
            }
        }
    }
}
