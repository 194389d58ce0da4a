import TestSupport
import Testing

/// schemathesis tries a real controller from the document that it serves, with all its checks: every route with few examples, and in the long
/// form with many, every border of every parameter, and calls that follow each other.
@Suite struct SchemathesisTests {
    /// Where `packaging/test` puts it.
    private static let program = APIExampleTests.repository + "/.build/schemathesis/bin/schemathesis"
    private static let fixtures = APIExampleTests.repository + "/Tests/Fixtures/api/"
    private static let isThere = TextFile.exists(program)

    @Test(.enabled(if: isThere || Binaries.isFull, "schemathesis is not installed; packaging/test does that"))
    func nothingIsFound() async throws {
        try #require(Self.isThere, "schemathesis is not installed; packaging/test does that")
        try await Cluster.with(
            [.init("a1")],
            prepare: { cluster in
                // What it finds are answers, and not limits.
                cluster.controller.arguments = ["--limit-user", "0", "--limit-login", "0", "--limit-webhook", "0"]
            }
        ) { cluster in
            let key = try Self.fill(cluster)
            let base = "http://127.0.0.1:\(cluster.controller.port)"
            // The short form tries the same each time.
            let size =
                Binaries.isFull
                ? ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "100"]
                : ["--phases", "examples,fuzzing", "--max-examples", "2", "--seed", "1", "--workers", "2"]
            let result = try ChildProcess.run(
                Self.program,
                [
                    "--config-file", Self.fixtures + "schemathesis.toml", "run", base + "/openapi.json", "--url", base,
                    "-H", "Authorization: Bearer \(key)", "--checks", "all", "--continue-on-failure", "--no-color",
                    "--generation-database", "none", "--request-timeout", "120",
                ] + size, environment: ["SCHEMATHESIS_HOOKS": Self.fixtures + "schemathesis_hooks.py"],
                within: Binaries.isFull ? 3600 : 900)
            #expect(result.code == 0, "\(result.output.suffix(12_000)) \(result.errors.suffix(2000))")
            cluster.api.disconnect()
            #expect(try cluster.api.request("GET", "/health/live").status == 200)
        }
    }

    /// Something to find: schemathesis makes up ids, and small ones first. Gives the key that it uses.
    private static func fill(_ cluster: Cluster) throws -> String {
        let api = cluster.api
        let project = "/api/v1/projects/1"
        for name in ["gears", "cogs"] { _ = try api.call("POST", "/api/v1/projects", ["name": .string(name)]) }
        let definition = """
            on: { push: {}, cron: [{ name: nightly, at: "30 2 * * *" }] }
            inputs: { who: { type: text, default: you } }
            jobs:
              build:
                environment: staging
                steps: [{ id: test, run: echo hello }]
            """
        for name in ["widgets", "gears"] { _ = try cluster.createPipeline(name, definition) }
        for _ in 0..<2 { try cluster.finish(try cluster.startRun(1)) }
        let reported = try cluster.startRun(2, ["reported_by": "jenkins", "branch": "main"])
        _ = try api.call("POST", "/api/v1/pipeline-runs/\(reported)/logs", ["lines": ["compiling"], "offset": 0])
        let made: [(path: String, body: JSON)] = [
            (project + "/secrets", ["name": "TOKEN", "value": "a long secret"]),
            (project + "/environments/staging/secrets", ["name": "TOKEN", "value": "another secret"]),
            (project + "/hooks", ["source": "github", "name": "gh"]),
            (project + "/hooks", ["source": "generic", "name": "scripts", "pipelines": [1]]),
            (project + "/forges", ["kind": "github", "repository": "octo/widgets", "secret": "TOKEN"]),
            (project + "/notification-targets", ["name": "chat", "url": "https://chat.example.org/x"]),
            ("/api/v1/notification-rules", ["project_id": 1, "name": "r", "on": ["failed"], "in_app": true]),
            ("/api/v1/system/notify", ["title": "hello"]),
            ("/api/v1/users", ["username": "octo", "password": "correct horse battery"]),
        ]
        for thing in made { _ = try api.call("POST", thing.path, thing.body) }
        _ = try api.call("PUT", project + "/variables", ["variables": ["REGION": "north"]])
        _ = try api.call("PUT", project + "/members/2", ["role": "developer"])
        // Not the first of many: one of the tries deletes the keys with the smallest numbers.
        var key = ""
        for _ in 0..<40 {
            let made = try api.call(
                "POST", "/api/v1/api-keys", ["name": "s", "scopes": ["read", "run", "write", "admin"]])
            key = made["key"].text ?? ""
        }
        return key
    }
}
