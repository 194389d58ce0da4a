import TestSupport
import Testing

/// A project's variables, from the interface and the command line to steps.
@Suite struct VariableTests {
    private static let definition = """
        env: { STAGE: file }
        jobs:
          build:
            steps:
              - { id: show, run: 'echo "region=$REGION stage=$STAGE seen=$SEEN own=$OWN token=$TOKEN"', env: { OWN: step, SEEN: "${{ env.REGION }}" }, secrets: { TOKEN: token } }
              - { id: north, run: 'echo yes', if: "env.REGION == 'north'" }
              - { id: south, run: 'echo yes', if: "env.REGION == 'south'" }
        """

    private static func log(_ cluster: Cluster, _ run: Int64, _ step: String) throws -> String {
        String(decoding: try cluster.rawLog(run, step), as: UTF8.self)
    }

    private static func put(
        _ cluster: Cluster, _ path: String, _ value: String, _ tag: String
    ) throws -> APIClient.Response {
        let body: JSON = ["variables": ["A": .string(value)]]
        return try cluster.api.request("PUT", path, headers: ["If-Match": tag], body: body.bytes)
    }

    @Test func stepsGetThem() async throws {
        try await Cluster.with { cluster in
            let path = "/api/v1/projects/1/variables"
            let none = try cluster.api.get(path)
            #expect(none["variables"]["REGION"] == .null)
            let set = try cluster.api.send(
                "PUT", path, ["variables": ["REGION": "north", "STAGE": "project", "OWN": "project", "TOKEN": "open"]])
            #expect(set.status == 200, "\(set.text)")
            _ = try cluster.api.call("POST", "/api/v1/projects/1/secrets", ["name": "token", "value": "abc"])
            let pipeline = try cluster.createPipeline("p", Self.definition)
            let run = try cluster.startRun(pipeline)
            #expect(try cluster.finish(run)["status"].text == "success")
            let log = try Self.log(cluster, run, "build/show")
            #expect(log.contains("region=north stage=file seen=north own=step token=abc"), "\(log)")
            let steps = try cluster.api.get("/api/v1/pipeline-runs/\(run)")["jobs"].items[0]["steps"].items
            func result(_ id: String) -> String? { steps.first { $0["name"].text == id }?["result"].text }
            #expect(result("north") == "success" && result("south") == "skipped", "\(steps)")

            // The next run has what there is then; the old one, run again, what there was.
            _ = try cluster.api.call("PUT", path, ["variables": ["REGION": "south"]])
            let second = try cluster.startRun(pipeline)
            #expect(try cluster.finish(second)["status"].text == "success")
            #expect(try Self.log(cluster, second, "build/show").contains("region=south stage=file seen=south own=step"))
            let again = try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/rerun", ["from": "all"])
            let third = try #require(again["id"].int)
            #expect(try cluster.finish(third)["status"].text == "success")
            #expect(try Self.log(cluster, third, "build/show").contains("region=north"))
        }
    }

    @Test func whatIsWrongIsRefused() async throws {
        try await Cluster.with([]) { cluster in
            let path = "/api/v1/projects/1/variables"
            for (name, value) in [
                ("1A", "x"), ("a b", "x"), ("ANSFLOW_X", "x"), ("A", String(repeating: "x", count: 9000)),
            ] {
                let answer = try cluster.api.send(
                    "PUT", path, ["variables": .object([name: .string(value)])])
                #expect(answer.status == 422, "\(name): \(answer.text)")
                #expect(try answer.json()["errors"].items.first?["path"].text == "variables.\(name)")
            }
            var many: [String: JSON] = [:]
            for index in 0..<100 { many["A\(index)"] = .string(String(repeating: "x", count: 1000)) }
            #expect(try cluster.api.send("PUT", path, ["variables": .object(many)]).status == 422)
            #expect(try cluster.api.send("PUT", path, ["variables": ["A": 1]]).status == 422)
            #expect(try cluster.api.send("PUT", path, [:]).status == 422)

            let first = try cluster.api.send("GET", path)
            let tag = try #require(first.headers["etag"])
            let known = try cluster.api.request("GET", path, headers: ["If-None-Match": tag])
            #expect(known.status == 304)
            let set = try Self.put(cluster, path, "1", tag)
            #expect(set.status == 200, "\(set.text)")
            let stale = try Self.put(cluster, path, "2", tag)
            #expect(stale.status == 412, "\(stale.text)")
            #expect(try cluster.api.get(path)["variables"]["A"].text == "1")
            // An archived project's stay as they are.
            _ = try cluster.api.call("PATCH", "/api/v1/projects/1", ["archived": true])
            #expect(try cluster.api.send("PUT", path, ["variables": [:]]).status == 409)
            #expect(try cluster.api.get(path)["variables"]["A"].text == "1")
        }
    }

    @Test func fromTheCommandLine() async throws {
        try await Cluster.with([]) { cluster in
            let client = CommandLineClient(cluster)
            let set = try client(["project", "variable", "set", "main", "REGION=north", "A_B=1=2"])
            #expect(set.code == 0, "\(set.errors)")
            let list = try client(["project", "variable", "list", "main"])
            #expect(list.output.contains("REGION") && list.output.contains("1=2"), "\(list.output)")
            #expect(try client(["project", "variable", "rm", "main", "REGION"]).code == 0)
            let gone = try client(["project", "variable", "rm", "main", "REGION"])
            #expect(gone.code == 3, "\(gone.errors)")
            #expect(try client(["project", "variable", "set", "main", "REGION"]).code == 2)
            let left = try cluster.api.get("/api/v1/projects/1/variables")["variables"]
            #expect(left["A_B"].text == "1=2" && left["REGION"] == .null)
        }
    }
}
