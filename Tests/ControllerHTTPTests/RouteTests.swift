import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import ControllerHTTP

@Suite struct RouteTests {
    /// A path with something in place of its parameters.
    static func example(_ route: Route) -> String {
        route.path.split(separator: "/").map { part -> String in
            guard part.hasPrefix("{") else { return String(part) }
            if case .choice(let values) = route.kind(of: String(part.dropFirst().dropLast())) { return values[0] }
            return "1"
        }.reduce("") { $0 + "/" + $1 }
    }

    @Test func everyRouteRefusesStrangersUnlessItIsPublic() async throws {
        try await withServer { _, _, client in
            let open: Set<String> = [
                "root", "status", "live", "ready", "login", "loginAlias", "loginSession", "refreshTokens",
                "pipelineSchema", "openAPI",
                "receiveGithub", "receiveGitlab", "receiveGitea", "receiveBitbucket", "receiveJenkins",
                "receiveGeneric", "testWebhooks",
                "redoc", "pageStyle", "docs", "docsFile", "badge",
                "staticFile", "loginPage", "loginForm", "logoutForm", "setupPage", "setupForm",
            ]
            #expect(client.routes.count > 35)
            for route in client.routes {
                let path = route.path == "/" ? "/" : Self.example(route)
                for token in [nil, "wrong"] as [String?] {
                    let answer = try await client.send(
                        route.method.rawValue, path, token: token, body: route.body.isEmpty ? nil : "{}")
                    #expect((route.permission == .public) == open.contains(route.operation), "\(route.operation)")
                    if route.permission == .public {
                        #expect(answer.status != 403, "\(route.operation)")
                    } else {
                        #expect(answer.status == 401, "\(route.operation)")
                        #expect(answer.headers["content-type"] == "application/problem+json")
                    }
                }
            }
        }
    }

    @Test func aReaderMayOnlyRead() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            for route in client.routes where [.run, .write, .admin].contains(route.permission) {
                let answer = try await client.send(
                    route.method.rawValue, Self.example(route), token: "reader-token",
                    body: route.body.isEmpty ? nil : "{}")
                #expect(answer.status == 403, "\(route.operation)")
            }
            #expect(try await client.send("GET", "/api/v1/pipeline-runs/1", token: "reader-token").status == 200)
            #expect(world.state.withLock { $0.cancelled.isEmpty })
        }
    }

    @Test(arguments: [
        "//api/v1/pipeline-runs", "/api//v1/pipeline-runs", "/api/v1/pipeline-runs;x", "/api/v1/pipeline-runs%3bx",
        "/api/v1/../v1/pipeline-runs", "/api/v1/%2e%2e/v1/pipeline-runs", "/api/v1%2fpipeline-runs",
        "/api/v1/pipeline-runs/", "/api/v1/pipeline-runs%00", "/api/v1/pipeline-runs\\", "/API/v1/pipeline-runs",
        "/api/v1/pipeline-runs%2F1", "/api/v1/./pipeline-runs", "/api/v1/pipeline-runs/1/..", "/%zz", "api/v1",
        "/api/v1/pipeline-runs/01", "/api/v1/pipeline-runs/-1", "/api/v1/pipeline-runs/1e1", "*",
    ])
    func pathsThatCouldBeReadTwoWaysAreRefused(path: String) async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            let answer = try await client.get(path)
            #expect([400, 404].contains(answer.status), "\(path): \(answer.status)")
        }
    }

    @Test func wrongMethodsNameTheRightOnes() async throws {
        try await withServer { _, _, client in
            let answer = try await client.send("DELETE", "/api/v1/pipelines")
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD, POST")
        }
    }

    @Test func headIsGetWithoutABody() async throws {
        try await withServer { _, _, client in
            let get = try await client.get("/api/v1/pipelines/1")
            let head = try await client.send("HEAD", "/api/v1/pipelines/1")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head.headers["content-length"] == "\(get.body.utf8.count)")
            #expect(head.headers["etag"] == get.headers["etag"])
        }
    }

    @Test func unknownQueryParametersAreNamed() async throws {
        try await withServer { _, _, client in
            let answer = try await client.get("/api/v1/pipeline-runs?brnach=main")
            #expect(answer.status == 400)
            #expect(answer.body.contains("brnach"))
            #expect(try await client.get("/api/v1/pipeline-runs?page=0").status == 400)
            #expect(try await client.get("/api/v1/pipeline-runs?page=1&page=2").status == 400)
            #expect(try await client.get("/api/v1/pipeline-runs?status=odd").status == 400)
        }
    }

    @Test func problemsHaveTheirShape() async throws {
        try await withServer { _, _, client in
            let answer = try await client.get("/api/v1/pipeline-runs/77", headers: [("X-Request-ID", "abc-1")])
            #expect(answer.status == 404)
            let json = try answer.json()
            #expect(Set(json.keys) == ["type", "title", "status", "detail", "errors", "request_id"])
            #expect(json["request_id"] as? String == "abc-1")
            #expect(answer.headers["x-request-id"] == "abc-1")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            #expect(answer.headers["cache-control"] == "no-store")
            let strange = try await client.get("/", headers: [("X-Request-ID", "a b\u{1}")])
            #expect(strange.headers["x-request-id"] != "a b\u{1}")
        }
    }

    @Test func bodiesHaveLimits() async throws {
        try await withServer { _, _, client in
            let path = "/api/v1/pipelines"
            let big = "{\"name\":\"" + String(repeating: "x", count: 1_100_000) + "\"}"
            let cases: [(String, Int)] = [
                ("{\"name\":", 400), ("{\"a\":1,\"a\":2}", 400),
                (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), 400),
                (String(repeating: "[", count: 60) + String(repeating: "]", count: 60), 422), ("[]", 422),
                ("{\"name\":1,\"definition\":\"x\"}", 422), ("{\"name\":\"x\",\"definition\":\"x\",\"odd\":1}", 422),
                (big, 413),
            ]
            for (body, status) in cases {
                let answer = try await client.send("POST", path, body: body)
                #expect(answer.status == status, "\(body.prefix(80))")
            }
            let text = try await client.send("POST", path, body: "{}", type: "text/plain")
            #expect(text.status == 415)
        }
    }

    @Test func chunkedBodiesHaveTheSameLimit() async throws {
        try await withServer(change: { $0.bodyBytesMax = 1000 }) { _, _, client in
            let chunk = "100\r\n" + String(repeating: "x", count: 256) + "\r\n"
            let head =
                "POST /api/v1/pipelines HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer admin-token\r\n"
            let answer = try await client.raw(
                head + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 8) + "0\r\n\r\n")
            #expect(answer.status == 413)
        }
    }

    @Test func ambiguousRequestsAreRefused() async throws {
        try await withServer { _, _, client in
            let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            for fields in [
                "Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
            ] {
                let answer = try await client.raw(head + fields + "\r\n{}")
                #expect(answer.status == 400, "\(fields)")
            }
            for hosts in ["", "Host: a\r\nHost: b\r\n"] {
                let answer = try await client.raw("GET /health/live HTTP/1.1\r\n\(hosts)Connection: close\r\n\r\n")
                #expect(answer.status == 400 && answer.body.contains("Host"), "\(hosts): \(answer)")
            }
            #expect(try await client.raw("GET /health/live HTTP/1.0\r\nConnection: close\r\n\r\n").status == 200)
            let long = try await client.raw(
                "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 40_000) + "\r\n\r\n")
            #expect(long.status == 400 || long.status == 431)
        }
    }

    @Test func aSlowHeadIsCutOff() async throws {
        try await withServer(change: { $0.headDeadline = .milliseconds(200) }) { _, _, client in
            let wire = try await client.connect()
            wire.send(Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8))
            #expect(try await wire.untilClosed().isEmpty)
        }
    }

    @Test func plainHTTPStaysOnLoopback() throws {
        var configuration = HTTPConfiguration(now: { 0 })
        configuration.host = "0.0.0.0"
        let world = World()
        #expect(throws: Server.Refusal.self) {
            _ = try Server(configuration: configuration, services: world.services(world.hub()))
        }
    }
}
