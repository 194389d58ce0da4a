import ControllerCore
import Synchronization

/// Understands just enough of a text: lines of `include: PATH`, `cron: EXPRESSION`, `zone: NAME`, `paths: PATTERN`, `forks: free`,
/// `manual: false` and `bad`.
struct LineReader: PipelineReading, DefinitionReading {
    private func values(_ word: String, _ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            line.hasPrefix("\(word): ") ? String(line.dropFirst(word.count + 2)) : nil
        }
    }

    func includes(in text: String, file: String) -> [String] { values("include", text) }

    func triggers(in text: String, file: String) -> TriggerPlan? {
        let zone = values("zone", text).first ?? "UTC"
        let schedules = values("cron", text).compactMap { text in
            (try? CronExpression(text)).map { ScheduleTrigger(name: text, at: $0, zone: zone) }
        }
        let paths = PathFilter(include: GlobList(values("paths", text)))
        return TriggerPlan(
            push: PushTrigger(paths: paths),
            pullRequest: PullRequestTrigger(paths: paths, approveForks: values("forks", text) != ["free"]),
            manual: !text.contains("manual: false"), schedules: schedules)
    }

    /// The plan's variables say what was compiled.
    func compile(_ request: CompileRequest) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        if request.definition.hasPrefix("bad") {
            return (nil, [Diagnostic(code: .unknownWord, message: "It is bad.", file: request.file)])
        }
        var environment = request.included
        environment["definition"] = request.definition
        environment["branch"] = request.branch
        environment["changed"] = request.changedPaths?.sorted().joined(separator: " ")
        let facts = RunFacts(
            event: request.event, pullRequest: request.pullRequest, payload: request.payload,
            changedPaths: request.changedPaths, trusted: request.trusted)
        return (RunPlan(name: "p", environment: environment, jobs: [], facts: facts), [])
    }
}

/// Pipelines and schedules in memory, with the rules of the store.
final class MemoryStore: PipelineRepository, ScheduleRepository {
    private struct State {
        var pipelines: [PipelineID: PipelineRow] = [:]
        var schedules: [PipelineID: [String: ScheduleRow]] = [:]
        var slots: [ScheduleSlot: RunID] = [:]
        var version: UInt64 = 1
    }

    private let state = Mutex(State())

    var version: UInt64 { state.withLock { $0.version } }
    var fired: [ScheduleSlot] { state.withLock { Array($0.slots.keys) }.sorted { $0.slot < $1.slot } }

    /// What the engine's commit does with a run of a schedule.
    func note(_ key: String, _ run: RunID) -> Bool {
        guard let slot = ScheduleSlot(idempotencyKey: key) else { return true }
        return state.withLock { state in
            guard state.slots[slot] == nil else { return false }
            state.slots[slot] = run
            return true
        }
    }

    func put(_ row: PipelineRow) {
        state.withLock {
            $0.pipelines[row.id] = row
            $0.version += 1
        }
    }

    func pipelines(
        project: ProjectID?, visible: Visibility, text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<PipelineRow> {
        let all = state.withLock { Array($0.pipelines.values) }.sorted { $0.id.rawValue < $1.id.rawValue }
        return Page(items: Array(all.dropFirst((page - 1) * perPage).prefix(perPage)), total: all.count)
    }

    func pipeline(_ id: PipelineID) async throws -> PipelineRow? { state.withLock { $0.pipelines[id] } }

    func pipeline(named name: String) async throws -> PipelineRow? {
        state.withLock { $0.pipelines.values.first { $0.name == name } }
    }

    func versions(of id: PipelineID) async throws -> [PipelineVersion] { [] }

    func create(_ draft: PipelineDraft, by actor: String, at: Int64) async throws -> PipelineRow {
        throw PipelineChange.nameTaken
    }

    func update(
        _ id: PipelineID, _ draft: PipelineDraft, expected: Int?, by actor: String, at: Int64
    ) async throws -> PipelineRow {
        try state.withLock { state in
            guard var row = state.pipelines[id] else { throw PipelineChange.notFound }
            guard expected == nil || expected == row.version else { throw PipelineChange.stale(current: row.version) }
            if draft.definition != row.definition { row.version += 1 }
            row.definition = draft.definition
            state.pipelines[id] = row
            state.version += 1
            return row
        }
    }

    func delete(_ id: PipelineID, by actor: String, at: Int64) async throws {
        state.withLock {
            $0.pipelines[id] = nil
            $0.version += 1
        }
    }

    func schedules(of pipeline: PipelineID) async throws -> [ScheduleRow] {
        state.withLock { state in
            (state.schedules[pipeline] ?? [:]).values.sorted { $0.name < $1.name }.map { row in
                var row = row
                let last = state.slots.filter { $0.key.pipeline == pipeline && $0.key.name == row.name }
                    .max { $0.key.slot < $1.key.slot }
                (row.lastSlot, row.lastRun) = (last?.key.slot, last?.value)
                return row
            }
        }
    }

    func save(_ row: ScheduleRow) async throws {
        state.withLock { $0.schedules[row.pipeline, default: [:]][row.name] = row }
    }

    func keepSchedules(_ names: Set<String>, of pipeline: PipelineID) async throws {
        state.withLock { $0.schedules[pipeline] = $0.schedules[pipeline]?.filter { names.contains($0.key) } }
    }

    func hasFired(_ slot: ScheduleSlot) async throws -> Bool { state.withLock { $0.slots[slot] != nil } }

    func lastFired(_ pipeline: PipelineID, _ name: String, through instant: Int64) async throws -> Int64? {
        state.withLock { state in
            state.slots.keys.filter { $0.pipeline == pipeline && $0.name == name && $0.slot <= instant }
                .map(\.slot).max()
        }
    }
}

struct NoCredentials: GitCredentialReading {
    func credential(_ secret: String, project: ProjectID) async throws(RepositoryFailure) -> GitCredential {
        throw RepositoryFailure(.contact, .denied, "There is no secret \(secret).")
    }
}

extension PipelineRow {
    init(_ definition: String, url: String = "", ref: String = "", path: String = "", credential: String = "") {
        self.init(
            id: PipelineID(rawValue: 7), project: .main, name: "p", definition: definition, repositoryURL: url,
            ref: ref,
            path: path,
            credential: credential, createdAt: 0, updatedAt: 0)
    }
}
