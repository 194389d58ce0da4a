import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct ArtifactsTests {
    /// A run whose job `build` has an attempt with one step attempt.
    private struct Bench {
        let scratch = Scratch()
        let database: Database
        var run = bareRun(1)
        var job: JobRow
        var step: StepRow
        var jobAttempt: JobAttemptRow
        var attempt: AttemptRow

        init(run id: Int64 = 1, scratchOf other: Bench? = nil) async throws {
            if let other {
                database = other.database
            } else {
                database = try scratch.open()
                try await database.seed()
            }
            run = bareRun(id)
            job = JobRow(id: JobID(id), run: RunID(id), index: 0, name: "build")
            step = StepRow(id: StepID(id), job: JobID(id), run: RunID(id), index: 0, name: "store-artifacts")
            jobAttempt = JobAttemptRow(
                id: JobAttemptID(id), job: JobID(id), run: RunID(id), agent: AgentID(1), number: 1, startedAt: 1)
            attempt = AttemptRow(
                id: AttemptID(id), step: StepID(id), job: JobID(id), jobAttempt: JobAttemptID(id), run: RunID(id),
                agent: AgentID(1), number: 1, createdAt: 1, deadline: 9)
            try await commit()
        }

        func commit() async throws {
            var group = batch(counters: run.id.rawValue + 1)
            group.runs = [run]
            group.plans = [run.id: plan()]
            group.jobs = [job]
            group.jobAttempts = [jobAttempt]
            group.steps = [step]
            group.attempts = [attempt]
            try await database.commit(group)
        }

        mutating func endAttempt(_ outcome: Outcome = .success) async throws {
            attempt.phase = .finished
            attempt.outcome = outcome
            attempt.finishedAt = 5
            try await commit()
        }

        mutating func endJob() async throws {
            jobAttempt.outcome = .success
            jobAttempt.finishedAt = 6
            try await commit()
        }

        func holder() async throws -> ArtifactHolder {
            try #require(try await database.artifactHolder(attempt.id, agent: AgentID(1)))
        }

        func publish(_ entries: [ArtifactEntry], _ reports: [TestReport] = []) async throws -> Bool {
            try await database.publishArtifacts(entries, reports: reports, of: try await holder(), at: 4)
        }

        func listed() async throws -> [String] { try await database.artifacts(of: run.id, job: nil).map(\.path) }
    }

    private func entry(_ path: String, _ content: Character = "a", until: Int64 = 1000) -> ArtifactEntry {
        ArtifactEntry(
            path: path, sha256: String(repeating: content, count: 64), size: 7, executable: path.hasSuffix("x"),
            expiresAt: until)
    }

    @Test func theEndOfTheJobAttemptPublishes() async throws {
        var bench = try await Bench()
        defer { bench.scratch.remove() }
        #expect(try await bench.publish([entry("out/x"), entry("out/b", "b")]))
        #expect(try await bench.listed().isEmpty)
        try await bench.endAttempt()
        #expect(try await bench.listed().isEmpty)
        try await bench.endJob()
        let rows = try await bench.database.artifacts(of: RunID(1), job: "build")
        #expect(rows.map(\.path) == ["out/b", "out/x"])
        #expect(rows[1].executable && rows[1].size == 7 && rows[1].job == "build" && rows[1].createdAt == 4)
        #expect(try await bench.database.artifacts(of: RunID(1), job: "other").isEmpty)
        #expect(try await bench.database.artifacts(of: RunID(2), job: nil).isEmpty)
    }

    @Test func whatAFailedStepSentDoesNotCount() async throws {
        var bench = try await Bench()
        defer { bench.scratch.remove() }
        #expect(try await bench.publish([entry("a")]))
        try await bench.endAttempt(.lost)
        try await bench.endJob()
        #expect(try await bench.listed().isEmpty)
    }

    @Test func aLaterAttemptOfTheStepReplaces() async throws {
        var bench = try await Bench()
        defer { bench.scratch.remove() }
        #expect(try await bench.publish([entry("old"), entry("both")]))
        #expect(try await bench.publish([entry("first"), entry("both", "b")]), "the same again replaces as well")
        try await bench.endAttempt(.lost)
        bench.attempt.id = AttemptID(150)
        bench.attempt.number = 2
        bench.attempt.phase = .running
        bench.attempt.outcome = nil
        bench.attempt.finishedAt = nil
        var group = batch(counters: 1000)
        group.attempts = [bench.attempt]
        try await bench.database.commit(group)
        #expect(try await bench.publish([entry("new"), entry("both", "c")]))
        bench.attempt.phase = .finished
        bench.attempt.outcome = .success
        bench.jobAttempt.outcome = .success
        bench.jobAttempt.finishedAt = 6
        group.attempts = [bench.attempt]
        group.jobAttempts = [bench.jobAttempt]
        try await bench.database.commit(group)
        #expect(try await bench.listed() == ["both", "new"])
        #expect(try await bench.database.isArtifactReferenced(sha256: String(repeating: "b", count: 64)) == false)
    }

    @Test func onlyALiveAttemptOfThatAgentHolds() async throws {
        var bench = try await Bench()
        defer { bench.scratch.remove() }
        let holder = try await bench.holder()
        #expect(holder.project == .main && holder.pipeline == PipelineID(1))
        #expect(try await bench.database.artifactHolder(AttemptID(1), agent: AgentID(2)) == nil)
        #expect(try await bench.database.artifactHolder(AttemptID(9), agent: AgentID(1)) == nil)
        try await bench.endAttempt()
        #expect(try await bench.database.artifactHolder(AttemptID(1), agent: AgentID(1)) == nil)
        #expect(try await bench.database.publishArtifacts([entry("a")], reports: [], of: holder, at: 4) == false)
        #expect(try await bench.database.isArtifactReferenced(sha256: String(repeating: "a", count: 64)) == false)
    }

    @Test func rowsGoWhenTheirTimeHasCome() async throws {
        var bench = try await Bench()
        defer { bench.scratch.remove() }
        let entries = (0..<5).map { entry("f\($0)", "a", until: 100 + Int64($0)) }
        #expect(try await bench.publish(entries))
        try await bench.endAttempt()
        try await bench.endJob()
        #expect(try await bench.database.expireArtifacts(at: 102, limit: 2) == 2)
        #expect(try await bench.database.expireArtifacts(at: 102, limit: 2) == 1)
        #expect(try await bench.listed() == ["f3", "f4"])
        #expect(try await bench.database.hasArtifact(sha256: String(repeating: "a", count: 64), in: .main))
        #expect(
            try await bench.database.hasArtifact(sha256: String(repeating: "a", count: 64), in: ProjectID(2)) == false)
        #expect(try await bench.database.expireArtifacts(at: 1000, limit: 10) == 2)
        #expect(try await bench.database.isArtifactReferenced(sha256: String(repeating: "a", count: 64)) == false)
    }

    // MARK: Tests

    private func result(_ name: String, _ outcome: TestOutcome = .passed, ms: Int64 = 10) -> TestResult {
        TestResult(
            suite: "unit", className: "A", name: name, outcome: outcome, durationMs: ms,
            message: outcome == .failed ? "why" : nil)
    }

    @Test func resultsAreListedCountedAndFound() async throws {
        var bench = try await Bench()
        defer { bench.scratch.remove() }
        let reports = [
            TestReport(
                step: "test", path: "r.xml", results: [result("a"), result("b", .failed), result("c", .skipped)]),
            TestReport(step: "test", path: "s.xml", fault: "It is broken.", results: [result("Ünit", .error)]),
        ]
        #expect(try await bench.publish([], reports))
        #expect(try await bench.database.testSummary(of: RunID(1)).total == 0, "not before the job attempt ends")
        try await bench.endAttempt()
        try await bench.endJob()
        var summary = TestSummary()
        (summary.total, summary.passed, summary.failed, summary.errors, summary.skipped) = (4, 1, 1, 1, 1)
        summary.durationMs = 40
        summary.faults = ["build/s.xml: It is broken."]
        #expect(try await bench.database.testSummary(of: RunID(1)) == summary)
        let all = try await bench.database.tests(of: RunID(1), TestFilter(), page: 1, perPage: 10)
        #expect(all.total == 4)
        #expect(all.items.map(\.result.name) == ["b", "Ünit", "a", "c"])
        #expect(all.items[0].result.message == "why" && all.items[0].job == "build" && all.items[0].report == "r.xml")
        func names(_ filter: TestFilter) async throws -> [String] {
            try await bench.database.tests(of: RunID(1), filter, page: 1, perPage: 10).items.map(\.result.name)
        }
        #expect(try await names(TestFilter(outcome: .failed)) == ["b"])
        #expect(try await names(TestFilter(text: "UNIT")).count == 4)
        #expect(try await names(TestFilter(job: "other")).isEmpty)
        #expect(try await bench.database.tests(of: RunID(1), TestFilter(), page: 2, perPage: 3).items.count == 1)
    }

    @Test func aTestHasAHistoryOverRuns() async throws {
        var first = try await Bench()
        defer { first.scratch.remove() }
        #expect(try await first.publish([], [TestReport(step: "t", path: "r", results: [result("a", .failed)])]))
        try await first.endAttempt()
        try await first.endJob()
        var second = try await Bench(run: 2, scratchOf: first)
        #expect(try await second.publish([], [TestReport(step: "t", path: "r", results: [result("a", ms: 30)])]))
        try await second.endAttempt()
        try await second.endJob()
        let test = try #require(
            try await first.database.tests(of: RunID(2), TestFilter(), page: 1, perPage: 1).items.first?.test)
        let history = try #require(try await first.database.testHistory(test, of: PipelineID(1), limit: 10))
        #expect(history.results.map(\.run) == [RunID(2), RunID(1)])
        #expect(history.results.map(\.outcome) == [.passed, .failed])
        #expect(history.results[1].message == "why" && history.test.durationMs == 30)
        #expect(try await first.database.testHistory(test, of: PipelineID(2), limit: 10) == nil)
        #expect(try await first.database.testHistory(77, of: PipelineID(1), limit: 10) == nil)
    }
}
