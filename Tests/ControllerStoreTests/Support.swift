import AnsFlowProtocol
import ControllerCore
import Foundation
import GRDB
import Logging

@testable import ControllerStore

typealias Database = ControllerStore.Database

/// A directory of its own; the test removes it when it ends.
final class Scratch: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/store-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func open(now: Int64 = 1_000_000) throws -> Database { try Self.open(path, now: now) }

    static func open(_ path: String, now: Int64 = 1_000_000) throws -> Database {
        try Database.open(directory: path, logger: Logger(label: "test"), now: { now })
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func plan(_ name: String = "build") -> RunPlan {
    RunPlan(name: name, environment: ["A": "ä\n\"b\""], jobs: [JobPlan(id: "job", steps: [])])
}

/// A run of pipeline 1 in which all optional fields are empty.
func bareRun(_ id: Int64, number: Int64? = nil, pipeline: Int64 = 1) -> RunRow {
    RunRow(
        id: RunID(id), project: .main, pipeline: PipelineID(pipeline), pipelineName: "p\(pipeline)",
        pipelineVersion: 1, number: number ?? id, event: "manual", ref: "", branch: "", tag: "", commit: "",
        inputs: [:], priority: 0, actor: "admin", createdAt: id, deadline: 9)
}

/// A batch whose counters are above any id that a test uses.
func batch(clock: Int64 = 1, counters: Int64 = 1_000_000) -> CommitBatch {
    var numbers = Counters()
    numbers.run = counters
    numbers.job = counters
    numbers.step = counters
    numbers.jobAttempt = counters
    numbers.attempt = counters
    numbers.event = counters
    return CommitBatch(clock: clock, counters: numbers)
}

extension Database {
    /// Pipeline 1 and agent 1, which most rows need.
    func seed() async throws {
        _ = try await create(PipelineDraft(name: "p1", definition: "jobs: {}"), by: "admin", at: 1)
        try await addAgent("a1", key: "k1")
    }

    @discardableResult
    func addAgent(_ name: String, key: String) async throws -> AgentRow {
        try await addEnrolmentToken(hash: "token-\(name)", agent: nil, expiresAt: 1000, by: "admin", at: 1)
        return try await enrol(
            tokenHash: "token-\(name)", key: key, name: name, labels: ["os": "linux"], slots: 2, at: 5)
    }

    /// One value, read by the writer.
    func pragma(_ name: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncWriteWithoutTransaction { db in
                continuation.resume(with: Result { try String.fetchOne(db, sql: "PRAGMA \(name)") ?? "" })
            }
        }
    }
}
