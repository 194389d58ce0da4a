import AnsFlowProtocol
import ControllerCore
import ControllerStore
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import ControllerOutgoing

typealias Database = ControllerStore.Database

/// A real database with an outbox worker over real sockets, and a clock that the test moves.
final class Outbox: Sendable {
    struct Secrets: SecretReading {
        var all: [String: String]
        func values(
            of names: Set<String>, project: ProjectID, environment: String?
        ) async throws(SecretFailure) -> [String: String] {
            for name in names where all[name] == nil {
                throw SecretFailure(.configuration, "The secret \(name) is not set.")
            }
            return all.filter { names.contains($0.key) }
        }
    }

    static let start: Int64 = 1_800_000_000_000

    private let path: String
    private let clock = Mutex(Outbox.start)
    private let open: Mutex<Database>
    private let current: Mutex<OutboxWorker?> = Mutex(nil)
    private let numbers = Mutex<Int64>(0)
    private let counters = Mutex(Counters())
    private let secrets: Secrets
    private let linkBase: String?

    init(
        secrets: [String: String] = ["FORGE_TOKEN": FakeForge.token], linkBase: String? = "https://ci.example.org"
    ) async throws {
        path = FileManager.default.temporaryDirectory.path + "/outbox-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.secrets = Secrets(all: secrets)
        self.linkBase = linkBase
        open = Mutex(try Database.open(directory: path, logger: Logger(label: "test"), now: { Outbox.start }))
        try start()
        _ = try await database.create(
            PipelineDraft(
                name: "service", definition: "jobs: {}", repositoryURL: "https://git.example.org/octo/widgets.git"),
            by: "admin", at: 1)
    }

    var database: Database { open.withLock { $0 } }
    var now: Int64 { clock.withLock { $0 } }
    var worker: OutboxWorker {
        current.withLock { worker in
            guard let worker else { preconditionFailure("there is a worker from the start") }
            return worker
        }
    }

    func pass(_ milliseconds: Int64) { clock.withLock { $0 += milliseconds } }

    func end() {
        try? database.close()
        try? FileManager.default.removeItem(atPath: path)
    }

    private func start() throws {
        var configuration = OutboxWorker.Configuration(now: { [self] in now }, jitter: { 1 })
        configuration.linkBase = linkBase
        var client = OutgoingConfiguration(policy: try AddressPolicy(allowed: ["127.0.0.1"]))
        client.connectTimeoutMs = 2_000
        let worker = OutboxWorker(
            store: database, secrets: secrets, client: try OutgoingClient(client), configuration: configuration,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        current.withLock { $0 = worker }
    }

    /// As after `kill -9`: nothing but the files is left.
    func restart() throws {
        try database.close()
        let again = try Database.open(directory: path, logger: Logger(label: "test"), now: { Outbox.start })
        open.withLock { $0 = again }
        try start()
    }

    /// Looks and sends until nothing is due any more.
    func work() async throws {
        for _ in 0..<50 {
            try await worker.derive()
            let jobs = try await worker.due()
            if jobs.isEmpty { return }
            await withTaskGroup(of: Void.self) { group in
                for job in jobs { group.addTask { await self.worker.perform(job) } }
            }
        }
        Issue.record("The outbox never comes to an end.")
    }

    /// Commits a state of a run with an event of it, as the engine does.
    func commit(
        run: Int64, _ phase: Phase, _ outcome: Outcome? = nil, branch: String = "main",
        commit: String = FakeForge.commit, message: String? = nil, notify: [NotifyPlan]? = nil
    ) async throws {
        let seq = numbers.withLock { number in
            number += 1
            return number
        }
        let counters = self.counters.withLock { counters in
            counters.run = max(counters.run, run + 1)
            counters.event = seq + 1
            return counters
        }
        var batch = CommitBatch(clock: 1, counters: counters)
        let id = RunID(run)
        batch.runs = [
            RunRow(
                id: id, project: .main, pipeline: PipelineID(1), pipelineName: "service", pipelineVersion: 1,
                number: run, phase: phase, outcome: outcome, message: message, event: "push",
                ref: "refs/heads/\(branch)",
                branch: branch, tag: "", commit: commit, inputs: [:], priority: 0, actor: "octo", createdAt: 1,
                startedAt: phase == .finished ? 1_000 : nil, finishedAt: phase == .finished ? 73_000 : nil, seq: seq,
                deadline: 9)
        ]
        batch.events = [
            EventRow(
                id: seq, run: id, pipeline: PipelineID(1), project: .main, seq: seq, at: 1, kind: .execution,
                data: Array("{}".utf8))
        ]
        if let notify {
            var plan = RunPlan(name: "service", jobs: [])
            plan.notify = notify
            batch.plans[id] = plan
        }
        try await database.commit(batch)
    }

    func connect(_ forge: FakeForge, secret: String = "FORGE_TOKEN") async throws -> ForgeConnection {
        let kind = try #require(ForgeKind(rawValue: forge.kind.rawValue))
        return try #require(
            try await database.save(
                ForgeConnection(
                    project: .main, kind: kind, api: forge.api, repository: FakeForge.repository, secret: secret)))
    }

    /// The one status that there is.
    func status(_ connection: ForgeConnection) async throws -> CommitStatusView {
        let page = try await database.statuses(of: connection.id, page: 1, perPage: 10)
        #expect(page.total == 1)
        return try #require(page.items.first)
    }
}

func withOutbox(
    secrets: [String: String] = ["FORGE_TOKEN": FakeForge.token], linkBase: String? = "https://ci.example.org",
    _ body: (Outbox) async throws -> Void
) async throws {
    let outbox = try await Outbox(secrets: secrets, linkBase: linkBase)
    defer { outbox.end() }
    try await body(outbox)
}
