import Dispatch
import TestSupport
import Testing

/// `If-Match`, `sort` and what is said of logs that are gone, against a real controller.
@Suite struct ConditionTests {
    private static func write(
        _ cluster: Cluster, _ method: String, _ path: String, _ body: JSON?, _ tag: String
    ) throws -> Int {
        try cluster.api.request(method, path, headers: ["If-Match": tag], body: body?.bytes).status
    }

    private static func tag(_ cluster: Cluster, _ path: String) throws -> String {
        try #require(try cluster.api.request("GET", path).headers["etag"])
    }

    @Test func whoReadSomethingOldChangesNothing() async throws {
        try await Cluster.with { cluster in
            let api = cluster.api
            _ = try api.call("POST", "/api/v1/projects/1/secrets", ["name": "A", "value": "abcdefgh"])
            let project = "/api/v1/projects/1"
            let things: [(path: String, method: String, change: JSON)] = [
                (
                    try Self.made(cluster, project + "/hooks", ["source": "github", "name": "gh"]), "PATCH",
                    ["name": "other"]
                ),
                (
                    try Self.made(
                        cluster, project + "/forges",
                        ["kind": "github", "repository": "octo/widgets", "secret": "A"]), "PUT",
                    ["repository": "octo/gears"]
                ),
                (
                    try Self.made(
                        cluster, project + "/notification-targets",
                        ["name": "chat", "url": "https://chat.example.org/x"]), "PUT", ["name": "chat2"]
                ),
                (
                    try Self.made(
                        cluster, "/api/v1/notification-rules",
                        ["project_id": 1, "name": "r", "on": ["failed"], "in_app": true]), "PUT", ["name": "r2"]
                ),
                ("/api/v1/agents/1", "PATCH", ["paused": true, "note": "cleaning"]),
            ]
            for thing in things {
                let old = try Self.tag(cluster, thing.path)
                #expect(
                    try Self.write(cluster, thing.method, thing.path, thing.change, "\"0\"") == 412, "\(thing.path)")
                #expect(try Self.write(cluster, thing.method, thing.path, thing.change, old) == 200, "\(thing.path)")
                #expect(try Self.write(cluster, thing.method, thing.path, thing.change, old) == 412, "\(thing.path)")
                #expect(try Self.write(cluster, "DELETE", thing.path, nil, old) == 412, "\(thing.path)")
                #expect(try api.request("GET", thing.path).status == 200)
                let new = try Self.tag(cluster, thing.path)
                #expect(new != old)
                let gone = try Self.write(cluster, "DELETE", thing.path, nil, new)
                #expect([200, 204].contains(gone), "\(thing.path): \(gone)")
            }
        }
    }

    private static func made(_ cluster: Cluster, _ path: String, _ body: JSON) throws -> String {
        "\(path)/\(try #require(try cluster.api.call("POST", path, body)["id"].int))"
    }

    @Test func aSecretsVersionIsItsTag() async throws {
        try await Cluster.with([]) { cluster in
            let path = "/api/v1/projects/1/environments/live/secrets/A"
            let early = try Self.write(cluster, "PUT", path, ["value": "one two three"], "\"1\"")
            #expect(early == 412)
            #expect(try cluster.api.send("PUT", path, ["value": "one two three"]).status == 201)
            #expect(try Self.write(cluster, "PUT", path, ["value": "four five"], "\"2\"") == 412)
            #expect(try Self.write(cluster, "PUT", path, ["value": "four five"], "\"1\"") == 200)
            #expect(try Self.write(cluster, "DELETE", path, nil, "\"1\"") == 412)
            #expect(try Self.write(cluster, "DELETE", path, nil, "\"2\"") == 204)
            #expect(try Self.write(cluster, "DELETE", path, nil, "\"2\"") == 404)
        }
    }

    /// Of many who read the same, one alone writes.
    @Test func ofManyOneWins() async throws {
        try await Cluster.with([]) { cluster in
            let path = try Self.made(cluster, "/api/v1/projects/1/hooks", ["source": "github", "name": "gh"])
            let tag = try Self.tag(cluster, path)
            let (won, lost) = (Tally(), Tally())
            DispatchQueue.concurrentPerform(iterations: 8) { index in
                let client = cluster.api.another()
                defer { client.disconnect() }
                let body: JSON = ["name": .string("n\(index)")]
                let answer = try? client.request("PATCH", path, headers: ["If-Match": tag], body: body.bytes)
                if answer?.status == 200 { won.add() }
                if answer?.status == 412 { lost.add() }
            }
            #expect(won.count == 1 && lost.count == 7, "\(won.count) and \(lost.count)")
        }
    }

    @Test func listsComeInTheOrderThatIsAskedFor() async throws {
        try await Cluster.with([]) { cluster in
            let api = cluster.api
            for name in ["cogs", "axles", "bolts"] { _ = try cluster.createPipeline(name, Cluster.definition("true")) }
            for name in ["pines", "oaks"] { _ = try api.call("POST", "/api/v1/projects", ["name": .string(name)]) }
            func names(_ path: String) throws -> [String] {
                try api.get(path)["items"].items.compactMap(\.["name"].text)
            }
            #expect(try names("/api/v1/pipelines") == ["axles", "bolts", "cogs"])
            #expect(try names("/api/v1/pipelines?sort=-name") == ["cogs", "bolts", "axles"])
            #expect(try names("/api/v1/pipelines?sort=created_at") == ["cogs", "axles", "bolts"])
            #expect(try names("/api/v1/pipelines?sort=-created_at&per_page=1&page=2") == ["axles"])
            _ = try api.call("PATCH", "/api/v1/pipelines/1", ["enabled": false])
            #expect(try names("/api/v1/pipelines?sort=-updated_at").first == "cogs")
            #expect(try names("/api/v1/projects?sort=-created_at") == ["oaks", "pines", "main"])
            #expect(try api.get("/api/v1/users?sort=-name")["items"].items.count == 1)
            let link = try api.request("GET", "/api/v1/pipelines?sort=-name&per_page=1").headers["link"]
            #expect(link?.contains("sort=-name&page=2") == true, "\(link ?? "")")
            for path in ["/api/v1/pipelines?sort=size", "/api/v1/pipeline-runs?sort=name", "/api/v1/agents?sort=x"] {
                #expect(try api.request("GET", path).status == 400, "\(path)")
            }
            let runs = try (0..<3).map { _ in try cluster.startRun(2) }
            func ids(_ query: String) throws -> [Int64] {
                try api.get("/api/v1/pipeline-runs?\(query)")["items"].items.compactMap(\.["id"].int)
            }
            #expect(try ids("sort=created_at") == runs)
            #expect(try ids("sort=-created_at") == Array(runs.reversed()))
            #expect(try ids("sort=created_at&pipeline_id=2&per_page=1&page=2") == [runs[1]])
        }
    }

    @Test func fullBlocksOfALogNeverChange() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("seq 1 1100")
            try cluster.finish(run)
            let base = "/api/v1/pipeline-runs/\(run)/steps/main/s/log/blocks"
            let first = try cluster.api.request("GET", base + "/0?attempt=1")
            #expect(first.headers["cache-control"]?.contains("immutable") == true, "\(first.headers)")
            let page = try first.json()
            #expect(page["lines"].items.count == 512 && page["first_line"].int == 1)
            let second = try cluster.api.request("GET", base + "/1?attempt=1")
            #expect(try second.json()["first_line"].int == 513)
            #expect(try second.json()["lines"][0]["n"].int == 513)
            // The newest attempt may be another one tomorrow.
            let unnamed = try cluster.api.request("GET", base + "/1")
            #expect(unnamed.headers["cache-control"]?.contains("immutable") == false)
            let last = try cluster.api.request("GET", base + "/2?attempt=1")
            #expect(Int64(try last.json()["lines"].items.count) == (page["total"].int ?? 0) - 1024)
            #expect(last.headers["cache-control"]?.contains("immutable") == false)
            #expect(try cluster.api.request("GET", base + "/3?attempt=1").status == 404)
            #expect(try cluster.api.request("GET", base + "/x").status == 400)
        }
    }

    @Test func aLogIsNarrowedToAText() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("for n in 1 2 3 4 5; do echo plain $n; echo Needle $n needle; done")
            try cluster.finish(run)
            let base = "/api/v1/pipeline-runs/\(run)/steps/main/s/log?q=needle"
            let text = try cluster.api.request("GET", base)
            #expect(text.text.split(separator: "\n").filter { $0.hasPrefix("Needle") }.count == 5, "\(text.text)")
            #expect(!text.text.contains("plain 1\n"), "\(text.text)")
            let json = try cluster.api.get(base + "&format=json&lines=2")
            #expect(json["lines"].items.count == 2, "\(json)")
            let none = try cluster.api.get("/api/v1/pipeline-runs/\(run)/steps/main/s/log?q=nothing&format=json")
            #expect(none["lines"].items.isEmpty && none["complete"].isTrue, "\(none)")
            for wrong in ["&tail=3", "&format=raw"] {
                #expect(try cluster.api.request("GET", base + wrong).status == 400)
            }
        }
    }

    @Test func aRerunSaysWhereFromInOneWord() async throws {
        try await Cluster.with { cluster in
            let definition =
                "jobs:\n  a:\n    steps: [{ id: one, run: 'true' }]\n  b:\n    needs: [a]\n    steps: [{ id: two, run: 'false' }]\n"
            let run = try cluster.startRun(try cluster.createPipeline("p", definition))
            try cluster.finish(run)
            let path = "/api/v1/pipeline-runs/\(run)/rerun"
            for (from, kind) in [("all", "all"), ("failed", "failed"), ("b", "from"), ("b/two", "from")] {
                let again = try cluster.api.call("POST", path, ["from": .string(from)])
                #expect(again["rerun"].text == kind, "\(from): \(again)")
                try cluster.finish(try #require(again["id"].int))
            }
            let step = try cluster.api.call("POST", path, ["from": "step", "job": "b"])
            #expect(step["rerun"].text == "from")
            try cluster.finish(try #require(step["id"].int))
            let wrongs: [JSON] = [
                ["from": "all", "mode": "all"], ["from": "step"], ["from": "b", "job": "b"], ["from": 1],
            ]
            for wrong in wrongs { #expect(try cluster.api.send("POST", path, wrong).status == 422, "\(wrong)") }
            #expect(try cluster.api.send("POST", path, ["from": "nowhere"]).status == 409)
        }
    }
}
