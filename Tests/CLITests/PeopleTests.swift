import Foundation
import Testing

/// Users, projects, members and keys from the command line.
@Suite struct PeopleTests {
    private static let user = #"""
        {"id":2,"username":"octo","is_administrator":false,"disabled":false,"version":1,
        "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
        """#
    private static let project = #"""
        {"id":3,"name":"widgets","description":"What we sell","state":"active","role":"owner","version":1,
        "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
        """#
    private static let member = #"""
        {"user_id":2,"username":"octo","role":"viewer","added_by":"admin",
        "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
        """#

    private func list(_ item: String) -> FakeController.Response {
        .json("{\"items\":[\(item)],\"page\":1,\"per_page\":100,\"total\":1}")
    }

    private func with(_ body: (FakeController, Client) async throws -> Void) async throws {
        let server = try await FakeController { request in
            switch (request.method, request.path) {
            case ("GET", "/api/v1/auth/me"):
                .json(
                    #"{"id":2,"username":"octo","is_administrator":false,"scopes":["read","run"],"authenticated_by":"api_key"}"#
                )
            case ("GET", "/api/v1/users"): list(Self.user)
            case ("GET", "/api/v1/projects"): list(Self.project)
            case ("GET", "/api/v1/projects/3/members"): list(Self.member)
            case ("GET", "/api/v1/system/api-keys"):
                list(
                    #"{"id":9,"name":"nightly","prefix":"ansk_a","scopes":["run"],"created_at":"2026-01-31T12:00:00.000Z","expires_at":null,"last_used_at":null,"user_id":2,"username":"octo"}"#
                )
            case ("DELETE", _): FakeController.Response(status: 204, body: "")
            case ("POST", "/api/v1/users"), ("PATCH", "/api/v1/users/2"): .json(Self.user, status: 201)
            case ("POST", "/api/v1/projects"), ("PATCH", "/api/v1/projects/3"): .json(Self.project)
            case ("PUT", "/api/v1/projects/3/members/2"): .json(Self.member)
            default: .problem(404, "There is none.")
            }
        }
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        try await body(server, client)
        await server.close()
    }

    @Test func whoamiSaysWhoAndWhatFor() async throws {
        try await with { _, client in
            let result = try await client.run(["whoami"])
            #expect(result.code == 0 && result.output.contains("octo (user 2) by an API key"), "\(result)")
            #expect(result.output.contains("scopes: read, run"))
        }
    }

    @Test func usersAreFoundByName() async throws {
        try await with { server, client in
            var result = try await client.run(["user", "create", "octo", "--password-stdin"], input: "correct horse\n")
            #expect(result.code == 0, "\(result)")
            #expect(server.requests.last?.body.contains(#""password":"correct horse""#) == true)
            result = try await client.run(["user", "set", "octo", "--disabled", "yes"])
            #expect(result.code == 0 && result.output.contains("user 2 octo"), "\(result)")
            #expect(server.requests.last?.path == "/api/v1/users/2")
            #expect(server.requests.last?.body == #"{"disabled":true}"#)
            result = try await client.run(["user", "delete", "nobody"])
            #expect(result.code == 3 && result.errors.contains("ansflow user list"), "\(result)")
            result = try await client.run(["user", "set", "octo"])
            #expect(result.code == 2, "nothing to set")
            result = try await client.run(["user", "list", "--json"])
            #expect(result.output.contains("\"total\":1"))
        }
    }

    @Test func aProjectIsDeletedByNameTwice() async throws {
        try await with { server, client in
            var result = try await client.run(["project", "delete", "widgets"])
            #expect(result.code == 2 && result.errors.contains("--confirm"), "\(result)")
            result = try await client.run(["project", "delete", "widgets", "--confirm", "widgets"])
            #expect(result.code == 0 && result.output == "project widgets: deleted\n", "\(result)")
            #expect(server.requests.last?.uri == "/api/v1/projects/3?confirm=widgets")
            result = try await client.run(["project", "create", "widgets", "--owner", "octo"])
            #expect(result.code == 0 && result.output.contains("What we sell"), "\(result)")
            #expect(server.requests.last?.body.contains(#""owner_id":2"#) == true)
            result = try await client.run(["project", "list"])
            #expect(result.output.contains("widgets") && result.output.contains("owner"))
        }
    }

    /// Members are looked up among themselves, which everybody may, before all users, which only administrators may.
    @Test func membersAreSetByName() async throws {
        try await with { server, client in
            var result = try await client.run(["member", "set", "widgets", "octo", "viewer"])
            #expect(result.code == 0 && result.output == "octo: viewer\n", "\(result)")
            #expect(!server.requests.contains { $0.path == "/api/v1/users" })
            result = try await client.run(["member", "delete", "3", "octo"])
            #expect(result.code == 3, "a project that can't be read: \(result)")
            result = try await client.run(["member", "list", "widgets"])
            #expect(result.output.contains("viewer"))
        }
    }

    @Test func keysOfEverybody() async throws {
        try await with { server, client in
            var result = try await client.run(["token", "list", "--all"])
            #expect(
                result.code == 0 && result.output.contains("octo") && result.output.contains("nightly"), "\(result)")
            result = try await client.run(["api-key", "delete", "9", "--anybodys"])
            #expect(result.code == 0, "\(result)")
            #expect(server.requests.last?.path == "/api/v1/system/api-keys/9")
        }
    }
}
