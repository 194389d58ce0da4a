import AnsFlowProtocol
import ControllerCore
import Testing

/// The state table of the pipeline language: every phase with every result that belongs to it is reached, in stored rows.
///
/// `created` is in no row: it is the moment within the transaction that makes a run, which leaves it waiting.
@Suite struct StateTableTests {
    private static let runs: Set<String> = [
        "queued", "blocked", "running", "running failed", "stopping cancelled", "stopping failed",
        "finished success", "finished warning", "finished failed", "finished cancelled", "finished skipped",
        "finished invalid",
    ]
    private static let jobs: Set<String> = [
        "blocked needs", "blocked approval", "blocked group", "queued agent", "queued retry", "running",
        "running success", "running failed", "running warning", "stopping", "stopping cancelled", "stopping timed_out",
        "finished success", "finished warning", "finished failed", "finished cancelled", "finished skipped",
        "finished timed_out", "finished lost", "finished error",
    ]
    private static let steps: Set<String> = [
        "blocked", "queued agent", "queued retry", "starting", "running", "unreachable", "stopping",
        "finished success", "finished warning", "finished failed", "finished cancelled", "finished skipped",
        "finished timed_out", "finished lost", "finished error",
    ]

    /// What rows have shown so far.
    private struct Seen {
        var runs: Set<String> = []
        var jobs: Set<String> = []
        var steps: Set<String> = []

        mutating func look(_ rig: Rig) {
            for row in rig.rows.runs.values { runs.insert(Self.word(row.phase, row.outcome)) }
            for row in rig.rows.jobs.values {
                var word = Self.word(row.phase, row.outcome)
                if row.phase == .blocked {
                    let asks = rig.rows.approvals[row.run]?[row.id]?.state == .waiting
                    word += asks ? " approval" : row.groupSince != nil ? " group" : " needs"
                }
                if row.phase == .queued { word += row.retryAt == nil ? " agent" : " retry" }
                jobs.insert(word)
            }
            for row in rig.rows.steps.values {
                var word = Self.word(row.phase, row.outcome)
                if row.phase == .queued { word += row.retryAt == nil ? " agent" : " retry" }
                steps.insert(word)
            }
        }

        private static func word(_ phase: Phase, _ outcome: Outcome?) -> String {
            phase.rawValue + (outcome.map { " \($0.rawValue)" } ?? "")
        }
    }

    /// Each line is a run: its jobs, and what happens to it. `Rig` numbers attempts from 1.
    private static var stories: [(jobs: [JobPlan], happen: (inout Rig) -> Void)] {
        [
            (
                [Make.job("a"), Make.job("b", needs: ["a"])],
                { rig in
                    rig.connect()
                    rig.started(1)
                    rig.finish(1)
                    rig.finish(2)
                }
            ),
            (
                [job(finally: true)],
                { rig in
                    rig.connect()
                    for attempt in [AttemptID(1), 2] { rig.started(attempt); rig.finish(attempt) }
                }
            ),
            (
                [job(finally: true), Make.job("b")],
                { rig in
                    rig.connect(slots: 1)
                    rig.started(1)
                    rig.finish(1, .failed)
                    rig.finish(2)
                }
            ),
            (
                [job(finally: true, allow: true)],
                { rig in
                    rig.connect()
                    rig.started(1)
                    rig.finish(1, .failed)
                    rig.finish(2)
                }
            ),
            (
                [Make.job("a", [Make.step("s", allow: true)])],
                { rig in
                    rig.connect()
                    rig.finish(1, .failed)
                }
            ),
            (
                [job(finally: true)],
                { rig in
                    rig.connect()
                    rig.started(1)
                    _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) }
                    rig.finish(1, .cancelled, .cancelledByUser)
                    rig.finish(2)
                }
            ),
            (
                [job(finally: true, timeoutMs: 5_000)],
                { rig in
                    rig.connect()
                    rig.started(1)
                    rig.tick(seconds: 5)
                    rig.finish(1, .timedOut, .timeout)
                    rig.finish(2)
                }
            ),
            ([Make.job("a", if: Make.never)], { _ in }),
            (
                [Make.job("a", [Make.step("s", if: Make.never), Make.step("t")])],
                { rig in
                    rig.connect()
                    rig.disconnect()
                    rig.tick(seconds: 20)
                    _ = rig.group { $0.agentGone(1, by: "me", reason: nil) }
                }
            ),
            (
                [job(retry: RetryPlan(max: 1, backoffMs: 5_000))],
                { rig in
                    rig.connect()
                    rig.finish(1, .failed)
                }
            ),
            (
                [Make.job("a", [stepRetry])],
                { rig in
                    rig.connect()
                    rig.finish(1, .failed)
                }
            ),
            (
                [Make.job("a", [Make.step("s"), Make.step("t")])],
                { rig in
                    rig.connect()
                    rig.finish(1, .timedOut, .timeout)
                    rig.finish(2, .error, .startFailed)
                }
            ),
            (
                [Make.job("a", [Make.step("s"), Make.step("t", needs: ["s"], if: Make.always)])],
                { rig in
                    // What it ran is given up; the next step waits for the agent.
                    rig.connect()
                    rig.started(1)
                    rig.disconnect()
                    rig.tick(seconds: 100)
                }
            ),
            (
                [Make.job("a", [Make.step("s"), Make.step("t", needs: ["s"])])],
                { rig in
                    rig.connect()
                    rig.finish(1, outputs: ["x": String(repeating: "y", count: 40_000)])
                    rig.finish(2, outputs: ["z": String(repeating: "y", count: 40_000)])
                }
            ),
            ([gate], { rig in _ = rig.connect() }),
            ([grouped("a"), grouped("b")], { rig in _ = rig.connect() }),
        ]
    }

    private static func job(
        finally: Bool = false, retry: RetryPlan? = nil, allow: Bool = false, timeoutMs: UInt64 = 3_600_000
    ) -> JobPlan {
        var job = Make.job(
            "a", timeoutMs: timeoutMs, allow: allow, [Make.step("s")] + (finally ? [StageTests.finally("f")] : []))
        job.retry = retry
        return job
    }

    private static var stepRetry: StepPlan {
        var step = Make.step("s")
        step.retry = RetryPlan(max: 1, backoffMs: 5_000)
        return step
    }

    private static var gate: JobPlan {
        var job = Make.job("a")
        job.approval = ApprovalPlan()
        return job
    }

    private static func grouped(_ name: String) -> JobPlan {
        var job = Make.job(name)
        job.concurrency = ConcurrencyPlan(group: "g")
        return job
    }

    @Test func everyRowIsReached() {
        var seen = Seen()
        for story in Self.stories {
            var rig = Rig(slots: 2)
            rig.watch = { seen.look($0) }
            rig.create(story.jobs)
            story.happen(&rig)
        }
        var rig = Rig()
        rig.watch = { seen.look($0) }
        rig.connect()
        var request = Make.request([Make.job("a")], timeoutMs: 3_000)
        request.plan.facts.trusted = false
        _ = rig.group { $0.createRun(request) }
        request.plan.facts.trusted = true
        _ = rig.group { $0.createRun(request) }
        rig.tick(seconds: 4)
        request.fault = "line 3: unknown word"
        _ = rig.group { $0.createRun(request) }
        #expect(rig.rows.runs.values.contains { $0.outcome == .invalid && $0.message == "line 3: unknown word" })
        #expect(Self.runs.subtracting(seen.runs) == [])
        #expect(Self.jobs.subtracting(seen.jobs) == [])
        #expect(Self.steps.subtracting(seen.steps) == [])
        // And nothing that is not in the table.
        #expect(seen.runs.subtracting(Self.runs) == [])
        #expect(seen.jobs.subtracting(Self.jobs) == [])
        #expect(seen.steps.subtracting(Self.steps) == [])
    }
}
