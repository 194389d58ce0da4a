import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import NIOCore
import Synchronization

@testable import ControllerHTTP

/// A controller in memory: just enough behind the ports for routes and live topics.
final class World: Sendable {
    struct State {
        var runs: [RunID: RunDetail] = [:]
        var events: [EventRow] = []
        var pipelines: [PipelineRow] = []
        var keys: [String: RunID] = [:]
        var logs: [AttemptID: [String]] = [:]
        var partial: [AttemptID: String] = [:]
        var followers: [Int: (attempt: AttemptID, handler: @Sendable (LogBatch) -> Void)] = [:]
        var nextFollower = 0
        var version: UInt64 = 1
        var reads = 0
        var halted: String?
        var valid: Set<String> = ["admin-token", "reader-token", "runner-token", "leaving-token"]
        var tickets: [String: Principal] = [:]
        /// Roles in the project that is there, by user; the first user is an administrator.
        var roles: [UserID: Role] = [UserID(2): .viewer, UserID(3): .viewer, UserID(4): .developer]
        var accessVersion: UInt64 = 1
        var projectState = ProjectState.active
        var loginsLeft = 3
        var cancelled: [(RunID, String?, Bool)] = []
        var skippedFinally: [RunID] = []
        var requests: [RunRequest] = []
        var answers: [Answered] = []
        /// What is wrong with a run's given values; then nothing compiles.
        var givenFaults: [Diagnostic] = []
    }

    /// An approval that was given or refused.
    struct Answered: Equatable {
        var run: RunID
        var job: String?
        var yes: Bool
        var by: String
        var inputs: [String: InputValue]
        var reason: String?
    }

    let state = Mutex(State())
    static let now: Int64 = 1_800_000_000_000

    static let plan = RunPlan(
        name: "demo",
        jobs: [
            JobPlan(
                id: "build",
                steps: [
                    StepPlan(id: "compile", action: .run(commands: ["make"], shell: .sh)),
                    StepPlan(id: "test", needs: ["compile"], action: .run(commands: ["make test"], shell: .sh)),
                ]),
            JobPlan(
                id: "pack", needs: ["build"], steps: [StepPlan(id: "test", action: .run(commands: ["x"], shell: .sh))]),
        ])

    init() {
        state.withLock { state in
            state.pipelines = [
                PipelineRow(
                    id: PipelineID(1), project: .main, name: "demo", definition: "jobs: {}", repositoryURL: "",
                    ref: "main",
                    createdAt: World.now, updatedAt: World.now)
            ]
        }
    }

    /// Adds run `id`, with one running attempt of `build/compile` that has the run's id as its own times ten.
    @discardableResult
    func addRun(_ id: Int64, branch: String = "main", phase: Phase = .running) -> RunDetail {
        let run = RunRow(
            id: RunID(id), project: .main, pipeline: PipelineID(1), pipelineName: "demo", pipelineVersion: 1,
            number: id,
            phase: phase, outcome: phase == .finished ? .success : nil, event: "manual", ref: branch, branch: branch,
            tag: "", commit: "", inputs: [:], priority: 0, actor: "admin", createdAt: World.now + id, seq: 0,
            deadline: 0)
        let jobs = [
            JobRow(id: JobID(id * 10), run: run.id, index: 0, name: "build", phase: .running),
            JobRow(id: JobID(id * 10 + 1), run: run.id, index: 1, name: "pack", phase: .blocked),
        ]
        let steps = [
            StepRow(id: StepID(id * 10), job: jobs[0].id, run: run.id, index: 0, name: "compile", phase: .running),
            StepRow(id: StepID(id * 10 + 1), job: jobs[0].id, run: run.id, index: 1, name: "test", phase: .blocked),
            StepRow(id: StepID(id * 10 + 2), job: jobs[1].id, run: run.id, index: 0, name: "test", phase: .blocked),
        ]
        let attempt = AttemptRow(
            id: AttemptID(id * 10), step: steps[0].id, job: jobs[0].id, jobAttempt: JobAttemptID(id), run: run.id,
            agent: AgentID(1), number: 1, phase: .running, createdAt: World.now, deadline: 0)
        let detail = RunDetail(
            run: run, plan: World.plan, jobs: jobs, steps: steps, jobAttempts: [], attempts: [attempt],
            agentNames: [AgentID(1): "one"])
        state.withLock { state in
            state.runs[run.id] = detail
            state.version += 1
        }
        return detail
    }

    /// Commits an event of `run`, as the engine does, and gives it back for the hub.
    func commit(_ run: Int64, kind: EventRow.Kind = .execution) -> EventRow {
        state.withLock { state in
            let id = RunID(run)
            state.runs[id]?.run.seq += 1
            state.version += 1
            let seq = state.runs[id]?.run.seq ?? 0
            let data =
                "{\"execution_id\":\(run),\"status\":\"running\",\"pipeline_name\":\"demo\",\"message\":\"\(seq)\"}"
            let row = EventRow(
                id: Int64(state.events.count + 1), run: id, pipeline: PipelineID(1), project: .main, seq: seq,
                at: World.now, kind: kind, data: Array(data.utf8))
            state.events.append(row)
            return row
        }
    }

    func addAttempt(_ id: Int64, run: Int64, step: Int, number: Int) {
        state.withLock { state in
            guard var detail = state.runs[RunID(run)] else { return }
            let row = detail.steps[step]
            detail.attempts.append(
                AttemptRow(
                    id: AttemptID(id), step: row.id, job: row.job, jobAttempt: JobAttemptID(run), run: row.run,
                    agent: AgentID(1), number: number, phase: .running, createdAt: World.now, deadline: 0))
            state.runs[RunID(run)] = detail
        }
    }

    /// Appends whole lines to a log and calls its followers.
    func append(_ lines: [String], to attempt: Int64) {
        state.withLock { state in
            let id = AttemptID(attempt)
            let first = UInt64(state.logs[id]?.count ?? 0) + 1
            state.logs[id, default: []] += lines
            let rows = lines.enumerated().map { index, text in
                LogLine(number: first + UInt64(index), timeMs: 1, text: text, partial: false)
            }
            let batch = LogBatch(
                attempt: id, firstLine: first, nextLine: first + UInt64(lines.count),
                json: LiveEncoder.lines(rows))
            for follower in state.followers.values where follower.attempt == id { follower.handler(batch) }
        }
    }
}

extension World: RunQueries {
    func runs(_ filter: RunFilter, page: Int, perPage: Int) async throws -> Page<RunRow> {
        state.withLock { state in
            state.reads += 1
            let all = state.runs.values.map(\.run).filter { run in
                (filter.pipeline == nil || filter.pipeline == run.pipeline) && filter.visible.includes(run.project)
                    && (filter.branch == nil || filter.branch == run.branch)
                    && (filter.status == nil || filter.status == Status(phase: run.phase, outcome: run.outcome))
            }.sorted { $0.id > $1.id }
            return Page(items: Array(all.dropFirst((page - 1) * perPage).prefix(perPage)), total: all.count)
        }
    }
    func progress(of runs: [RunID]) async throws -> [RunID: RunProgress] {
        state.withLock { state in
            Dictionary(
                uniqueKeysWithValues: runs.compactMap { id in
                    state.runs[id].map { detail in
                        let ended = detail.jobs.count { $0.phase == .finished }
                        return (id, RunProgress(jobs: detail.jobs.count, finished: ended, awaitsApproval: false))
                    }
                })
        }
    }
    func run(_ id: RunID) async throws -> RunRow? { state.withLock { $0.runs[id]?.run } }
    func runDetail(_ id: RunID) async throws -> RunDetail? { state.withLock { $0.runs[id] } }
    func events(of run: RunID, after: Int64, limit: Int) async throws -> [EventRow] {
        state.withLock { state in
            Array(state.events.filter { $0.run == run && $0.seq > after }.prefix(limit))
        }
    }
    func events(after: Int64, pipeline: PipelineID?, limit: Int) async throws -> [EventRow] {
        state.withLock { state in
            Array(state.events.filter { $0.id > after && (pipeline == nil || $0.pipeline == pipeline) }.prefix(limit))
        }
    }
    func lastNumber(of pipeline: PipelineID) async throws -> Int64 {
        state.withLock { $0.runs.values.filter { $0.run.pipeline == pipeline }.map(\.run.number).max() ?? 0 }
    }
    func lastEventID() async throws -> Int64 { state.withLock { $0.events.last?.id ?? 0 } }
    func generation() async throws -> Int64 { 3 }
    func idempotentRun(_ key: String) async throws -> RunID? { state.withLock { $0.keys[key] } }
}

extension World: PipelineRepository {
    func pipelines(
        project: ProjectID?, visible: Visibility, text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<PipelineRow> {
        state.withLock { state in
            let all = state.pipelines.filter { visible.includes($0.project) }
            return Page(items: Array(all.dropFirst((page - 1) * perPage).prefix(perPage)), total: all.count)
        }
    }
    func pipeline(_ id: PipelineID) async throws -> PipelineRow? {
        state.withLock { $0.pipelines.first { $0.id == id } }
    }
    func pipeline(named name: String) async throws -> PipelineRow? {
        state.withLock { $0.pipelines.first { $0.name == name } }
    }
    func versions(of id: PipelineID) async throws -> [PipelineVersion] {
        ["jobs:\n  a: {}\n  b: {}\n", "jobs:\n  a: {}\n"].enumerated().map {
            PipelineVersion(version: 2 - $0.offset, definition: $0.element, savedBy: "admin", savedAt: World.now)
        }
    }
    func create(_ draft: PipelineDraft, by actor: String, at: Int64) async throws -> PipelineRow {
        try state.withLock { state in
            guard !state.pipelines.contains(where: { $0.name == draft.name }) else { throw PipelineChange.nameTaken }
            let row = PipelineRow(
                id: PipelineID(Int64(state.pipelines.count + 1)), project: draft.project, name: draft.name,
                definition: draft.definition, repositoryURL: draft.repositoryURL, ref: draft.ref, createdAt: at,
                updatedAt: at)
            state.pipelines.append(row)
            return row
        }
    }
    func update(
        _ id: PipelineID, _ draft: PipelineDraft, expected: Int?, by actor: String, at: Int64
    ) async throws -> PipelineRow {
        try state.withLock { state in
            guard let index = state.pipelines.firstIndex(where: { $0.id == id }) else { throw PipelineChange.notFound }
            let current = state.pipelines[index].version
            if let expected, expected != current { throw PipelineChange.stale(current: current) }
            state.pipelines[index].name = draft.name
            state.pipelines[index].definition = draft.definition
            state.pipelines[index].enabled = draft.enabled
            state.pipelines[index].version += 1
            return state.pipelines[index]
        }
    }
    func delete(_ id: PipelineID, by actor: String, at: Int64) async throws {
        state.withLock { $0.pipelines.removeAll { $0.id == id } }
    }
}
