import AnsFlowProtocol
import ControllerCore
import Testing

/// What the store keeps, as a value, and the rules of each transaction that `Controller/Store` refuses to break.
struct Rows: Sendable {
    var clock: Int64 = 0
    var counters = Counters()
    var plans: [RunID: RunPlan] = [:]
    var runs: [RunID: RunRow] = [:]
    var jobs: [JobID: JobRow] = [:]
    var jobAttempts: [JobAttemptID: JobAttemptRow] = [:]
    var steps: [StepID: StepRow] = [:]
    var attempts: [AttemptID: AttemptRow] = [:]
    var agents: [AgentID: AgentRow] = [:]
    var events: [RunID: [EventRow]] = [:]
    var idempotency: [String: IdempotencyRow] = [:]
    var approvals: [RunID: [JobID?: ApprovalRow]] = [:]

    mutating func apply(_ batch: CommitBatch) {
        #expect(batch.clock >= clock)
        #expect(batch.counters.attempt >= counters.attempt && batch.counters.event >= counters.event)
        Self.once(batch.runs.map(\.id.rawValue), "run")
        Self.once(batch.jobs.map(\.id.rawValue), "job")
        Self.once(batch.jobAttempts.map(\.id.rawValue), "job attempt")
        Self.once(batch.steps.map(\.id.rawValue), "step")
        Self.once(batch.attempts.map(\.id.rawValue), "attempt")
        Self.once(batch.agents.map(\.id.rawValue), "agent")
        clock = batch.clock
        counters = batch.counters
        plans.merge(batch.plans) { $1 }
        for row in batch.runs {
            if let old = runs[row.id], old.phase == .finished { #expect(old == row, "a finished run changed") }
            #expect(row.phase != .finished || row.outcome != nil)
            runs[row.id] = row
        }
        for row in batch.jobs { jobs[row.id] = row }
        for row in batch.jobAttempts {
            if let old = jobAttempts[row.id], old.outcome != nil { #expect(old == row, "a final job attempt changed") }
            #expect((row.outcome == nil) == (row.finishedAt == nil))
            jobAttempts[row.id] = row
        }
        for row in batch.steps { steps[row.id] = row }
        for row in batch.attempts {
            if let old = attempts[row.id], old.outcome != nil { #expect(old == row, "a final attempt changed") }
            #expect((row.outcome != nil) == (row.phase == .finished))
            attempts[row.id] = row
        }
        for row in batch.agents { agents[row.id] = row }
        for event in batch.events {
            #expect(event.seq == Int64((events[event.run] ?? []).count + 1), "a hole in a run's events")
            #expect(event.id < counters.event)
            events[event.run, default: []].append(event)
        }
        for row in batch.approvals {
            if let old = approvals[row.run]?[row.job], old.state != .waiting {
                #expect(old == row, "an answer changed")
            }
            approvals[row.run, default: [:]][row.job] = row
        }
        for row in batch.idempotency { idempotency[row.key] = row }
        checkLive(batch)
    }

    /// Of one step and of one job at most one attempt is without an end, and what has ended has no living part.
    private func checkLive(_ batch: CommitBatch) {
        for step in batch.steps {
            #expect(attempts.values.count { $0.step == step.id && $0.outcome == nil } <= 1)
        }
        for job in batch.jobs {
            let live = jobAttempts.values.filter { $0.job == job.id && $0.outcome == nil }
            #expect(live.count <= (job.phase == .finished || job.phase == .queued ? 0 : 1), "\(job.name) \(job.phase)")
            guard job.phase == .finished else { continue }
            #expect(steps.values.allSatisfy { $0.job != job.id || $0.phase == .finished })
            #expect(attempts.values.allSatisfy { $0.job != job.id || $0.outcome != nil })
        }
        for run in batch.runs where run.phase == .finished {
            #expect(jobs.values.allSatisfy { $0.run != run.id || $0.phase == .finished })
        }
    }

    private static func once(_ ids: [Int64], _ what: String) {
        #expect(Set(ids).count == ids.count, "a \(what) is twice in one transaction")
    }

    var snapshot: EngineSnapshot {
        var numbers: [PipelineID: Int64] = [:]
        for run in runs.values { numbers[run.pipeline] = max(numbers[run.pipeline] ?? 0, run.number) }
        let live = runs.values.filter { $0.phase != .finished }.sorted { $0.id < $1.id }
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
            agents: agents.values.sorted { $0.id < $1.id }, idempotency: Array(idempotency.values))
    }
}
