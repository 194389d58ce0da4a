import AnsFlowProtocol
import ControllerCore
import ControllerIdentity
import ControllerPipelines
import ControllerRepositories
import ControllerStore
import ControllerWebhooks
import Foundation
import Logging
import Synchronization
import TestSupport

/// The compiler behind the core's port.
struct Compiler: PipelineReading, DefinitionReading {
    func compile(_ request: CompileRequest) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        func some(_ text: String) -> String? { text.isEmpty ? nil : text }
        let context = CompileContext(
            event: request.event, ref: some(request.ref), branch: some(request.branch), tag: some(request.tag),
            commit: some(request.commit), repository: some(request.repositoryURL), allowLocalRepositories: true,
            pullRequest: request.pullRequest, payload: request.payload, changedPaths: request.changedPaths,
            trusted: request.trusted)
        let outcome = PipelineCompiler.compile(
            request.definition, file: request.file, includes: request.included, context: context)
        return (outcome.plan, outcome.diagnostics)
    }

    func includes(in text: String, file: String) -> [String] { PipelineCompiler.includes(of: text) }
    func triggers(in text: String, file: String) -> TriggerPlan? { PipelineCompiler.triggers(of: text, file: file) }
}

struct NoEffects: EffectSink {
    func perform(_ effects: [EngineEffect]) async {}
    func resynchronise() async {}
}

struct NoCredentials: GitCredentialReading {
    func credential(_ secret: String, project: ProjectID) async throws(RepositoryFailure) -> GitCredential {
        throw RepositoryFailure(.contact, .denied, "There is no secret \(secret).")
    }
}

/// Everything from a signed request to a run, with a real database, a real engine and real repositories.
final class Desk: Sendable {
    let directory: String
    let database: Database
    let engine: Engine
    let vault: SecretVault
    let intake: WebhookIntake
    let worker: WebhookWorker
    let manager: WebhookManager
    let repositories: RepositoryCache
    /// What forges are to be told: pipeline, commit, why.
    let ruledOut = RuledOut()

    final class RuledOut: Sendable {
        struct Word: Equatable {
            var pipeline: PipelineID
            var commit: String
            var why: String
        }

        private let words = Mutex<[Word]>([])
        /// The next so many can't be stored.
        let failures = Mutex(0)
        var all: [Word] { words.withLock { $0 } }

        func tell(_ pipeline: PipelineID, _ commit: String, _ why: String) throws {
            let fails = failures.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            if fails { throw TestFailure("the disk is full") }
            words.withLock { $0.append(Word(pipeline: pipeline, commit: commit, why: why)) }
        }
    }

    /// - Parameter directory: of an earlier desk, which goes on there.
    init(directory: String? = nil, now: Int64 = Sender.now, pausesMs: [Int64] = [1_000, 2_000]) async throws {
        self.directory = directory ?? "/tmp/ansflow-webhooks-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        let clock = SharedClock(now)
        let logger = Logger(label: "test")
        let database = try Database.open(directory: self.directory, logger: logger, now: { clock.now })
        self.database = database
        vault = try await SecretVault.open(
            directory: self.directory, repository: database, clock: { clock.now }, logger: logger)
        let engine = try await Engine(
            store: database, sink: NoEffects(), time: EngineTime(wall: { clock.now }, steady: { clock.now }),
            logger: logger, fatal: { _ in })
        self.engine = engine
        repositories = try RepositoryCache(
            .init(directory: self.directory + "/repositories", environment: ["PATH": "/usr/bin:/bin"]))
        var preparing = RunPreparation.Configuration(allowLocal: true, now: { clock.now })
        preparing.pauses = []
        let runs = RunPreparation(
            compiler: Compiler(), repositories: repositories, credentials: NoCredentials(), pipelines: database,
            configuration: preparing)
        intake = WebhookIntake(store: database, seal: vault, wake: {})
        var configuration = WebhookWorker.Configuration(
            now: { clock.now }, pipelinesVersion: { database.pipelinesVersion })
        configuration.pausesMs = pausesMs
        configuration.ruledOut = { [ruledOut] in try ruledOut.tell($0, $1, $2) }
        worker = WebhookWorker(
            store: database, pipelines: database, runs: runs,
            judge: { (end) async throws(CommandFailure) in try await engine.judge(end) }, configuration: configuration)
        manager = WebhookManager(store: database, seal: vault, intake: intake, now: { clock.now })
        self.shared = clock
        try await worker.begin()
    }

    private let shared: SharedClock

    func advance(_ ms: Int64) { shared.advance(ms) }
    var time: Int64 { shared.now }

    /// As kill -9 leaves it: nothing is finished, and another one goes on there.
    func restarted() async throws -> Desk {
        try database.close()
        return try await Desk(directory: directory, now: time)
    }

    func end() {
        try? database.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func with(_ body: (Desk) async throws -> Void) async throws {
        let desk = try await Desk()
        defer { desk.end() }
        try await body(desk)
    }

    // MARK: What tests ask for

    func pipeline(
        _ name: String, _ definition: String = "steps: [{ run: make }]", url: String = "", path: String = "",
        ref: String = "main"
    ) async throws -> PipelineRow {
        try await database.create(
            PipelineDraft(name: name, definition: definition, repositoryURL: url, ref: ref, path: path), by: "test",
            at: time)
    }

    func hook(
        _ source: WebhookSource, name: String = "widgets", repository: String = "", url: String = "",
        pipelines: [PipelineRow] = [], catchUp: HookCatchUp = .off, secret: String? = Sender.secret
    ) async throws -> HookRow {
        let row = HookRow(
            project: .main, source: source, name: name, repositoryID: repository, repositoryURL: url,
            pipelines: pipelines.map(\.id), catchUp: catchUp, createdBy: "test", createdAt: time, updatedAt: time)
        return try await manager.createHook(row, secret: secret).row
    }

    /// Sends a signed request and gives the event's id.
    @discardableResult
    func send(
        _ source: WebhookSource, _ body: [UInt8], id: String = "one", event: String = "push", hook: HookRow? = nil,
        secret: String = Sender.secret
    ) async throws -> (id: DeliveryID, isCopy: Bool) {
        let headers = Sender.headers(source, body, secret: secret, id: id, event: event, at: time)
        return try await intake.receive(Sender.request(source, body, headers, hook: hook?.id, at: time))
    }

    func view(_ id: DeliveryID) async throws -> DeliveryView {
        guard let view = try await database.delivery(id) else { throw TestFailure("There is no event \(id).") }
        return view
    }

    /// Sends and judges.
    func judged(
        _ source: WebhookSource, _ body: [UInt8], id: String = "one", event: String = "push", hook: HookRow? = nil
    ) async throws -> DeliveryView {
        let sent = try await send(source, body, id: id, event: event, hook: hook)
        try await worker.work()
        return try await view(sent.id)
    }

    var runs: [RunRow] {
        get async throws { try await database.runs(RunFilter(), page: 1, perPage: 100).items.reversed() }
    }
}

/// A clock that tests move.
final class SharedClock: Sendable {
    private let time: Mutex<Int64>
    init(_ now: Int64) { time = Mutex(now) }
    var now: Int64 { time.withLock { $0 } }
    func advance(_ ms: Int64) { time.withLock { $0 += ms } }
}

/// Bodies as GitHub sends them, about a repository at any address.
enum Push {
    static func body(
        _ origin: GitOrigin, _ branch: String = "main", from: String?, to: String, message: String = "change",
        repository: Int = 4217
    ) -> [UInt8] {
        let zero = String(repeating: "0", count: 40)
        return Array(
            """
            {"ref": "refs/heads/\(branch)", "before": "\(from ?? zero)", "after": "\(to)", "created": \(from == nil),
             "forced": false, "deleted": false, "head_commit": {"id": "\(to)", "message": "\(message)"},
             "repository": {"id": \(repository), "full_name": "octo/widgets", "clone_url": "\(origin.url)",
             "default_branch": "main"}, "sender": {"login": "octo"}}
            """.utf8)
    }
}
