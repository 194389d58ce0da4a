import AnsFlowProtocol
import ControllerCore
import Synchronization
import Testing

@testable import ControllerHTTP

/// Sections and search of a step's log over HTTP.
@Suite struct LogSearchTests {
    private func withLog(_ body: (Client) async throws -> Void) async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            world.state.withLock { $0.logs[AttemptID(10)] = ["hello", "error: no", "hello again"] }
            try await body(client)
        }
    }

    @Test func theIndexSaysWhatTheLogHolds() async throws {
        try await withLog { client in
            for path in ["build%2Fcompile", "build/compile", "compile"] {
                let answer = try await client.get("/api/v1/pipeline-runs/1/steps/\(path)/log/index")
                #expect(answer.status == 200, "\(path)")
                let json = try answer.json()
                #expect(json["total"] as? Int == 3)
                #expect(json["errors"] as? [Int] == [2])
                let sections = json["sections"] as? [[String: Any]]
                #expect(sections?.first?["title"] as? String == "Build")
                #expect(sections?.first?["open"] as? Bool == true)
            }
            let missing = try await client.get("/api/v1/pipeline-runs/1/steps/build/absent/log/index")
            #expect(missing.status == 404)
        }
    }

    @Test func searchGivesHitsAndCountsAll() async throws {
        try await withLog { client in
            let path = "/api/v1/pipeline-runs/1/steps/build/compile/log/search"
            let json = try await client.get(path + "?q=hello&limit=1").json()
            #expect(json["count"] as? Int == 2)
            #expect(json["hits"] as? [[Int]] == [[1, 0, 5]])
            let rest = try await client.get(path + "?q=hello&from_line=2").json()
            #expect(rest["hits"] as? [[Int]] == [[3, 0, 5]])
            for (query, name) in [
                ("", "query.q"), ("?q=(&mode=regex", "query.q"), ("?q=x&mode=glob", "query.mode"),
                ("?q=x&limit=0", "query.limit"),
            ] {
                let answer = try await client.get(path + query)
                #expect(answer.status == 400, "\(query)")
                #expect(answer.body.contains(name), "\(query)")
            }
        }
    }
}

/// Retention that has removed the logs of all runs.
private struct RemovedLogs: RetentionService {
    func apply(dryRun: Bool) async throws -> RetentionReport { throw RunDeletionRefusal.notFound }
    func deleteRun(_ run: RunID, by actor: String) async throws {}
    func remove(_ target: RemovalTarget, expected: Int?, by actor: String) async throws {}
    func pin(_ run: RunID, by actor: String, note: String?) async throws {}
    func unpin(_ run: RunID) async throws {}
    func pin(of run: RunID) async throws -> RunPin? { nil }
    func logsRemovedAt(_ run: RunID) async throws -> Int64? { World.now }
}

@Suite struct RemovedLogTests {
    @Test func everyWayToALogThatWasRemovedSaysSo() async throws {
        try await withServer(services: { $0.retention = RemovedLogs() }) { world, _, client in
            world.addRun(1)
            world.state.withLock { $0.logs[AttemptID(10)] = ["hello"] }
            let steps = "/api/v1/pipeline-runs/1/steps/build/compile/log"
            for path in [
                steps, steps + "?format=json", steps + "?q=hello", steps + "/index", steps + "/search?q=hello",
                steps + "/blocks/0", "/api/v1/pipeline-runs/1/logs",
            ] {
                let answer = try await client.get(path)
                #expect(answer.status == 410, "\(path): \(answer.body)")
                #expect(answer.body.contains("removed"), "\(path)")
            }
        }
    }
}
