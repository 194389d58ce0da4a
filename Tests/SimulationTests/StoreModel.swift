import AnsFlowProtocol
import ControllerCore

/// SQLite with `synchronous=FULL` as a value: a list of transactions that are there whole or not at all.
struct StoreModel {
    private(set) var clock: Int64 = 0
    private(set) var counters = Counters()
    private(set) var plans: [RunID: RunPlan] = [:]
    private(set) var runs: [RunID: RunRow] = [:]
    private(set) var jobs: [JobID: JobRow] = [:]
    private(set) var jobAttempts: [JobAttemptID: JobAttemptRow] = [:]
    private(set) var steps: [StepID: StepRow] = [:]
    private(set) var attempts: [AttemptID: AttemptRow] = [:]
    private(set) var agents: [AgentID: AgentRow] = [:]
    private(set) var events: [RunID: [EventRow]] = [:]

    mutating func add(_ agent: AgentRow) { agents[agent.id] = agent }

    /// - Throws: a ``Violation`` where the transaction breaks what must hold of stored rows.
    mutating func apply(_ batch: CommitBatch) throws {
        guard batch.clock >= clock else { throw Violation(invariant: "MONO", detail: "the engine's clock went back") }
        guard batch.counters.attempt >= counters.attempt, batch.counters.run >= counters.run else {
            throw Violation(invariant: "FENCE", detail: "a counter went back")
        }
        clock = batch.clock
        counters = batch.counters
        plans.merge(batch.plans) { $1 }
        for row in batch.runs {
            if let old = runs[row.id], old.phase == .finished, old != row {
                throw Violation(invariant: "FINAL", detail: "run \(row.id) changed after its end")
            }
            runs[row.id] = row
        }
        for row in batch.jobs { jobs[row.id] = row }
        for row in batch.jobAttempts { jobAttempts[row.id] = row }
        for row in batch.steps { steps[row.id] = row }
        for row in batch.attempts {
            if let old = attempts[row.id], old.outcome != nil, old != row {
                throw Violation(
                    invariant: "FINAL", detail: "attempt \(row.id) was \(old.outcome!) and became \(row.outcome as Any)"
                )
            }
            attempts[row.id] = row
        }
        for row in batch.agents { agents[row.id] = row }
        for event in batch.events {
            guard event.seq == Int64((events[event.run] ?? []).count + 1) else {
                throw Violation(invariant: "SEQ", detail: "run \(event.run) has a hole before event \(event.seq)")
            }
            events[event.run, default: []].append(event)
        }
    }

    func load() -> EngineSnapshot {
        let live = runs.values.filter { $0.phase != .finished }.sorted { $0.id < $1.id }
        var numbers: [PipelineID: Int64] = [:]
        for run in runs.values { numbers[run.pipeline] = max(numbers[run.pipeline] ?? 0, run.number) }
        return EngineSnapshot(
            clock: clock, generation: 1, counters: counters, runNumbers: numbers,
            runs: live.map { run in
                EngineSnapshot.Run(
                    row: run, plan: plans[run.id]!, jobs: jobs.values.filter { $0.run == run.id },
                    steps: steps.values.filter { $0.run == run.id },
                    jobAttempts: jobAttempts.values.filter { $0.run == run.id },
                    attempts: attempts.values.filter { $0.run == run.id })
            },
            agents: agents.values.sorted { $0.id < $1.id }, idempotency: [])
    }
}
