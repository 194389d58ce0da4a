package import AnsFlowProtocol
package import ControllerCore
import Synchronization

/// The engine's store for one run, in memory: what is lost with the process is what nobody wants back.
package final class LocalStore: EngineStore {
    private struct State {
        var run: RunRow?
        /// By place in the plan.
        var jobs: [Int: JobRow] = [:]
        var steps: [JobID: [Int: StepRow]] = [:]
        var attempts: [AttemptID: AttemptRow] = [:]
        /// What the last commits changed and nobody has looked at.
        var dirty: [JobID: Set<Int>] = [:]
        var dirtyJobs: Set<Int> = []
    }

    private let agent: AgentRow
    private let state = Mutex(State())

    package init(agent: AgentRow) {
        self.agent = agent
    }

    package func load() async throws -> EngineSnapshot {
        EngineSnapshot(
            clock: 0, generation: 1, counters: Counters(), runNumbers: [:], runs: [], agents: [agent], idempotency: [])
    }

    package func commit(_ batch: CommitBatch) async throws(CommitFailure) {
        state.withLock { state in
            if let run = batch.runs.last { state.run = run }
            for job in batch.jobs {
                state.jobs[job.index] = job
                state.dirtyJobs.insert(job.index)
            }
            for step in batch.steps {
                state.steps[step.job, default: [:]][step.index] = step
                state.dirty[step.job, default: []].insert(step.index)
            }
            for attempt in batch.attempts { state.attempts[attempt.id] = attempt }
        }
    }

    package func attempt(_ id: AttemptID) async throws -> AttemptRow? {
        state.withLock { $0.attempts[id] }
    }

    // MARK: Views

    package var run: RunRow? { state.withLock { $0.run } }

    /// Attempts that have no end yet.
    package var liveAttempts: [AttemptID] {
        state.withLock { $0.attempts.values.filter { $0.outcome == nil }.map(\.id).sorted() }
    }

    /// Whose attempt it is.
    package func place(of attempt: AttemptID) -> (job: JobRow, step: StepRow, number: Int)? {
        state.withLock { state in
            guard let row = state.attempts[attempt], let job = state.jobs.values.first(where: { $0.id == row.job }),
                let step = state.steps[row.job]?.values.first(where: { $0.id == row.step })
            else { return nil }
            return (job, step, row.number)
        }
    }

    /// The run with those jobs and steps only that changed since the last call.
    package func takeChanges() -> RunModel? {
        state.withLock { state in
            guard let run = state.run else { return nil }
            let jobs = state.jobs.values.filter { state.dirtyJobs.contains($0.index) || state.dirty[$0.id] != nil }
            let models = jobs.sorted { $0.index < $1.index }.map { job in
                let steps = (state.dirty[job.id] ?? []).sorted().compactMap { state.steps[job.id]?[$0] }
                return Self.model(job, steps)
            }
            state.dirty = [:]
            state.dirtyJobs = []
            return Self.model(run, models)
        }
    }

    /// All of it.
    package func model() -> RunModel? {
        state.withLock { state in
            guard let run = state.run else { return nil }
            let jobs = state.jobs.values.sorted { $0.index < $1.index }.map { job in
                var model = Self.model(job, (state.steps[job.id] ?? [:]).sorted { $0.key < $1.key }.map(\.value))
                let tries = Dictionary(grouping: state.attempts.values.filter { $0.job == job.id }) { $0.step.rawValue }
                for index in (model.steps ?? []).indices {
                    let own = tries[model.steps?[index].id ?? 0] ?? []
                    model.steps?[index].attempts = own.sorted { $0.id < $1.id }.map(Self.model)
                }
                return model
            }
            return Self.model(run, jobs)
        }
    }

    private static func model(_ run: RunRow, _ jobs: [JobModel]) -> RunModel {
        RunModel(
            id: run.id.rawValue, number: run.number, pipelineName: run.pipelineName,
            status: Status(phase: run.phase, outcome: run.outcome).rawValue, phase: run.phase.rawValue,
            result: run.outcome?.rawValue, cause: run.cause?.rawValue, message: run.message, ref: run.ref,
            branch: run.branch, commit: run.commit, event: run.event, actor: run.actor,
            createdAt: Timestamp.text(run.createdAt), startedAt: run.startedAt.map(Timestamp.text),
            finishedAt: run.finishedAt.map(Timestamp.text), cancelReason: run.cancelReason,
            cancelledBy: run.cancelledBy, seq: run.seq, jobs: jobs)
    }

    private static func model(_ job: JobRow, _ steps: [StepRow]) -> JobModel {
        JobModel(
            id: job.id.rawValue, name: job.name, status: Status(phase: job.phase, outcome: job.outcome).rawValue,
            phase: job.phase.rawValue, result: job.outcome?.rawValue, cause: job.cause?.rawValue, message: job.message,
            startedAt: job.startedAt.map(Timestamp.text), finishedAt: job.finishedAt.map(Timestamp.text),
            steps: steps.map(model))
    }

    private static func model(_ step: StepRow) -> StepModel {
        StepModel(
            id: step.id.rawValue, name: step.name, status: Status(phase: step.phase, outcome: step.outcome).rawValue,
            phase: step.phase.rawValue, result: step.outcome?.rawValue, cause: step.cause?.rawValue,
            message: step.message, attempt: step.attempts, exitCode: step.exitCode.map(Int.init),
            startedAt: step.startedAt.map(Timestamp.text), finishedAt: step.finishedAt.map(Timestamp.text))
    }

    private static func model(_ attempt: AttemptRow) -> AttemptModel {
        AttemptModel(
            id: attempt.id.rawValue, number: attempt.number, result: attempt.outcome?.rawValue,
            cause: attempt.cause?.rawValue, message: attempt.message, exitCode: attempt.exitCode.map(Int.init),
            startedAt: attempt.startedAt.map(Timestamp.text), finishedAt: attempt.finishedAt.map(Timestamp.text))
    }
}
