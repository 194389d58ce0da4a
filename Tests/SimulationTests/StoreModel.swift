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
    private(set) var approvals: [RunID: [JobID?: ApprovalRow]] = [:]
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
        for row in batch.jobs {
            if let old = jobs[row.id], old.phase == .finished, old != row {
                throw Violation(invariant: "FINAL", detail: "job \(row.id) changed after its end")
            }
            jobs[row.id] = row
        }
        for row in batch.jobAttempts {
            if let old = jobAttempts[row.id], old.outcome != nil, old != row {
                throw Violation(invariant: "FINAL", detail: "job attempt \(row.id) changed after its end")
            }
            jobAttempts[row.id] = row
        }
        for row in batch.steps { steps[row.id] = row }
        for row in batch.attempts {
            if let old = attempts[row.id], old.outcome != nil, old != row {
                throw Violation(
                    invariant: "FINAL", detail: "attempt \(row.id) was \(old.outcome!) and became \(row.outcome as Any)"
                )
            }
            attempts[row.id] = row
        }
        for row in batch.approvals { approvals[row.run, default: [:]][row.job] = row }
        for row in batch.agents { agents[row.id] = row }
        for event in batch.events {
            guard event.seq == Int64((events[event.run] ?? []).count + 1) else {
                throw Violation(invariant: "SEQ", detail: "run \(event.run) has a hole before event \(event.seq)")
            }
            events[event.run, default: []].append(event)
        }
        try checkGates()
    }

    /// GROUP: never more than its limit hold a group. APPROVAL: nothing waits for a word longer than it may.
    private func checkGates() throws {
        var holders: [String: (count: Int, limit: Int)] = [:]
        func hold(_ plan: ConcurrencyPlan?) {
            guard let plan else { return }
            holders[plan.group, default: (0, plan.limit)].count += 1
        }
        for run in runs.values where run.phase != .finished {
            guard let plan = plans[run.id] else { continue }
            if run.phase != .blocked, plan.concurrency != nil { hold(plan.concurrency) }
            for job in jobs.values where job.run == run.id && job.phase != .blocked && job.phase != .finished {
                hold(plan.jobs[job.index].concurrency)
            }
            for row in (approvals[run.id] ?? [:]).values where row.state == .waiting && row.deadline + 3_000 < clock {
                throw Violation(invariant: "APPROVAL", detail: "run \(run.id) waits beyond the end of its approval")
            }
        }
        if let full = holders.first(where: { $0.value.count > $0.value.limit }) {
            throw Violation(invariant: "GROUP", detail: "\(full.value.count) hold the group \(full.key)")
        }
    }

    func detail(_ run: RunID) -> RunDetail? {
        guard let row = runs[run], let plan = plans[run] else { return nil }
        return RunDetail(
            run: row, plan: plan, jobs: jobs.values.filter { $0.run == run }.sorted { $0.index < $1.index },
            steps: steps.values.filter { $0.run == run }, jobAttempts: jobAttempts.values.filter { $0.run == run },
            attempts: attempts.values.filter { $0.run == run }, agentNames: [:])
    }

    /// What a start loads, with a planted defect.
    func load(_ mutant: Mutant?) -> EngineSnapshot {
        var snapshot = load()
        for run in snapshot.runs.indices {
            switch mutant {
            case .groupForgotten:
                snapshot.runs[run].row.group = nil
                for job in snapshot.runs[run].jobs.indices { snapshot.runs[run].jobs[job].group = nil }
            case .approvalSurvivesExpiry:
                for row in snapshot.runs[run].approvals.indices {
                    snapshot.runs[run].approvals[row].deadline = .max / 2
                }
            case .untrustedForgotten: snapshot.runs[run].plan.facts.trusted = true
            case .retriesForgotten:
                for job in snapshot.runs[run].jobs.indices { snapshot.runs[run].jobs[job].retries = 0 }
                for step in snapshot.runs[run].steps.indices { snapshot.runs[run].steps[step].retries = 0 }
            default: break
            }
        }
        return snapshot
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
                    attempts: attempts.values.filter { $0.run == run.id },
                    approvals: (approvals[run.id] ?? [:]).values.sorted {
                        ($0.job?.rawValue ?? 0) < ($1.job?.rawValue ?? 0)
                    })
            },
            agents: agents.values.sorted { $0.id < $1.id }, idempotency: [])
    }
}
