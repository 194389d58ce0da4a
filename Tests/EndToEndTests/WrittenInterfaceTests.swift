import Foundation
import TestSupport
import Testing

/// Sentences of the interface's description that hold for many addresses, tried on a real controller.
@Suite struct WrittenInterfaceTests {
    private static let hook: JSON = ["name": "h", "source": "github"]

    private static func user(_ cluster: Cluster, _ name: String) throws -> Int64 {
        try #require(
            try cluster.api.call(
                "POST", "/api/v1/users", ["username": .string(name), "password": "long enough"])["id"].int)
    }

    private static func send(
        _ cluster: Cluster, _ method: String, _ path: String, _ body: JSON? = nil, _ headers: [String: String] = [:]
    ) throws -> APIClient.Response {
        try cluster.api.request(method, path, headers: headers, body: body?.bytes)
    }

    // MARK: Lists

    /// Also those that are short enough to come whole take pages, and all have links.
    @Test func everyListHasPagesAndLinks() async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline(
                "nightly",
                "on:\n  cron: [{ name: a, at: '0 1 * * *' }, { name: b, at: '0 2 * * *' }, { name: c, at: '0 3 * * *' }]\n"
                    + Cluster.definition("true"))
            let project = "/api/v1/projects/1"
            for name in ["A", "B", "C"] {
                try cluster.api.call("POST", project + "/secrets", ["name": .string(name), "value": "long enough"])
                try cluster.api.call(
                    "POST", project + "/environments/prod/secrets", ["name": .string(name), "value": "long enough"])
                try cluster.api.call("POST", project + "/hooks", ["name": .string(name), "source": "github"])
                try cluster.api.call(
                    "POST", project + "/notification-targets",
                    ["name": .string(name), "url": "https://example.org/x", "format": "json"])
                try cluster.api.call(
                    "POST", "/api/v1/notification-rules",
                    ["name": .string(name), "on": .array(["failed"]), "in_app": true])
                try cluster.api.call(
                    "POST", project + "/forges",
                    ["kind": "github", "repository": .string("octo/\(name)"), "secret": "A"])
                try cluster.api.call("POST", "/api/v1/api-keys", ["name": .string(name)])
                _ = try Self.user(cluster, "user-\(name)")
            }
            for path in [
                "/api/v1/pipelines/\(pipeline)/schedules?next=1", project + "/secrets",
                project + "/environments/prod/secrets", project + "/hooks", project + "/notification-targets",
                "/api/v1/notification-rules?project_id=1", project + "/forges", "/api/v1/api-keys",
                "/api/v1/system/api-keys", "/api/v1/audit-logs", "/api/v1/users",
            ] {
                let whole = try cluster.api.get(path)
                let total = try #require(whole["total"].int, "\(path)")
                #expect(total >= 3, "\(path)")
                let mark = path.contains("?") ? "&" : "?"
                let answer = try Self.send(cluster, "GET", "\(path)\(mark)page=2&per_page=1")
                let page = try answer.json()
                #expect(page["items"].items.count == 1 && page["page"].int == 2 && page["per_page"].int == 1, "\(path)")
                #expect(page["items"][0] != whole["items"][0], "\(path)")
                let link = answer.headers["link"] ?? ""
                #expect(link.contains("rel=\"next\"") && link.contains("rel=\"prev\""), "\(path): \(link)")
                // What a link leads to is what it says.
                let first = try #require(link.split(separator: ">").first?.dropFirst())
                #expect(try cluster.api.get(String(first))["items"][0] == whole["items"][0], "\(path): \(link)")
                #expect(try Self.send(cluster, "GET", "\(path)\(mark)per_page=101").status == 400, "\(path)")
            }
            for path in [
                "/api/v1/agents", "/api/v1/auth/sessions", project + "/environments", "/api/v1/pipeline-runs",
            ] {
                let answer = try Self.send(cluster, "GET", path + "?page=1&per_page=5")
                #expect(answer.status == 200 && answer.headers["link"]?.contains("rel=\"last\"") == true, "\(path)")
            }
        }
    }

    /// Reading on behind the last one that was seen gives each once, whatever is made meanwhile.
    @Test func longHistoriesGoOnBehindAnID() async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("true"))
            let runs = try (0..<5).map { _ in try cluster.startRun(pipeline) }
            func ids(_ query: String) throws -> [Int64] {
                try cluster.api.get("/api/v1/pipeline-runs?" + query)["items"].items.compactMap { $0["id"].int }
            }
            #expect(try ids("after=\(runs[3])&per_page=2") == [runs[2], runs[1]])
            _ = try cluster.startRun(pipeline)
            #expect(try ids("after=\(runs[1])") == [runs[0]])
            #expect(try ids("after=\(runs[3])&pipeline_id=\(pipeline)") == [runs[2], runs[1], runs[0]])
            #expect(try ids("after=\(runs[1])&sort=created_at&per_page=2") == [runs[2], runs[3]])
            #expect(try cluster.api.get("/api/v1/pipeline-runs?after=\(runs[2])")["total"].int == 2)
            let hook = try #require(try cluster.api.call("POST", "/api/v1/projects/1/hooks", Self.hook)["id"].int)
            var events: [Int64] = []
            for _ in 0..<3 {
                let sent = try cluster.api.call("POST", "/api/v1/projects/1/hooks/\(hook)/test", [:])
                events.append(try #require(sent["event_id"].int))
            }
            let behind = try cluster.api.get("/api/v1/webhook-events?after=\(events[2])")["items"].items
            #expect(behind.compactMap { $0["id"].int } == [events[1], events[0]])
            for title in ["one", "two", "three"] {
                try cluster.api.call("POST", "/api/v1/system/notify", ["title": .string(title)])
            }
            let notices = try cluster.api.get("/api/v1/notifications")["items"].items
            let older = try cluster.api.get("/api/v1/notifications?after=\(notices[0]["id"].int ?? 0)")["items"].items
            #expect(older.compactMap { $0["title"].text } == ["two", "one"])
        }
    }

    // MARK: One thing

    /// Where an answer's `Location` leads is something to be read.
    @Test func whatWasMadeIsAtItsLocation() async throws {
        try await Cluster.with([]) { cluster in
            let project = "/api/v1/projects/1"
            for (path, body) in [
                (project + "/secrets", ["name": "A", "value": "long enough"]),
                (project + "/environments/prod/secrets", ["name": "A", "value": "long enough"]),
                ("/api/v1/api-keys", ["name": "k"]), (project + "/hooks", Self.hook),
                ("/api/v1/projects", ["name": "widgets"]),
            ] as [(String, JSON)] {
                let made = try Self.send(cluster, "POST", path, body)
                #expect(made.status == 201, "\(path): \(made.text)")
                let place = try #require(made.headers["location"])
                let read = try Self.send(cluster, "GET", place)
                #expect(read.status == 200 && read.headers["etag"] != nil, "\(place): \(read.status)")
                #expect(!read.text.contains("long enough"), "\(place)")
                if let key = try made.json()["key"].text { #expect(!read.text.contains(key)) }
                let tag = read.headers["etag"] ?? ""
                #expect(try Self.send(cluster, "GET", place, nil, ["If-None-Match": tag]).status == 304, "\(place)")
                #expect(try Self.send(cluster, "GET", place, nil, ["If-None-Match": tag + "x"]).status == 200)
            }
        }
    }

    /// A change that was decided on by what is no longer so is refused, whatever it is of.
    @Test func aStaleIfMatchIsRefusedEverywhere() async throws {
        try await Cluster.with([]) { cluster in
            let user = try Self.user(cluster, "octo")
            let pipeline = try cluster.createPipeline(
                "p", "on: { cron: [{ name: nightly, at: '0 1 * * *' }] }\n" + Cluster.definition("true"))
            let run = try cluster.startRun(pipeline)
            try cluster.api.call("PUT", "/api/v1/projects/1/members/\(user)", ["role": "viewer"])
            try cluster.api.call("POST", "/api/v1/pipelines/\(pipeline)/badge")
            try cluster.api.call("POST", "/api/v1/projects/1/secrets", ["name": "A", "value": "long enough"])
            let badge = "/api/v1/pipelines/\(pipeline)/badge"
            for (path, method, body, change) in [
                ("/api/v1/projects/1/members/\(user)", "PUT", ["role": "owner"], ["role": "developer"]),
                (
                    "/api/v1/pipelines/\(pipeline)/schedules/nightly", "PATCH", ["enabled": false],
                    ["enabled": false]
                ),
                ("/api/v1/pipeline-runs/\(run)/pin", "PUT", ["note": "mine"], ["note": "yours"]),
                ("/api/v1/projects/1/badges", "PUT", ["public": true], ["public": true]),
                ("/api/v1/projects/1/secrets/A", "PUT", ["value": "another one"], ["value": "yet another"]),
            ] as [(String, String, JSON, JSON)] {
                let tag = try #require(try Self.send(cluster, "GET", path).headers["etag"], "\(path)")
                let other = try Self.send(cluster, method, path, change)
                #expect(other.status == 200, "\(path): \(other.text)")
                let stale = try Self.send(cluster, method, path, body, ["If-Match": tag])
                #expect(stale.status == 412, "\(path): \(stale.status)")
                let now = try #require(try Self.send(cluster, "GET", path).headers["etag"])
                #expect(now != tag, "\(path)")
                let good = try Self.send(cluster, method, path, body, ["If-Match": now])
                #expect(good.status == 200, "\(path): \(good.text)")
            }
            for path in ["/api/v1/projects/1/members/\(user)", "/api/v1/pipeline-runs/\(run)/pin", badge] {
                #expect(try Self.send(cluster, "DELETE", path, nil, ["If-Match": "\"1-1\""]).status == 412, "\(path)")
                let tag = try #require(try Self.send(cluster, "GET", path).headers["etag"])
                #expect(try Self.send(cluster, "DELETE", path, nil, ["If-Match": tag]).status == 204, "\(path)")
            }
        }
    }

    /// A finished log is fetched once, in whatever form.
    @Test func finishedLogsHaveTags() async throws {
        try await Cluster.with([.init("one")]) { cluster in
            let run = try cluster.startRun(try cluster.createPipeline("p", Cluster.definition("echo hello")))
            try cluster.finish(run)
            for path in [
                cluster.logPath(run, "main/s", "format=text"), cluster.logPath(run, "main/s", "format=json"),
                cluster.logPath(run, "main/s", "format=raw"), cluster.logPath(run, "main/s", "q=hello"),
                "/api/v1/pipeline-runs/\(run)/logs",
            ] {
                let read = try Self.send(cluster, "GET", path)
                let tag = try #require(read.headers["etag"], "\(path)")
                #expect(try Self.send(cluster, "GET", path, nil, ["If-None-Match": tag]).status == 304, "\(path)")
            }
        }
    }

    // MARK: Making

    @Test func keysOfRequestsHoldForEveryPOSTThatMakesSomething() async throws {
        try await Cluster.with([]) { cluster in
            let hook = try #require(try cluster.api.call("POST", "/api/v1/projects/1/hooks", Self.hook)["id"].int)
            let test = "/api/v1/projects/1/hooks/\(hook)/test"
            let first = try Self.send(cluster, "POST", test, [:], ["Idempotency-Key": "t"])
            #expect(first.status == 202)
            let again = try Self.send(cluster, "POST", test, [:], ["Idempotency-Key": "t"])
            #expect(again.text == first.text && again.headers["idempotency-replayed"] == "true")
            let event = try #require(try first.json()["event_id"].int)
            let replay = "/api/v1/webhook-events/\(event)/replay"
            let one = try Self.send(cluster, "POST", replay, [:], ["Idempotency-Key": "r"])
            #expect(try Self.send(cluster, "POST", replay, [:], ["Idempotency-Key": "r"]).text == one.text)
            #expect(try cluster.api.get("/api/v1/webhook-events")["total"].int == 2)

            // Of a run, too, the same key with another request is refused instead of answered with the wrong run.
            let pipeline = try cluster.createPipeline("p", Cluster.definition("true"))
            let runs = "/api/v1/pipelines/\(pipeline)/runs"
            let key = ["Idempotency-Key": "run"]
            let started = try Self.send(cluster, "POST", runs, ["branch": "main", "priority": 5], key)
            #expect(started.status == 201)
            let same = try Self.send(cluster, "POST", runs, ["branch": "main", "priority": 5], key)
            #expect(same.status == 201 && same.headers["location"] == started.headers["location"])
            for body in [
                ["branch": "main"], ["branch": "other", "priority": 5], ["priority": 6],
                ["branch": "main", "priority": 5, "commit": .string(String(repeating: "a", count: 40))],
            ] as [JSON] {
                #expect(try Self.send(cluster, "POST", runs, body, key).status == 422, "\(body)")
            }
        }
    }

    /// What is said where nobody reads it is refused before anything is done.
    @Test func whatNobodyReadsIsRefused() async throws {
        try await Cluster.with([]) { cluster in
            let retention = "/api/v1/system/retention"
            #expect(try Self.send(cluster, "POST", retention, ["dry_run": true]).status == 400)
            #expect(try Self.send(cluster, "POST", retention, [:]).status == 200)
            #expect(try Self.send(cluster, "POST", retention + "?dry_run=true").status == 200)
            let made = try cluster.api.call("POST", "/api/v1/projects", ["name": "widgets"])
            let project = try #require(made["id"].int)
            let wrong = try Self.send(
                cluster, "DELETE", "/api/v1/projects/\(project)?confirm=widgets", ["dry_run": true])
            #expect(wrong.status == 400 && wrong.text.contains("takes no body"), "\(wrong.text)")
            #expect(try Self.send(cluster, "GET", "/api/v1/projects/\(project)").status == 200)
            let pipeline = try cluster.createPipeline("p", Cluster.definition("true"))
            let moved = try Self.send(
                cluster, "PATCH", "/api/v1/pipelines/\(pipeline)", ["project_id": .integer(project)])
            #expect(moved.status == 422 && moved.text.contains("stays in its project"), "\(moved.text)")
            let kept = try Self.send(cluster, "PATCH", "/api/v1/pipelines/\(pipeline)", ["project_id": 1])
            #expect(kept.status == 200)
        }
    }

    /// A name that looks like another one, or that no page can have in its address, is not given.
    @Test func namesCanBeToldApartAndStandInAddresses() async throws {
        try await Cluster.with([]) { cluster in
            _ = try Self.user(cluster, "octo")
            func status(_ path: String, _ field: String, _ name: String, _ rest: JSON) throws -> Int {
                guard case .object(var members) = rest else { throw TestFailure("No object.") }
                members[field] = .string(name)
                return try Self.send(cluster, "POST", path, .object(members)).status
            }
            let definition: JSON = ["definition": .string(Cluster.definition("true"))]
            for name in [
                "a\u{200B}b", "a\u{202E}b", "\u{FEFF}a", "a\u{2028}b", ".", "..", "../x", "a/../b", "a;b", "a\\b", " a",
            ] {
                #expect(try status("/api/v1/users", "username", name, ["password": "long enough"]) == 422, "\(name)")
                #expect(try status("/api/v1/projects", "name", name, [:]) == 422, "\(name)")
                #expect(try status("/api/v1/pipelines", "name", name, definition) == 422, "\(name)")
            }
            #expect(try status("/api/v1/pipelines", "name", "-", definition) == 422)
            #expect(try status("/api/v1/users", "username", "OCTO", ["password": "long enough"]) == 409)
            for name in ["größe", "名前", "a b", "team/app", "v1.2", "-"] {
                #expect(try status("/api/v1/projects", "name", name, [:]) == 201, "\(name)")
            }
        }
    }

    /// A key for a day can't make one for ever.
    @Test func aKeyThatEndsMakesNoneThatOutlivesIt() async throws {
        try await Cluster.with([]) { cluster in
            let end = "2099-01-01T00:00:00.000Z"
            let made = try cluster.api.call(
                "POST", "/api/v1/api-keys", ["name": "k", "scopes": .array(["read"]), "expires_at": .string(end)])
            let client = APIClient(port: cluster.controller.port, token: made["key"].text)
            func make(_ body: JSON) throws -> Int {
                try client.request("POST", "/api/v1/api-keys", body: body.bytes).status
            }
            #expect(try make(["name": "for ever"]) == 422)
            #expect(try make(["name": "longer", "expires_at": "2099-01-02T00:00:00Z"]) == 422)
            #expect(try make(["name": "as long", "expires_at": .string(end)]) == 201)
        }
    }

    /// A run that another system reports is on the branch that this says.
    @Test func aReportedRunHasItsBranch() async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("true"))
            let run = try cluster.startRun(pipeline, ["reported_by": "jenkins", "branch": "release/1"])
            #expect(try cluster.show(run)["branch"].text == "release/1")
            let found = try cluster.api.get("/api/v1/pipeline-runs?branch=release/1")["items"].items
            #expect(found.map { $0["id"].int } == [run])
        }
    }

    @Test func aRunGoesOnFromAStepInOneWord() async throws {
        try await Cluster.with([.init("one")]) { cluster in
            let run = try cluster.startRun(try cluster.createPipeline("p", Cluster.definition("true")))
            try cluster.finish(run)
            let again = try Self.send(
                cluster, "POST", "/api/v1/pipeline-runs/\(run)/rerun", ["from": "step", "step": "main/s"])
            #expect(again.status == 201, "\(again.text)")
        }
    }

    /// Who makes a project for itself is told so at once.
    @Test func aNewProjectSaysTheCallersRole() async throws {
        try await Cluster.with([]) { cluster in
            let me = try #require(try cluster.api.get("/api/v1/auth/me")["id"].int)
            let made = try cluster.api.call(
                "POST", "/api/v1/projects", ["name": "widgets", "owner_id": .integer(me)])
            #expect(made["role"].text == "owner")
            #expect(try cluster.api.get("/api/v1/projects/\(made["id"].int ?? 0)") == made)
        }
    }

    /// The command line takes a project's name wherever it takes its id, and does not guess between pipelines of one name.
    @Test func theCommandLineNamesProjects() async throws {
        try await Cluster.with([]) { cluster in
            let ansflow = CommandLineClient(cluster)
            for name in ["widgets", "gadgets"] {
                try cluster.api.call("POST", "/api/v1/projects", ["name": .string(name)])
            }
            let file = try ansflow.file("p.yml", Cluster.definition("true"))
            for project in ["widgets", "gadgets"] {
                let made = try ansflow("pipeline", "create", "--file", file, "--name", "app", "--project", project)
                #expect(made.code == 0, "\(made)")
            }
            let unclear = try ansflow("run", "app")
            #expect(unclear.code == 2 && unclear.errors.contains("PROJECT/app"), "\(unclear)")
            let started = try ansflow("run", "gadgets/app", "--json")
            #expect(started.code == 0, "\(started)")
            let run = try JSON(parsing: Array(started.output.utf8))
            let project = try cluster.api.get("/api/v1/projects/\(run["project_id"].int ?? 0)")
            #expect(project["name"].text == "gadgets")
            let listed = try ansflow("runs", "--project", "widgets", "--json")
            #expect(try JSON(parsing: Array(listed.output.utf8))["total"].int == 0)
            let replaced = try ansflow(
                "pipeline", "create", "--file", file, "--name", "app", "--project", "gadgets", "--replace", "--json")
            #expect(try JSON(parsing: Array(replaced.output.utf8))["project_id"] == run["project_id"], "\(replaced)")
            for command in [
                ["hook", "list"], ["secret", "list"], ["forge", "list"], ["environment", "list"], ["notice", "rules"],
                ["pipeline", "list"],
            ] {
                let good = try ansflow(command + ["--project", "widgets"])
                #expect(good.code == 0, "\(command): \(good)")
                let bad = try ansflow(command + ["--project", "nobody"])
                #expect(bad.code == 3 && bad.errors.contains("ansflow project list"), "\(command): \(bad)")
            }
            let hook = try ansflow("hook", "create", "github", "--name", "h", "--project", "widgets", "--json")
            let id = try #require(try JSON(parsing: Array(hook.output.utf8))["id"].int)
            // Where it was looked for is said.
            let elsewhere = try ansflow("hook", "test", "\(id)")
            #expect(elsewhere.code == 3 && elsewhere.errors.contains("of project 1"), "\(elsewhere)")
            #expect(try ansflow("hook", "test", "\(id)", "--project", "widgets").code == 0)
        }
    }

    /// One request can't make an answer that is far larger than itself.
    @Test func anAnswerToManyFaultsIsBounded() async throws {
        try await Cluster.with([]) { cluster in
            let body = "{" + (0..<50_000).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
            let answer = try cluster.api.request(
                "POST", "/api/v1/pipelines/validate", body: Array(body.utf8))
            #expect(answer.status == 422 && answer.body.count < 100_000, "\(answer.body.count)")
            #expect(try answer.json()["errors"].items.count == 100)
        }
    }
}
