import AnsFlowProtocol
import AnsFlowRecords
import ControllerArtifacts
import ControllerCore
import ControllerLogs
import ControllerMaintenance
import ControllerStore
import Crypto
import Foundation
import Logging
import Synchronization

/// A data directory with a real database, log store and artifact store.
final class Bench: Sendable {
    static let day = RetentionPolicy.dayMs
    /// Far enough from 1970 for a year to lie before it.
    static let now: Int64 = 1_000 * day

    let path: String
    let database: ControllerStore.Database
    let logs: LogStore
    let artifacts: ArtifactStore
    private let next = Mutex<Int64>(1)

    init() async throws {
        path = FileManager.default.temporaryDirectory.path + "/keep-\(UUID().uuidString.prefix(8))"
        let logger = Logger(label: "test")
        database = try Database.open(directory: path, logger: logger, now: { Bench.now })
        logs = try LogStore(directory: path + "/logs", logger: logger)
        artifacts = try ArtifactStore(
            directory: path + "/artifacts", repository: database, clock: { Bench.now }, logger: logger)
        _ = try await database.create(PipelineDraft(name: "p1", definition: "jobs: {}"), by: "admin", at: 1)
        _ = try await database.create(PipelineDraft(name: "p2", definition: "jobs: {}"), by: "admin", at: 1)
        try await database.addEnrolmentToken(hash: "t", agent: nil, expiresAt: Bench.now * 2, by: "admin", at: 1)
        _ = try await database.enrol(tokenHash: "t", key: "k", name: "a1", labels: [:], slots: 2, at: 5)
    }

    func end() async {
        await logs.close()
        try? database.close()
        try? FileManager.default.removeItem(atPath: path)
    }

    func retention(
        _ policy: RetentionPolicy, cancel: (@Sendable (RunID) async throws -> Void)? = nil
    ) -> Retention {
        Retention(
            policy: policy, repository: database, logs: logs, artifacts: artifacts, now: { Bench.now }, pause: .zero,
            cancel: cancel, logger: Logger(label: "test"))
    }

    /// A run with one step that wrote `log` and kept `content`. Every id of it is the run's own number.
    @discardableResult
    func add(
        pipeline: Int64 = 1, age days: Int64, log: String = "line\n", content: String? = nil, finished: Bool = true,
        environment: String? = nil, carriedFrom: Int64? = nil
    ) async throws -> RunID {
        let id = next.withLock { next in
            defer { next += 1 }
            return next
        }
        let at = Bench.now - days * Bench.day
        var batch = batch(clock: id, above: id)
        batch.plans = [RunID(id): RunPlan(name: "p", environment: [:], jobs: [JobPlan(id: "job", steps: [])])]
        var run = RunRow(
            id: RunID(id), project: .main, pipeline: PipelineID(pipeline), pipelineName: "p\(pipeline)",
            pipelineVersion: 1, number: id, event: "manual", ref: "", branch: "", tag: "", commit: "", inputs: [:],
            priority: 0, actor: "admin", createdAt: at, deadline: 9)
        run.phase = .running
        var job = JobRow(
            id: JobID(id), run: RunID(id), index: 0, name: "job", phase: .running, attempt: JobAttemptID(id),
            agent: AgentID(1), attempts: 1, environment: environment, carriedFrom: carriedFrom.map { JobAttemptID($0) })
        var jobAttempt = JobAttemptRow(
            id: JobAttemptID(id), job: JobID(id), run: RunID(id), agent: AgentID(1), number: 1, startedAt: at)
        var step = StepRow(
            id: StepID(id), job: JobID(id), run: RunID(id), index: 0, name: "s", phase: .running,
            attempt: AttemptID(id), attempts: 1)
        var attempt = AttemptRow(
            id: AttemptID(id), step: StepID(id), job: JobID(id), jobAttempt: JobAttemptID(id), run: RunID(id),
            agent: AgentID(1), number: 1, phase: .running, createdAt: at, deadline: 9)
        batch.runs = [run]
        batch.jobs = [job]
        batch.jobAttempts = [jobAttempt]
        batch.steps = [step]
        batch.attempts = [attempt]
        batch.events = [
            EventRow(
                id: id, run: RunID(id), pipeline: PipelineID(pipeline), project: .main, seq: 1, at: at,
                kind: .execution, data: Array("{}".utf8))
        ]
        batch.idempotency = [IdempotencyRow(key: "key-\(id)", run: RunID(id), at: at)]
        try await database.commit(batch)
        try await store(log, of: AttemptID(id))
        if let content { try await keep(content, of: AttemptID(id)) }
        guard finished else { return RunID(id) }
        attempt.phase = .finished
        attempt.outcome = .success
        attempt.finishedAt = at
        attempt.logState = .complete
        attempt.logBytes = UInt64(log.utf8.count)
        attempt.logLines = 1
        attempt.logSHA256 = sha256(Array(log.utf8))
        jobAttempt.outcome = .success
        jobAttempt.finishedAt = at
        step.phase = .finished
        step.outcome = .success
        job.phase = .finished
        job.outcome = .success
        run.phase = .finished
        run.outcome = .success
        run.finishedAt = at
        var end = self.batch(clock: id, above: id)
        end.runs = [run]
        end.jobs = [job]
        end.jobAttempts = [jobAttempt]
        end.steps = [step]
        end.attempts = [attempt]
        try await database.commit(end)
        try await logs.seal(AttemptID(id))
        return RunID(id)
    }

    private func batch(clock: Int64, above id: Int64) -> CommitBatch {
        var counters = Counters()
        counters.run = id + 1
        counters.job = id + 1
        counters.step = id + 1
        counters.jobAttempt = id + 1
        counters.attempt = id + 1
        counters.event = id + 1
        return CommitBatch(clock: clock, counters: counters)
    }

    private func store(_ text: String, of attempt: AttemptID) async throws {
        _ = try await logs.open(attempt)
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let piece = Array(bytes[offset..<min(bytes.count, offset + 32_768)])
            let outcome = logs.append(
                LogFrame(
                    attempt: attempt, records: LogRecord.encode(offset: UInt64(offset), time: 0, bytes: piece)))
            guard case .accepted = outcome else { throw BenchFailure("append gave \(outcome)") }
            offset += piece.count
        }
        try await logs.sync(attempt)
    }

    private func keep(_ text: String, of attempt: AttemptID) async throws {
        let bytes = Array(text.utf8)
        let digest = sha256(bytes)
        var pieces = [bytes]
        _ = try await artifacts.upload(
            digest, size: UInt64(bytes.count), offset: 0, attempt: attempt, agent: AgentID(1),
            next: { pieces.isEmpty ? nil : pieces.removeFirst() })
        _ = try await artifacts.publish(
            ArtifactManifest(
                files: [.init(path: "out", size: UInt64(bytes.count), sha256: digest, executable: false)]),
            attempt: attempt, agent: AgentID(1))
    }

    // MARK: Looks

    func hasRun(_ run: RunID) async throws -> Bool { try await database.run(run) != nil }

    func hasLog(_ run: RunID) async throws -> Bool {
        try await logs.info(AttemptID(run.rawValue)).bytes > 0
    }

    func hasContent(_ text: String) -> Bool {
        let digest = sha256(Array(text.utf8))
        return FileManager.default.fileExists(atPath: "\(path)/artifacts/objects/\(digest.prefix(2))/\(digest)")
    }
}

struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { byte in
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
    }.joined()
}
