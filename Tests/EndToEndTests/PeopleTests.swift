import Foundation
import TestSupport
import Testing

/// Accounts, roles and browsers' sessions against a real controller.
@Suite struct PeopleTests {
    private static let password = "correct horse battery"

    /// A user with a role in a project, logged in.
    private static func member(_ cluster: Cluster, _ name: String, _ role: String?, of project: Int64) throws
        -> APIClient
    {
        let user = try cluster.api.send(
            "POST", "/api/v1/users", ["username": .string(name), "password": .string(password)])
        #expect(user.status == 201, "\(user.text)")
        let id = try #require(try user.json()["id"].int)
        if let role {
            let added = try cluster.api.send(
                "PUT", "/api/v1/projects/\(project)/members/\(id)", ["role": .string(role)])
            #expect(added.status == 201, "\(added.text)")
        }
        let client = APIClient(port: cluster.controller.port)
        try client.login(name, password)
        return client
    }

    private static func project(_ cluster: Cluster, _ name: String) throws -> Int64 {
        let made = try cluster.api.send("POST", "/api/v1/projects", ["name": .string(name)])
        #expect(made.status == 201, "\(made.text)")
        return try #require(try made.json()["id"].int)
    }

    /// Without a narrowing the figures are those of the projects that one may see, and of nothing else.
    @Test func statisticsAreOfWhatOneMaySee() async throws {
        try await Cluster.with([]) { cluster in
            let mine = try Self.project(cluster, "widgets")
            let member = try Self.member(cluster, "octo", "viewer", of: mine)
            let stranger = try Self.member(cluster, "quad", nil, of: mine)
            for project in [mine, try Self.project(cluster, "gadgets")] {
                // It ends at once, without an agent.
                let definition = "jobs:\n  never:\n    if: \"branch == 'never'\"\n    steps: [{ run: make }]\n"
                let pipeline = try cluster.api.call(
                    "POST", "/api/v1/pipelines",
                    [
                        "name": .string("p\(project)"), "project_id": .integer(project),
                        "definition": .string(definition),
                    ])
                let id = try #require(pipeline["id"].int)
                for _ in 0..<2 { try cluster.finish(try cluster.startRun(id)) }
            }
            func overview(_ client: APIClient) throws -> JSON {
                try client.get("/api/v1/analytics/overview?window=24h")
            }
            #expect(try overview(cluster.api)["runs"]["total"].int == 4)
            let seen = try overview(member)
            #expect(seen["runs"]["total"].int == 2 && seen["pipelines"].items.count == 1, "\(seen)")
            let none = try overview(stranger)
            #expect(none["runs"]["total"].int == 0 && none["pipelines"].items.isEmpty, "\(none)")
            #expect(try stranger.get("/api/v1/analytics/trends?window=24h")["points"].items.count == 24)
            let points = try member.get("/api/v1/analytics/trends?window=24h")["points"].items
            #expect(points.reduce(0) { $0 + ($1["total"].int ?? 0) } == 2)
            #expect(try member.send("GET", "/api/v1/analytics/trends?agent_id=1").status == 403)
        }
    }

    @Test func aProjectIsItsMembersAlone() async throws {
        try await Cluster.with([]) { cluster in
            let first = try Self.project(cluster, "widgets")
            let second = try Self.project(cluster, "gadgets")
            let owner = try Self.member(cluster, "octo", "owner", of: first)
            let stranger = try Self.member(cluster, "quad", "owner", of: second)
            let made = try owner.send(
                "POST", "/api/v1/pipelines",
                [
                    "name": "p", "project_id": .integer(first),
                    "definition": .string(Cluster.definition("echo hello")),
                ])
            #expect(made.status == 201, "\(made.text)")
            let pipeline = try #require(try made.json()["id"].int)
            let started = try owner.send("POST", "/api/v1/pipelines/\(pipeline)/runs", [:])
            #expect(started.status == 201, "\(started.text)")
            let run = try #require(try started.json()["id"].int)
            for path in [
                "/api/v1/pipelines/\(pipeline)", "/api/v1/pipeline-runs/\(run)", "/api/v1/pipeline-runs/\(run)/events",
                "/api/v1/projects/\(first)", "/api/v1/projects/\(first)/members", "/api/v1/projects/\(first)/secrets",
            ] {
                #expect(try owner.send("GET", path).status == 200, "\(path)")
                #expect(try stranger.send("GET", path).status == 404, "\(path)")
            }
            // Whose project it is, the body does not say.
            let planted = try stranger.send(
                "POST", "/api/v1/pipelines",
                [
                    "name": "x", "project_id": .integer(first),
                    "definition": .string(Cluster.definition("echo hello")),
                ])
            #expect(planted.status == 404, "\(planted.text)")
            for (client, total) in [(owner, 1), (stranger, 0), (cluster.api, 1)] {
                for path in ["/api/v1/pipelines", "/api/v1/pipeline-runs"] {
                    #expect(try client.send("GET", path).json()["total"].int == Int64(total), "\(path)")
                }
            }
            #expect(try owner.send("GET", "/api/v1/projects").json()["total"].int == 1)
            #expect(try owner.send("GET", "/api/v1/users").status == 403)

            // Archived: read only.
            let archived = try owner.send("PATCH", "/api/v1/projects/\(first)", ["archived": true])
            #expect(archived.status == 200, "\(archived.text)")
            #expect(try owner.send("GET", "/api/v1/pipeline-runs/\(run)").status == 200)
            #expect(try owner.send("POST", "/api/v1/pipelines/\(pipeline)/runs", [:]).status == 409)
            #expect(try owner.send("DELETE", "/api/v1/pipelines/\(pipeline)").status == 409)
            #expect(try owner.send("PATCH", "/api/v1/projects/\(first)", ["archived": false]).status == 200)
            #expect(try owner.send("DELETE", "/api/v1/projects/\(first)?confirm=gadgets").status == 400)
            #expect(try owner.send("DELETE", "/api/v1/projects/\(first)?confirm=widgets").status == 409, "it has a run")
            #expect(try stranger.send("DELETE", "/api/v1/projects/\(second)?confirm=gadgets").status == 204)
            #expect(try stranger.send("GET", "/api/v1/projects/\(second)").status == 404)
        }
    }

    @Test func theLastAdministratorStays() async throws {
        try await Cluster.with([]) { cluster in
            for (method, body) in [
                ("PATCH", ["disabled": true] as JSON), ("PATCH", ["is_administrator": false]), ("DELETE", .null),
            ] {
                let answer = try cluster.api.send(method, "/api/v1/users/1", body == .null ? nil : body)
                #expect(answer.status == 409, "\(method) \(answer.text)")
            }
            let made = try cluster.api.send(
                "POST", "/api/v1/users",
                ["username": "second", "password": .string(Self.password), "is_administrator": true])
            #expect(made.status == 201, "\(made.text)")
            let taken = try cluster.api.send(
                "POST", "/api/v1/users", ["username": "second", "password": .string(Self.password)])
            #expect(taken.status == 409, "\(taken.text)")
            let stale = try cluster.api.request(
                "PATCH", "/api/v1/users/2", headers: ["If-Match": "\"7\""], body: Array(#"{"disabled":true}"#.utf8))
            #expect(stale.status == 412, "\(stale.text)")
            #expect(try cluster.api.send("PATCH", "/api/v1/users/2", ["disabled": true]).status == 200)
            #expect(try cluster.api.send("DELETE", "/api/v1/users/1").status == 409, "the other one is disabled")
            #expect(try cluster.api.send("DELETE", "/api/v1/users/2").status == 204)
        }
    }

    @Test func aBrowsersWritesNeedItsTokenAndEndWithItsSession() async throws {
        try await Cluster.with([]) { cluster in
            let project = try Self.project(cluster, "widgets")
            _ = try Self.member(cluster, "octo", "owner", of: project)
            let browser = APIClient(port: cluster.controller.port)
            func login() throws -> (cookie: String, token: String) {
                let answer = try browser.send(
                    "POST", "/api/v1/auth/session", ["username": "octo", "password": .string(Self.password)])
                #expect(answer.status == 201, "\(answer.text)")
                let header = try #require(answer.headers["set-cookie"])
                for part in ["HttpOnly", "SameSite=Lax", "Path=/"] { #expect(header.contains(part), "\(header)") }
                return (
                    String(header.prefix { $0 != ";" }), try #require(try answer.json()["csrf_token"].text)
                )
            }
            let (cookie, token) = try login()
            let (other, _) = try login()
            #expect(cookie != other, "each login is a new session")
            let page = "http://127.0.0.1:\(cluster.controller.port)"
            func write(_ headers: [String: String]) throws -> Int {
                try browser.request(
                    "PATCH", "/api/v1/projects/\(project)", headers: headers, body: Array(#"{"description":"d"}"#.utf8)
                ).status
            }
            let me = try browser.request("GET", "/api/v1/auth/me", headers: ["Cookie": cookie])
            #expect(try me.json()["csrf_token"].text == token)
            #expect(try write(["Cookie": cookie]) == 403)
            #expect(try write(["Cookie": cookie, "X-CSRF-Token": token + "x"]) == 403)
            #expect(try write(["Cookie": cookie, "X-CSRF-Token": token, "Origin": "https://evil.example.org"]) == 403)
            #expect(try write(["Cookie": other, "X-CSRF-Token": token]) == 403, "another session's token")
            #expect(try write(["Cookie": cookie, "X-CSRF-Token": token, "Origin": page]) == 200)
            #expect(try write(["X-CSRF-Token": token]) == 401)
            // Neither text can be used as the other.
            let value = String(cookie.drop { $0 != "=" }.dropFirst())
            #expect(
                try browser.send("POST", "/api/v1/auth/refresh", ["refresh_token": .string(value)]).status == 401)
            // Its sockets are a page's own, and say so.
            func upgrade(_ headers: [String: String]) throws -> Int {
                var all = [
                    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": "AAECAwQFBgcICQoLDA0ODw==",
                ]
                all.merge(headers) { _, own in own }
                let socket = browser.another()
                socket.token = nil
                return try socket.request("GET", "/ws/system", headers: all).status
            }
            #expect(try upgrade(["Cookie": cookie]) == 403, "a browser always says its page's origin")
            #expect(try upgrade(["Cookie": cookie, "Origin": "https://evil.example.org"]) == 403)
            #expect(try upgrade(["Cookie": cookie, "Origin": "null"]) == 403)

            let ended = try browser.request(
                "POST", "/api/v1/auth/logout", headers: ["Cookie": cookie, "X-CSRF-Token": token],
                body: Array("{}".utf8))
            #expect(ended.status == 204, "\(ended.text)")
            #expect(try browser.request("GET", "/api/v1/auth/me", headers: ["Cookie": cookie]).status == 401)
            #expect(try browser.request("GET", "/api/v1/auth/me", headers: ["Cookie": other]).status == 200)
        }
    }

    @Test func whoIsShutOutLosesSessionsAndOpenSocketsWithinFiveSeconds() async throws {
        try await Cluster.with([]) { cluster in
            let project = try Self.project(cluster, "widgets")
            let ways: [(String, (Int64, APIClient) throws -> Int)] = [
                (
                    "disable",
                    { user, _ in try cluster.api.send("PATCH", "/api/v1/users/\(user)", ["disabled": true]).status }
                ),
                (
                    "reset",
                    { user, _ in
                        try cluster.api.send("PATCH", "/api/v1/users/\(user)", ["password": "another long word"]).status
                    }
                ), ("delete", { user, _ in try cluster.api.send("DELETE", "/api/v1/users/\(user)").status }),
                ("logout", { _, client in try client.send("POST", "/api/v1/auth/logout", [:]).status }),
            ]
            for (name, end) in ways {
                let client = try Self.member(cluster, name, "viewer", of: project)
                let me = try #require(try client.send("GET", "/api/v1/auth/me").json()["id"].int)
                let socket = try LiveClient(port: cluster.controller.port, path: "/ws/system", token: client.token)
                _ = try socket.messages(within: 10) { $0["type"].text == "snapshot" }
                let status = try end(me, client)
                // From the answer on: hashing a new password takes its time before.
                let began = ContinuousClock.now
                #expect(status == 200 || status == 204, "\(name)")
                #expect(try client.send("GET", "/api/v1/auth/me").status == 401, "\(name): at once")
                while !socket.isClosed, ContinuousClock.now - began < .seconds(8) {
                    try socket.readSome(max: 4096, within: 100)
                    _ = try socket.next()
                }
                #expect(socket.isClosed, "\(name)")
                #expect(ContinuousClock.now - began < .seconds(5), "\(name)")
            }
            // A new password of one's own ends the others, and not this one.
            let first = try Self.member(cluster, "changer", "viewer", of: project)
            let second = APIClient(port: cluster.controller.port)
            try second.login("changer", Self.password)
            let wrong = try first.send(
                "POST", "/api/v1/auth/password",
                ["current_password": "not this one", "new_password": "yet another long word"])
            #expect(wrong.status == 422, "\(wrong.text)")
            let changed = try first.send(
                "POST", "/api/v1/auth/password",
                ["current_password": .string(Self.password), "new_password": "yet another long word"])
            #expect(changed.status == 204, "\(changed.text)")
            #expect(try first.send("GET", "/api/v1/auth/me").status == 200)
            #expect(try second.send("GET", "/api/v1/auth/me").status == 401)
        }
    }
}

extension APIClient {
    func send(_ method: String, _ path: String, _ body: JSON? = nil) throws -> Response {
        try request(method, path, body: body?.bytes)
    }
}
