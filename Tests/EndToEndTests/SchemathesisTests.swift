import TestSupport
import Testing

/// schemathesis tries a real controller from the document that it serves, with all its checks. It still finds answers that the document does not
/// name, so it is of the long form.
@Suite struct SchemathesisTests {
    /// Where `packaging/test` puts it.
    private static let program = APIExampleTests.repository + "/.build/schemathesis/bin/schemathesis"
    private static let isThere = TextFile.exists(program)

    @Test(.enabled(if: Binaries.isFull, "part of the long form"))
    func nothingIsFound() async throws {
        try #require(Self.isThere, "schemathesis is not installed; packaging/test does that")
        try await Cluster.with([]) { cluster in
            let api = cluster.api
            // Something to find: schemathesis makes up ids, and small ones first.
            for name in ["widgets", "gears"] {
                _ = try api.call(
                    "POST", "/api/v1/pipelines",
                    ["name": .string(name), "definition": "jobs:\n  build:\n    steps:\n      - run: make\n"])
            }
            _ = try api.call("PATCH", "/api/v1/pipelines/1", ["enabled": true])
            for _ in 0..<2 { _ = try api.call("POST", "/api/v1/pipelines/1/runs", [:]) }
            // Not the first of many: one of the tries deletes the keys with the smallest numbers.
            var key = ""
            for _ in 0..<40 {
                let made = try api.call(
                    "POST", "/api/v1/api-keys", ["name": "s", "scopes": ["read", "run", "write", "admin"]])
                key = made["key"].text ?? ""
            }
            let base = "http://127.0.0.1:\(cluster.controller.port)"
            let result = try ChildProcess.run(
                Self.program,
                [
                    "--config-file", APIExampleTests.repository + "/Tests/Fixtures/api/schemathesis.toml", "run",
                    base + "/openapi.json", "--url", base, "-H", "Authorization: Bearer \(key)", "--checks", "all",
                    "--phases", Binaries.isFull ? "examples,coverage,fuzzing,stateful" : "examples,coverage,fuzzing",
                    "--max-examples", Binaries.isFull ? "100" : "3", "--continue-on-failure", "--no-color",
                    "--generation-database", "none", "--request-timeout", "30",
                ], within: Binaries.isFull ? 3600 : 900)
            #expect(result.code == 0, "\(result.output.suffix(12_000)) \(result.errors.suffix(2000))")
            #expect(try api.request("GET", "/health/live").status == 200)
        }
    }
}
