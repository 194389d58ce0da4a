import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import Synchronization
import Testing

@testable import ControllerHTTP

/// What all routes have in common: idempotency, versions, methods, pages.
@Suite struct ConventionTests {
    /// The port in memory, as the store keeps it: see its own tests.
    final class Memory: IdempotencyRepository {
        private struct Key: Hashable {
            var caller: String
            var key: String
        }
        private let kept = Mutex<[Key: (digest: String, answer: KeptAnswer?)]>([:])

        func claim(_ request: IdempotentRequest, at: Int64, since: Int64) async throws -> IdempotencyClaim {
            kept.withLock { kept in
                let key = Key(caller: request.caller, key: request.key)
                guard let known = kept[key] else {
                    kept[key] = (request.digest, nil)
                    return .new
                }
                if known.digest != request.digest { return .different }
                return known.answer.map { .answered($0) } ?? .unfinished
            }
        }
        func finish(_ request: IdempotentRequest, _ answer: KeptAnswer) async throws {
            kept.withLock { $0[Key(caller: request.caller, key: request.key)]?.answer = answer }
        }
        func release(_ request: IdempotentRequest) async throws {
            kept.withLock { $0[Key(caller: request.caller, key: request.key)] = nil }
        }
    }

    private static let pipeline = #"{"name":"second","definition":"jobs: {}"}"#

    @Test func aRequestThatIsSentAgainGetsItsFirstAnswer() async throws {
        try await withServer(services: { $0.idempotency = Memory() }) { world, _, client in
            func send(_ body: String, key: String, token: String = "admin-token") async throws -> Answer {
                try await client.send(
                    "POST", "/api/v1/pipelines", token: token, body: body, headers: [("Idempotency-Key", key)])
            }
            let first = try await send(Self.pipeline, key: "k-1")
            #expect(first.status == 201)
            let again = try await send(Self.pipeline, key: "k-1")
            #expect(again.status == 201 && again.body == first.body)
            #expect(again.headers["location"] == first.headers["location"])
            #expect(again.headers["idempotency-replayed"] == "true")
            #expect(world.state.withLock { $0.pipelines.count } == 2)
            let other = try await send(#"{"name":"third","definition":"jobs: {}"}"#, key: "k-1")
            #expect(other.status == 422 && other.body.contains("Idempotency-Key"))
            // Without a key, or with another one, it is a new request, and the name is taken.
            #expect(try await send(Self.pipeline, key: "k-2").status == 409)
            // What failed may be sent again under its key once it can succeed.
            world.state.withLock { state in state.pipelines.removeAll { $0.name == "second" } }
            #expect(try await send(Self.pipeline, key: "k-2").status == 201)
            for wrong in ["", String(repeating: "k", count: 256), "a b"] {
                #expect(try await send(Self.pipeline, key: wrong).status == 400, "`\(wrong)`")
            }
        }
    }

    @Test func secretsThatAreShownOnceAreNotShownAgain() async throws {
        try await withServer(services: { $0.idempotency = Memory() }) { _, _, client in
            func make() async throws -> Answer {
                try await client.send(
                    "POST", "/api/v1/api-keys", body: #"{"name":"k"}"#, headers: [("Idempotency-Key", "k")])
            }
            #expect(try await make().status == 201)
            let again = try await make()
            #expect(again.status == 409 && again.body.contains("/api/v1/api-keys/1"))
            #expect(!again.body.contains("ansk_abcdef"))
        }
    }

    /// Two at once: one does the work, the other is told that it goes on, or gets its answer.
    @Test func aKeyIsUsedOnce() async throws {
        try await withServer(services: { $0.idempotency = Memory() }) { world, _, client in
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await client.send(
                            "POST", "/api/v1/pipelines", body: Self.pipeline, headers: [("Idempotency-Key", "k")]
                        ).status
                    }
                }
                var all: [Int] = []
                for try await status in group { all.append(status) }
                return all
            }
            #expect(answers.contains(201) && answers.allSatisfy { [201, 409].contains($0) })
            #expect(world.state.withLock { $0.pipelines.count } == 2)
        }
    }

    @Test func everyRouteThatMakesSomethingTakesAKey() async throws {
        try await withServer(services: { $0.idempotency = Memory() }) { _, _, client in
            for route in client.routes where route.isCreation && route.permission != .public {
                let answer = try await client.send(
                    "POST", RouteTests.example(route), body: "{}", headers: [("Idempotency-Key", "a b")])
                #expect([400, 404, 422].contains(answer.status), "\(route.operation): \(answer.status)")
            }
        }
    }

    @Test func versionsAndTheirDifference() async throws {
        try await withServer { _, _, client in
            let list = try await client.get("/api/v1/pipelines/1/versions?per_page=1").json()
            #expect(list["total"] as? Int == 2 && (list["items"] as? [Any])?.count == 1)
            let one = try await client.get("/api/v1/pipelines/1/versions/1").json()
            #expect(one["definition"] as? String == "jobs:\n  a: {}\n")
            #expect(try await client.get("/api/v1/pipelines/1/versions/3").status == 404)
            #expect(try await client.get("/api/v1/pipelines/9/versions/1").status == 404)
            let difference = try await client.get("/api/v1/pipelines/1/versions/1/diff/2").json()
            #expect(difference["added"] as? Int == 1 && difference["removed"] as? Int == 0)
            let text = "--- version 1\n+++ version 2\n@@ -1,2 +1,3 @@\n jobs:\n   a: {}\n+  b: {}\n"
            #expect(difference["text"] as? String == text)
        }
    }

    @Test func deletingTakesIfMatch() async throws {
        try await withServer { _, _, client in
            let stale = try await client.send("DELETE", "/api/v1/pipelines/1", headers: [("If-Match", "\"7\"")])
            #expect(stale.status == 412)
            let tag = try #require(try await client.get("/api/v1/pipelines/1").headers["etag"])
            #expect(try await client.send("DELETE", "/api/v1/pipelines/1", headers: [("If-Match", tag)]).status == 204)
        }
    }

    @Test func allLogsOfARunAreOneArchive() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            world.state.withLock { $0.logs[AttemptID(10)] = ["hello", "world"] }
            let answer = try await client.get("/api/v1/pipeline-runs/1/logs")
            #expect(answer.status == 200 && answer.headers["content-type"] == "application/x-tar")
            #expect(answer.body.utf8.count == Int(answer.headers["content-length"] ?? ""))
            #expect(answer.body.hasPrefix("build/compile/attempt-1.log\0"))
            #expect(answer.body.contains("hello\nworld\n"))
            #expect(try await client.get("/api/v1/pipeline-runs/2/logs").status == 404)
        }
        #expect(RunLogRoutes.name("../../x") == ".._.._x")
        #expect(RunLogRoutes.name("..") == "_")
    }

    /// Also where a connection was used before.
    @Test func aHeadThatIsNoneGetsAProblem() async throws {
        try await withServer { _, _, client in
            let wire = try await client.connect()
            defer { wire.close() }
            let good = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
            wire.send(Array(good.utf8))
            _ = try await wire.until("the first answer") { bytes -> Bool? in
                guard String(decoding: bytes, as: UTF8.self).contains("alive") else { return nil }
                bytes = []
                return true
            }
            wire.send(Array("GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n".utf8))
            let answer = try Client.parse(try await wire.untilClosed())
            #expect(answer.status == 400)
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
    }

    // MARK: Pages

    @Test func thePageToReadHasEverythingAndNoScript() async throws {
        try await withServer { _, _, client in
            let answer = try await client.send("GET", "/redoc", token: nil)
            #expect(answer.status == 200)
            for route in client.routes {
                #expect(answer.body.contains("id=\"\(route.operation)\""), "\(route.operation)")
            }
            #expect(!answer.body.contains("<script") && !answer.body.contains("style="))
            let policy = try #require(answer.headers["content-security-policy"])
            #expect(
                policy.contains("default-src 'none'") && !policy.contains("script-src") && !policy.contains("unsafe"))
            // Every place that is linked to is there.
            for part in answer.body.split(separator: "href=\"#").dropFirst() {
                let target = part.prefix { $0 != "\"" }
                #expect(answer.body.contains("id=\"\(target)\""), "\(target)")
            }
            #expect(
                try await client.send("GET", "/redoc/page.css", token: nil).headers["content-type"]
                    == "text/css; charset=utf-8")
            let tag = try #require(answer.headers["etag"])
            #expect(try await client.send("GET", "/redoc", token: nil, headers: [("If-None-Match", tag)]).status == 304)
        }
    }

    @Test func thePageToTrySaysWhatIsMissing() async throws {
        try await withServer { _, _, client in
            let answer = try await client.send("GET", "/docs", token: nil)
            #expect(answer.status == 200 && answer.body.contains("packaging/swagger-ui"))
            #expect(answer.body.contains("href=\"/redoc\""))
            #expect(try await client.send("GET", "/docs/swagger-ui.css", token: nil).status == 404)
            #expect(try await client.send("GET", "/docs/..%2Fetc", token: nil).status >= 400)
        }
    }

    @Test func thePageToTryServesItsFilesAndNoOthers() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("swagger-ui-bundle.js", "window.SwaggerUIBundle = null;")
        try folder.write("swagger-ui.css", "body {}")
        try folder.write("secret.txt", "not for you")
        try await withServer(change: { $0.docsDirectory = folder.path }) { _, _, client in
            let page = try await client.send("GET", "/docs", token: nil)
            #expect(page.body.contains("/docs/start.js"))
            let policy = try #require(page.headers["content-security-policy"])
            #expect(
                policy.contains("script-src 'self'") && !policy.contains("unsafe") && !policy.contains("trusted-types"))
            #expect(try await client.send("GET", "/docs/swagger-ui.css", token: nil).body == "body {}")
            #expect(try await client.send("GET", "/docs/secret.txt", token: nil).status == 400)
            #expect(try await client.send("GET", "/docs/start.js", token: nil).body.contains("/openapi.json"))
        }
    }

    @Test func whatIsWrittenIsEscaped() {
        var html = HTML(capacity: 64)
        html.element("p", ["title": "\"><script>"], "<b>&'")
        let text = String(decoding: html.bytes, as: UTF8.self)
        #expect(text == "<!doctype html>\n<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&#39;</p>")
        #expect(
            PrettyJSON.text(#"{"a":[1,{"b":"{,}"}],"c":{}}"#) == """
                {
                  "a": [
                    1,
                    {
                      "b": "{,}"
                    }
                  ],
                  "c": {}
                }
                """)
    }
}
