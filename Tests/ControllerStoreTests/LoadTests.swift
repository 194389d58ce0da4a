import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

/// What the engine does, at random: rows by id in memory, and the changed ones as a batch.
private struct Model {
    var random: Seeded
    var counters = Counters()
    var clock: Int64 = 0
    var runs: [RunID: RunRow] = [:]
    var jobs: [JobID: JobRow] = [:]
    var steps: [StepID: StepRow] = [:]
    var jobAttempts: [JobAttemptID: JobAttemptRow] = [:]
    var attempts: [AttemptID: AttemptRow] = [:]
    var plans: [RunID: RunPlan] = [:]
    var numbers: [PipelineID: Int64] = [:]

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func next(_ path: WritableKeyPath<Counters, Int64>) -> Int64 {
        defer { counters[keyPath: path] += 1 }
        return counters[keyPath: path]
    }

    mutating func step() -> CommitBatch {
        clock += 10
        var batch = CommitBatch(clock: clock, counters: counters)
        if chance(50) { create(&batch) }
        let live = runs.values.filter { $0.phase != .finished }.sorted { $0.id < $1.id }
        for run in live where chance(60) { advance(run, &batch) }
        batch.counters = counters
        return batch
    }

    private mutating func create(_ batch: inout CommitBatch) {
        let pipeline = PipelineID(Int64.random(in: 1...3, using: &random))
        numbers[pipeline, default: 0] += 1
        let run = bareRun(next(\.run), number: numbers[pipeline], pipeline: pipeline.rawValue)
        runs[run.id] = run
        plans[run.id] = plan("run \(run.id)")
        batch.runs.append(run)
        batch.plans[run.id] = plans[run.id]
        for place in 0..<Int.random(in: 1...3, using: &random) {
            let job = JobRow(id: JobID(next(\.job)), run: run.id, index: place, name: "j\(place)", phase: .queued)
            jobs[job.id] = job
            batch.jobs.append(job)
            for inner in 0..<Int.random(in: 0...3, using: &random) {
                let step = StepRow(
                    id: StepID(next(\.step)), job: job.id, run: run.id, index: inner, name: "s\(inner)")
                steps[step.id] = step
                batch.steps.append(step)
            }
        }
    }

    private mutating func advance(_ old: RunRow, _ batch: inout CommitBatch) {
        // A row is in a batch once, so a run that was made in this batch waits for the next.
        guard !batch.runs.contains(where: { $0.id == old.id }) else { return }
        var run = old
        run.phase = chance(20) ? .finished : .running
        run.outcome = run.phase == .finished ? Outcome.allCases.randomElement(using: &random) : nil
        run.seq += 1
        for job in jobs.values.filter({ $0.run == run.id }).sorted(by: { $0.id < $1.id }) where chance(50) {
            assign(job, &batch)
        }
        batch.events.append(
            EventRow(
                id: next(\.event), run: run.id, pipeline: run.pipeline, project: run.project, seq: run.seq, at: clock,
                kind: .execution, data: [0x7B, 0x7D]))
        runs[run.id] = run
        batch.runs.append(run)
    }

    /// A new attempt of a job and of its steps; what was live before is lost.
    private mutating func assign(_ old: JobRow, _ batch: inout CommitBatch) {
        var job = old
        job.attempts += 1
        let attempt = JobAttemptRow(
            id: JobAttemptID(next(\.jobAttempt)), job: job.id, run: job.run, agent: AgentID(1), number: job.attempts,
            startedAt: clock)
        batch.jobAttempts.append(attempt)
        if let id = job.attempt, var before = jobAttempts[id] {
            before.outcome = .lost
            before.finishedAt = clock
            jobAttempts[id] = before
            batch.jobAttempts.append(before)
        }
        jobAttempts[attempt.id] = attempt
        job.attempt = attempt.id
        job.agent = AgentID(1)
        job.phase = .running
        jobs[job.id] = job
        batch.jobs.append(job)
        for var step in steps.values.filter({ $0.job == job.id }).sorted(by: { $0.id < $1.id }) {
            step.attempts += 1
            let next = AttemptRow(
                id: AttemptID(next(\.attempt)), step: step.id, job: job.id, jobAttempt: attempt.id, run: job.run,
                agent: AgentID(1), number: step.attempts, createdAt: clock, deadline: clock + 5,
                outputs: chance(30) ? ["k": "v\(clock)"] : [:])
            batch.attempts.append(next)
            if let id = step.attempt, var before = attempts[id] {
                before.phase = .finished
                before.outcome = .lost
                attempts[id] = before
                batch.attempts.append(before)
            }
            attempts[next.id] = next
            step.attempt = next.id
            steps[step.id] = step
            batch.steps.append(step)
        }
    }

    func expected() -> [EngineSnapshot.Run] {
        let live = runs.values.filter { $0.phase != .finished }
        return live.sorted { $0.id < $1.id }.map(expected)
    }

    private func expected(_ run: RunRow) -> EngineSnapshot.Run {
        let jobs: [JobRow] = self.jobs.values.filter { $0.run == run.id }.sorted { $0.index < $1.index }
        var steps: [StepRow] = []
        for job in jobs {
            steps += self.steps.values.filter { $0.job == job.id }.sorted { $0.index < $1.index }
        }
        let jobAttempts: [JobAttemptRow] = jobs.compactMap { $0.attempt }.compactMap { self.jobAttempts[$0] }
        let attempts: [AttemptRow] = steps.compactMap { $0.attempt }.compactMap { self.attempts[$0] }
        return EngineSnapshot.Run(
            row: run, plan: plans[run.id] ?? plan(), jobs: jobs, steps: steps,
            jobAttempts: jobAttempts.sorted { $0.id < $1.id }, attempts: attempts.sorted { $0.id < $1.id })
    }
}

@Suite struct LoadTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func whatIsLoadedIsWhatWasCommitted(seed: UInt64) async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        for name in ["p1", "p2", "p3"] {
            _ = try await database.create(PipelineDraft(name: name, definition: "x"), by: "admin", at: 1)
        }
        try await database.addAgent("a1", key: "k1")
        var model = Model(random: Seeded(state: seed))
        for round in 0..<60 {
            try await database.commit(model.step())
            guard round % 10 == 9 else { continue }
            let snapshot = try await database.load()
            #expect(snapshot.runs == model.expected(), "seed \(seed), round \(round)")
            #expect(snapshot.counters == model.counters)
            #expect(snapshot.clock == model.clock)
            #expect(snapshot.runNumbers == model.numbers)
        }
        #expect(!model.attempts.isEmpty && !model.expected().isEmpty, "the model did something")
        let last = try await database.lastEventID()
        #expect(last == model.counters.event - 1)
        for run in model.runs.values {
            let seqs = try await database.events(of: run.id, after: 0, limit: 1000).map(\.seq)
            #expect(seqs == Array(1..<(run.seq + 1)))
        }
    }
}
