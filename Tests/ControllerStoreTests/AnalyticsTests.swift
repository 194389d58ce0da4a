import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct AnalyticsTests {
    private static let hour: Int64 = 3_600_000
    private static let now: Int64 = 1_800_000_000_000

    /// What ended, for the oracle.
    private struct Ended {
        var pipeline: Int64
        var at: Int64
        var outcome: Outcome
        var duration: Int64?
        var queue: Int64?
    }

    /// Commits `count` random runs that end at random times of two years, each with one attempt, some at once and some in two steps.
    private func fill(_ database: Database, _ count: Int, _ random: inout Seeded) async throws -> [Ended] {
        var all: [Ended] = []
        for index in 1...count {
            let id = 1_000_000 + Int64(index)
            let back = Int64.random(in: 0..<(700 * 24), using: &random)
            let end = Self.now - back * Self.hour - Int64.random(in: 0..<Self.hour, using: &random)
            let duration = Int64.random(in: 0..<(1 << Int64.random(in: 1...24, using: &random)), using: &random)
            let queue = Int64.random(in: 0..<100_000, using: &random)
            let outcome = Outcome.allCases.randomElement(using: &random) ?? .success
            let pipeline = Int64.random(in: 1...3, using: &random)
            let hasStarted = outcome != .skipped
            var run = bareRun(id, number: Int64(index), pipeline: pipeline)
            run.createdAt = end - duration - queue
            run.startedAt = hasStarted ? end - duration : nil
            var batch = batch(clock: Int64(index), counters: id)
            batch.counters.run = id + 1
            batch.counters.job = id + 1
            batch.counters.step = id + 1
            batch.counters.jobAttempt = id + 1
            batch.counters.attempt = id + 1
            batch.plans = [run.id: plan()]
            batch.jobs = [JobRow(id: JobID(id), run: run.id, index: 0, name: "build")]
            batch.steps = [StepRow(id: StepID(id), job: JobID(id), run: run.id, index: 0, name: "s\(index % 2)")]
            batch.jobAttempts = [
                JobAttemptRow(
                    id: JobAttemptID(id), job: JobID(id), run: run.id, agent: AgentID(1), number: 1,
                    startedAt: end - duration)
            ]
            var attempt = AttemptRow(
                id: AttemptID(id), step: StepID(id), job: JobID(id), jobAttempt: JobAttemptID(id), run: run.id,
                agent: AgentID(1), number: 1, phase: .running, createdAt: end - duration - queue,
                startedAt: end - duration, deadline: 9)
            if index % 3 != 0 {
                batch.runs = [run]
                batch.attempts = [attempt]
                try await database.commit(batch)
                batch.plans = [:]
            }
            run.phase = .finished
            run.outcome = outcome
            run.finishedAt = end
            attempt.phase = .finished
            attempt.outcome = outcome
            attempt.finishedAt = end
            batch.runs = [run]
            batch.attempts = [attempt]
            batch.jobAttempts[0].outcome = outcome
            batch.jobAttempts[0].finishedAt = end
            try await database.commit(batch)
            all.append(
                Ended(
                    pipeline: pipeline, at: end, outcome: outcome, duration: hasStarted ? duration : nil,
                    queue: hasStarted ? queue : nil))
            if index % 97 == 0 { _ = try await database.rollUp() }
        }
        return all
    }

    private func open(_ scratch: Scratch) async throws -> Database {
        let database = try scratch.open()
        for name in ["p1", "p2", "p3"] {
            _ = try await database.create(PipelineDraft(name: name, definition: "jobs: {}"), by: "admin", at: 1)
        }
        try await database.addAgent("a1", key: "k1")
        return database
    }

    private func check(_ figures: StatFigures, _ ended: [Ended], _ what: String) {
        let endings = ended.map { StatFigures.Ending($0.outcome) }
        #expect(figures.success == endings.count { $0 == .success }, "\(what)")
        #expect(figures.failed == endings.count { $0 == .failed }, "\(what)")
        #expect(figures.cancelled == endings.count { $0 == .cancelled }, "\(what)")
        #expect(figures.skipped == endings.count { $0 == .skipped }, "\(what)")
        for (sketch, values) in [
            (figures.durations, ended.compactMap(\.duration)), (figures.queues, ended.compactMap(\.queue)),
        ] {
            #expect(sketch.count == values.count, "\(what)")
            let sorted = values.sorted()
            for q in [0.5, 0.95] where !sorted.isEmpty {
                let exact = Double(sorted[max(1, Int((q * Double(sorted.count)).rounded(.up))) - 1])
                #expect(abs(Double(sketch.quantile(q) ?? -1) - exact) <= max(0.5, exact * 0.0201), "\(what) \(q)")
            }
        }
    }

    @Test func figuresAreThoseOfAllRuns() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try await open(scratch)
        var random = Seeded(state: 5)
        let all = try await fill(database, 400, &random)
        while try await database.rollUp() > 0 {}
        for window in StatWindow.allCases {
            let range = window.range(now: Self.now)
            let (from, to) = (range.from, range.open)
            let inside = all.filter { $0.at >= from && $0.at < to }
            check(try await database.figures(StatKey(.all), from: from, to: to), inside, window.rawValue)
            for pipeline in Int64(1)...3 {
                let key = StatKey(.pipeline, id: pipeline)
                check(
                    try await database.figures(key, from: from, to: to), inside.filter { $0.pipeline == pipeline },
                    "\(window) \(pipeline)")
            }
            let rows = try await database.busiest(.pipeline, ids: nil, from: from, to: to, limit: 10)
            let totals = Dictionary(grouping: inside, by: \.pipeline).mapValues(\.count)
            #expect(rows.map { Int($0.figures.total) } == totals.values.sorted(by: >))
            #expect(rows.allSatisfy { totals[$0.key.id] == Int($0.figures.total) && $0.title == "p\($0.key.id)" })
            let points = try await database.trend(StatKey(.all), step: window.step, from: from, to: range.to)
            for point in points {
                let end = point.at + window.step.milliseconds
                check(point.figures, all.filter { $0.at >= point.at && $0.at < end }, "\(window) point")
            }
            let agents = try await database.busiest(.agent, ids: nil, from: from, to: to, limit: 10)
            #expect(agents.reduce(0) { $0 + Int($1.figures.total) } == inside.count)
            let steps = try await database.busiest(.step, ids: [2], from: from, to: to, limit: 10)
            #expect(steps.reduce(0) { $0 + Int($1.figures.total) } == inside.filter { $0.pipeline == 2 }.count)
            #expect(Set(steps.map(\.key.name)).isSubset(of: ["build/s0", "build/s1"]))
        }
        // Said again, nothing is counted twice.
        let before = try await database.figures(StatKey(.all), from: 0, to: Self.now + Self.hour)
        #expect(try await database.rollUp() == 0)
        #expect(try await database.figures(StatKey(.all), from: 0, to: Self.now + Self.hour) == before)
        #expect(before.total == 400)
    }

    /// What is counted survives what it was counted of, and is counted once whatever happens in between.
    @Test func eachIsCountedOnceOverARestart() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        var random = Seeded(state: 6)
        do {
            let database = try await open(scratch)
            _ = try await fill(database, 50, &random)
            try database.close()
        }
        let database = try scratch.open()
        while try await database.rollUp() > 0 {}
        let all = try await database.figures(StatKey(.all), from: 0, to: Self.now + Self.hour)
        #expect(all.total == 50)
        #expect(try await database.rollUp() == 0)
    }

    @Test func figuresFromMemoryAddUpAndOldRowsGo() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        var figures = StatFigures()
        figures.add(.success, duration: 10, queue: nil)
        let key = StatKey(.route, name: "listRuns")
        try await database.add([key: figures], at: Self.now)
        try await database.add([key: figures], at: Self.now)
        try await database.add([key: figures], at: Self.now - 30 * 24 * Self.hour)
        let range = StatWindow.quarter.range(now: Self.now)
        let (from, to) = (range.from, range.open)
        #expect(try await database.figures(key, from: from, to: to).total == 3)
        try await database.prune(now: Self.now)
        #expect(try await database.figures(key, from: from, to: to).total == 3)
        let old = StatSpan.Level.hour.start(of: Self.now - 30 * 24 * Self.hour)
        #expect(try await database.figures(key, from: old, to: old + Self.hour).total == 0)
    }
}
