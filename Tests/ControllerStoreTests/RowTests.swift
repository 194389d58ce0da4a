import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct RowTests {
    /// Every field set, each to another value, with the words and numbers that are easiest to get wrong.
    static func full() -> CommitBatch {
        var full = batch(clock: 77)
        full.plans = [RunID(1): plan()]
        full.runs = [
            RunRow(
                id: RunID(1), project: .main, pipeline: PipelineID(1), pipelineName: "ä'\"%", pipelineVersion: 3,
                number: 7, phase: .stopping, outcome: .timedOut, cause: .agentStateLost, message: "m\n", event: "push",
                ref: "refs/heads/x", branch: "x", tag: "v1", commit: "abc", inputs: ["a": "1", "ü": "\u{0}z"],
                priority: -5, actor: "admin", trusted: false, origin: RunID(99), rerun: .from, group: "g",
                groupSince: 15,
                createdAt: 11, startedAt: 12, finishedAt: 13, cancelledBy: "someone",
                cancelReason: "why", seq: 4, deadline: .max)
        ]
        full.jobs = [
            JobRow(
                id: JobID(2), run: RunID(1), index: 0, name: "build", phase: .running, outcome: .warning, cause: .exit,
                message: "j", attempt: JobAttemptID(3), agent: AgentID(1), attempts: 2, queuedAt: 21, startedAt: 22,
                finishedAt: 23, deadline: 24, queuedSince: 25, environment: "production", group: "h", groupSince: 26,
                retries: 27, retryAt: 28, carriedFrom: JobAttemptID(29), carriedOutputs: ["o": "p"])
        ]
        full.jobAttempts = [
            JobAttemptRow(
                id: JobAttemptID(3), job: JobID(2), run: RunID(1), agent: AgentID(1), number: 1, outcome: .lost,
                cause: .agentGone, message: "m", startedAt: 31, finishedAt: 32, outputs: ["q": "r"])
        ]
        full.steps = [
            StepRow(
                id: StepID(4), job: JobID(2), run: RunID(1), index: 0, name: "test", phase: .finished,
                outcome: .failed, cause: .exit, message: "s", attempt: AttemptID(5), attempts: 6, exitCode: .min,
                startedAt: 41, finishedAt: 42, retries: 43, retryAt: 44)
        ]
        full.attempts = [
            AttemptRow(
                id: AttemptID(5), step: StepID(4), job: JobID(2), jobAttempt: JobAttemptID(3), run: RunID(1),
                agent: AgentID(1), number: 1, phase: .finished, outcome: .failed, cause: .signal, message: "a",
                exitCode: -1, signal: 9, createdAt: 51, startedAt: 52, finishedAt: 53, stopReason: .superseded,
                deadline: 54,
                usage: Usage(cpuUserMs: 1, cpuSystemMs: 2, memoryPeakBytes: .max, wallMs: 4), logState: .damaged,
                logBytes: .max, logLines: 56, logSHA256: "ff", logDropped: nil, outputs: ["k": "v"])
        ]
        full.approvals = [
            ApprovalRow(
                run: RunID(1), state: .expired, by: "someone", reason: "r", askedAt: 81, answeredAt: 82, deadline: 83),
            ApprovalRow(
                run: RunID(1), job: JobID(2),
                inputs: ["a": .number(1.5), "b": .boolean(true), "c": .text("1")], askedAt: 84, deadline: .max),
        ]
        full.agents = [
            AgentRow(
                id: AgentID(1), name: "a1", key: "k1", labels: ["x": "y"], slots: 9, version: "1.2",
                containment: "best effort", storeID: "store", paused: true, note: "n", draining: true, revoked: true,
                createdAt: 5, lastSeenAt: 61)
        ]
        full.events = [
            EventRow(
                id: 1, run: RunID(1), pipeline: PipelineID(1), project: .main, seq: 1, at: 71, kind: .step,
                data: Array("{\"a\":1}".utf8))
        ]
        full.idempotency = [IdempotencyRow(key: "admin/x", run: RunID(1), at: 1_000_000)]
        return full
    }

    @Test func everyFieldComesBack() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        let full = Self.full()
        try await database.commit(full)

        let detail = try #require(try await database.runDetail(RunID(1)))
        #expect(detail.run == full.runs[0])
        #expect(detail.plan == plan())
        #expect(detail.jobs == full.jobs)
        #expect(detail.steps == full.steps)
        #expect(detail.jobAttempts == full.jobAttempts)
        #expect(detail.attempts == full.attempts)
        #expect(detail.approvals == full.approvals)
        #expect(detail.agentNames == [AgentID(1): "a1"])
        #expect(try await database.agents() == full.agents)
        #expect(try await database.events(of: RunID(1), after: 0, limit: 10) == full.events)
        #expect(try await database.events(of: RunID(1), after: 1, limit: 10) == [])
        #expect(try await database.events(after: 0, pipeline: PipelineID(1), limit: 10) == full.events)
        #expect(try await database.events(after: 0, pipeline: PipelineID(2), limit: 10) == [])
        #expect(try await database.events(after: 0, pipeline: nil, limit: 0) == [])
        #expect(try await database.idempotentRun("admin/x") == RunID(1))
        #expect(try await database.attempt(AttemptID(5)) == full.attempts[0])
        #expect(try await database.attempt(AttemptID(6)) == nil)
        let snapshot = try await database.load()
        #expect(snapshot.clock == 77)
        #expect(snapshot.runs.first?.approvals == full.approvals)
        #expect(snapshot.counters == full.counters)
        #expect(snapshot.runNumbers == [PipelineID(1): 7])
        #expect(snapshot.idempotency == full.idempotency)
    }

    @Test func emptyFieldsComeBackEmpty() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        var bare = batch()
        bare.plans = [RunID(1): plan()]
        bare.runs = [bareRun(1)]
        bare.jobs = [JobRow(id: JobID(1), run: RunID(1), index: 0, name: "j")]
        bare.jobAttempts = [
            JobAttemptRow(
                id: JobAttemptID(1), job: JobID(1), run: RunID(1), agent: AgentID(1), number: 1, startedAt: 1)
        ]
        bare.steps = [StepRow(id: StepID(1), job: JobID(1), run: RunID(1), index: 0, name: "s")]
        bare.attempts = [
            AttemptRow(
                id: AttemptID(1), step: StepID(1), job: JobID(1), jobAttempt: JobAttemptID(1), run: RunID(1),
                agent: AgentID(1), number: 1, createdAt: 1, deadline: 2)
        ]
        try await database.commit(bare)
        let run = try #require(try await database.load().runs.first)
        #expect(run.row == bare.runs[0])
        #expect(run.jobs == bare.jobs)
        #expect(run.steps == bare.steps)
        #expect(run.jobAttempts == bare.jobAttempts)
        #expect(run.attempts == bare.attempts)
    }

    @Test func theStoredStatusIsTheStatusOfTheCode() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        var all = batch()
        for phase in Phase.allCases {
            for outcome in Outcome.allCases.map(Optional.some) + [nil] where phase != .finished || outcome != nil {
                var run = bareRun(Int64(all.runs.count + 1))
                run.phase = phase
                run.outcome = outcome
                all.runs.append(run)
            }
        }
        try await database.commit(all)
        for status in Status.allCases {
            var filter = RunFilter()
            filter.status = status
            let page = try await database.runs(filter, page: 1, perPage: 100)
            let expected = all.runs.filter { Status(phase: $0.phase, outcome: $0.outcome) == status }
            #expect(page.items == expected.reversed())
            #expect(page.total == expected.count)
        }
    }
}
