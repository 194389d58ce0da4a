import AnsFlowProtocol
import ControllerCore
import NIOCore
import Synchronization
import Testing

@testable import ControllerHTTP

@Suite struct ResourceTests {
    @Test func rootAndStatusSayWhatTheyMust() async throws {
        try await withServer { world, _, client in
            let root = try await client.send("GET", "/", token: nil).json()
            #expect(Set(root.keys) == ["service", "version", "status", "environment"])
            #expect(root["status"] as? String == "running")
            #expect(try await client.send("GET", "/api/v1/status", token: nil).json()["status"] as? String == "healthy")
            #expect(try await client.send("GET", "/health/ready", token: nil).status == 200)
            world.state.withLock { $0.halted = "the disk /srv/secret is full" }
            let ready = try await client.send("GET", "/health/ready", token: nil)
            #expect(ready.status == 503)
            #expect(ready.headers["retry-after"] == "5")
            #expect(!ready.body.contains("secret"))
            #expect(try await client.send("GET", "/health/live", token: nil).status == 200)
        }
    }

    @Test func loginTakesJSONAndForms() async throws {
        try await withServer { world, _, client in
            let json = try await client.send(
                "POST", "/api/v1/auth/login", token: nil, body: #"{"username":"admin","password":"right"}"#)
            #expect(json.status == 200)
            #expect(Set(try json.json().keys) == ["access_token", "refresh_token", "token_type", "expires_in"])
            #expect(json.headers["cache-control"] == "no-store")
            let form = try await client.send(
                "POST", "/api/auth/login/", token: nil, body: "username=admin&password=right",
                type: "application/x-www-form-urlencoded")
            #expect(form.status == 200)
            let wrong = try await client.send(
                "POST", "/api/v1/auth/login", token: nil, body: #"{"username":"admin","password":"wrong"}"#)
            #expect(wrong.status == 401)
            let many = try await client.send(
                "POST", "/api/v1/auth/login", token: nil, body: #"{"username":"admin","password":"wrong"}"#)
            #expect(many.status == 429)
            #expect(many.headers["retry-after"] == "7")
        }
    }

    @Test func theListOfRunsIsPagedAndNeverStale() async throws {
        try await withServer { world, _, client in
            for id in 1...45 { world.addRun(Int64(id), branch: id % 2 == 0 ? "main" : "dev") }
            let path = "/api/v1/pipeline-runs?page=2&per_page=20"
            let first = try await client.get(path)
            let json = try first.json()
            #expect(json["total"] as? Int == 45)
            #expect((json["items"] as? [[String: Any]])?.first?["id"] as? Int == 25)
            #expect(first.headers["link"]?.contains("page=3&per_page=20>; rel=\"next\"") == true)
            let reads = world.state.withLock { $0.reads }
            let tag = try #require(first.headers["etag"])
            #expect(try await client.get(path).body == first.body)
            let same = try await client.get(path, headers: [("If-None-Match", tag)])
            #expect(same.status == 304)
            #expect(same.body.isEmpty)
            #expect(world.state.withLock { $0.reads } == reads)
            for id in 46...60 {
                world.addRun(Int64(id))
                let answer = try await client.get("/api/v1/pipeline-runs?per_page=1")
                #expect(((try answer.json()["items"]) as? [[String: Any]])?.first?["id"] as? Int == id)
                #expect(try await client.get(path, headers: [("If-None-Match", tag)]).status == 200)
            }
            let filtered = try await client.get("/api/v1/pipeline-runs?branch=dev&per_page=100").json()
            #expect(filtered["total"] as? Int == 23)
        }
    }

    @Test func runsStartOnceForOneKey() async throws {
        try await withServer { world, _, client in
            let path = "/api/v1/pipelines/1/runs"
            let body = #"{"ref":"refs/heads/main","inputs":{"n":3,"b":true,"t":"x"},"priority":2}"#
            let first = try await client.send("POST", path, body: body, headers: [("Idempotency-Key", "k1")])
            #expect(first.status == 201)
            #expect(first.headers["location"] == "/api/v1/pipeline-runs/1")
            let again = try await client.send("POST", path, body: body, headers: [("Idempotency-Key", "k1")])
            #expect(again.status == 201)
            #expect(try again.json()["id"] as? Int == 1)
            #expect(again.headers["idempotency-replayed"] == "true")
            #expect(try await client.send("POST", path, body: nil).headers["location"] == "/api/v1/pipeline-runs/2")
            #expect(try await client.send("POST", path, body: #"{"ref":"--upload-pack=x"}"#).status == 422)
            #expect(try await client.send("POST", path, body: #"{"commit":"abc"}"#).status == 422)
            #expect(try await client.send("POST", "/api/v1/pipelines/9/runs", body: "{}").status == 404)
            world.state.withLock { $0.halted = "No space." }
            let halted = try await client.send("POST", path, body: "{}")
            #expect(halted.status == 503)
            #expect(halted.headers["retry-after"] != nil)
        }
    }

    @Test func aRunShowsItsPartsAndWhyTheyWait() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            let json = try await client.get("/api/v1/pipeline-runs/1").json()
            let jobs = try #require(json["jobs"] as? [[String: Any]])
            let steps = try #require(jobs.first?["steps"] as? [[String: Any]])
            #expect(steps.compactMap { $0["key"] as? String } == ["build/compile", "build/test"])
            #expect((steps.first?["attempts"] as? [[String: Any]])?.first?["agent"] as? String == "one")
            #expect((jobs.last?["waiting"] as? [[String: Any]])?.first?["kind"] as? String == "needs")
            for _ in 0..<5 { _ = world.commit(1) }
            let events = try await client.get("/api/v1/pipeline-runs/1/events?after=2&limit=2").json()
            #expect((events["items"] as? [[String: Any]])?.compactMap { $0["seq"] as? Int } == [3, 4])
            let graph = try await client.get("/api/v1/pipeline-runs/1/graph").json()
            #expect((graph["nodes"] as? [[String: Any]])?.count == 5)
            let cancel = try await client.send(
                "POST", "/api/v1/pipeline-runs/1/cancel", body: #"{"reason":"late","force":true,"skip_finally":true}"#)
            #expect(cancel.status == 200)
            #expect(world.state.withLock { $0.cancelled.map(\.1) } == ["late"])
        }
    }

    @Test func pipelinesAreCheckedAndVersioned() async throws {
        try await withServer { _, _, client in
            let path = "/api/v1/pipelines"
            let made = try await client.send("POST", path, body: #"{"name":"two","definition":"jobs: {}"}"#)
            #expect(made.status == 201)
            #expect(made.headers["location"] == "/api/v1/pipelines/2")
            #expect(try await client.send("POST", path, body: #"{"name":"two","definition":"x"}"#).status == 409)
            for name in [#"a\nb"#, #"\u001b[31mred"#, #"\u0000"#, #"\u0085"#] {
                let odd = try await client.send("POST", path, body: #"{"name":"\#(name)","definition":"x"}"#)
                #expect(odd.status == 422 && odd.body.contains("control character"), "\(name): \(odd.body)")
            }
            let broken = try await client.send("POST", path, body: #"{"name":"three","definition":"broken"}"#)
            #expect(broken.status == 422)
            #expect(broken.body.contains(":3:1: error: The word `broken` is not known."))
            let local = #"{"name":"four","definition":"x","repository":{"url":"file:///etc"}}"#
            #expect(try await client.send("POST", path, body: local).status == 422)
            let stale = try await client.send(
                "PATCH", path + "/2", body: #"{"enabled":false}"#, headers: [("If-Match", "\"7\"")])
            #expect(stale.status == 412)
            let changed = try await client.send(
                "PATCH", path + "/2", body: #"{"enabled":false}"#, headers: [("If-Match", "\"1\"")])
            #expect(changed.status == 200)
            #expect(changed.headers["etag"] == "\"2\"")
            #expect(try await client.send("POST", path + "/2/runs", body: "{}").status == 409)
            let valid = try await client.send("POST", path + "/validate", body: #"{"definition":"broken"}"#).json()
            #expect(valid["valid"] as? Bool == false)
            #expect((valid["diagnostics"] as? [[String: Any]])?.first?["line"] as? Int == 3)
            #expect(try await client.send("DELETE", path + "/2").status == 204)
            #expect(try await client.get(path + "/2").status == 404)
        }
    }

    @Test func agentsAndKeys() async throws {
        try await withServer { _, _, client in
            #expect(try await client.get("/api/v1/agents").json()["total"] as? Int == 1)
            #expect(try await client.get("/api/v1/agents/2").status == 404)
            #expect(try await client.send("POST", "/api/v1/agents/1/gone", body: "{}").status == 409)
            #expect(try await client.send("DELETE", "/api/v1/agents/1").status == 200)
            let token = try await client.send("POST", "/api/v1/agents/enrolment-tokens", body: "{}")
            #expect(token.status == 201)
            #expect(try token.json()["token"] as? String == "token.fingerprint")
            let key = try await client.send("POST", "/api/v1/api-keys", body: #"{"name":"ci","scopes":["run"]}"#)
            #expect(key.status == 201)
            #expect(try key.json()["key"] as? String == "ansk_abcdef")
            let more = try await client.send(
                "POST", "/api/v1/api-keys", token: "reader-token", body: #"{"name":"ci","scopes":["admin"]}"#)
            #expect(more.status == 403)
            #expect(
                try await client.send("POST", "/api/v1/api-keys", body: #"{"name":"x","scopes":["odd"]}"#).status == 422
            )
        }
    }

    @Test func logsHaveTheirFormatsAndRanges() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            world.append((1...2500).map { "line \($0)" }, to: 10)
            let whole = (1...2500).map { "line \($0)\n" }.joined()
            let base = "/api/v1/pipeline-runs/1/steps"
            for step in ["compile", "build%2Fcompile", "build/compile"] {
                #expect(try await client.get("\(base)/\(step)/log").body == whole, "\(step)")
            }
            let path = "\(base)/compile/log"
            #expect(try await client.get(path + "?from_line=2499").body == "line 2499\nline 2500\n")
            #expect(try await client.get(path + "?from_line=3&lines=2").body == "line 3\nline 4\n")
            #expect(try await client.get(path + "?from_line=5&lines=1500").body.split(separator: "\n").count == 1500)
            #expect(try await client.get(path + "?tail=1").body == "line 2500\n")
            let json = try await client.get(path + "?format=json&from_line=10&lines=2").json()
            #expect((json["lines"] as? [[String: Any]])?.compactMap { $0["n"] as? Int } == [10, 11])
            #expect(json["total"] as? Int == 2500)
            let raw = try await client.get(path + "?format=raw")
            #expect(raw.body == whole)
            #expect(raw.headers["content-length"] == "\(whole.utf8.count)")
            let part = try await client.get(path + "?format=raw", headers: [("Range", "bytes=7-13")])
            #expect(part.status == 206)
            #expect(part.body == "line 2\n")
            #expect(part.headers["content-range"] == "bytes 7-13/\(whole.utf8.count)")
            let end = try await client.get(path + "?format=raw", headers: [("Range", "bytes=-5")])
            #expect(end.body == "2500\n")
            let beyond = try await client.get(path + "?format=raw", headers: [("Range", "bytes=99999999-")])
            #expect(beyond.status == 416)
            #expect(try await client.get(path + "?format=xml").status == 400)
            #expect(try await client.get(path + "?attempt=2").status == 404)
            #expect(try await client.get("\(base)/test/log").status == 409)
            #expect(try await client.get("\(base)/nothing/log").status == 404)
        }
    }

    @Test func requestsAreLoggedWithoutTheirSecrets() async throws {
        let lines = Mutex("")
        try await withServer(
            change: { configuration in
                configuration.accessLog = { buffer in lines.withLock { $0 += String(buffer: buffer) } }
            }
        ) { _, _, client in
            _ = try await client.get("/api/v1/pipeline-runs?q=hunter2")
        }
        let text = lines.withLock { $0 }
        #expect(text.contains("\"operation\":\"listRuns\""))
        #expect(text.contains("\"user\":\"admin\""))
        #expect(!text.contains("hunter2") && !text.contains("admin-token"))
    }

    @Test func metricsCountRequests() async throws {
        try await withServer { _, _, client in
            _ = try await client.get("/api/v1/agents")
            let text = try await client.get("/metrics").body
            #expect(text.contains("ansflow_http_requests_total{operation=\"listAgents\",class=\"2xx\"} 1"))
            #expect(text.contains("ansflow_halted 0"))
        }
    }
}
