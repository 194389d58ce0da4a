import AnsFlowProtocol
import ControllerCore
import Testing

/// Clean-up, what collects, retries: the stages of a job.
@Suite struct StageTests {
    static func finally(_ id: String, allow: Bool = false) -> StepPlan {
        StepPlan(
            id: id, stage: .finally, action: .run(commands: ["true"], shell: .sh), timeoutMs: 20_000, graceMs: 1_000,
            allowFailure: allow ? .always : .never)
    }

    static func store(_ when: ArtifactRule.When) -> StepPlan {
        StepPlan(
            id: StepPlan.storeID, stage: .collect,
            action: .storeArtifacts([ArtifactRule(paths: ["out"], when: when)], reports: []), timeoutMs: 20_000,
            graceMs: 1_000)
    }

    static func job(_ steps: [StepPlan]) -> JobPlan { Make.job("a", steps) }

    static func job(_ retry: RetryPlan, _ steps: [StepPlan]) -> JobPlan {
        var job = Make.job("a", steps)
        job.retry = retry
        return job
    }

    /// A job with everything in it, under every sequence of events.
    @Test func holdsItsRulesUnderEverySequence() {
        var step = Make.step("s")
        step.retry = RetryPlan(max: 1, exitCodes: [7], backoffMs: 1_000)
        var gated = Make.job("b", needs: ["a"])
        gated.approval = ApprovalPlan(expiresMs: 5_000)
        gated.concurrency = ConcurrencyPlan(group: "g")
        let plan = RunPlan(
            name: "p",
            jobs: [
                Self.job(RetryPlan(max: 1, on: [.agentLost, .timeout], backoffMs: 500), [step, Self.finally("f")]),
                gated,
            ])
        var count = 0
        func visit(_ story: Story, depth: Int) {
            count += 1
            Self.check(story)
            guard depth > 0 else { return story.expectsToEnd() }
            for event in story.possible {
                var next = story
                next.happen(event)
                if story.run.isFinished { #expect(next.run.row == story.run.row) }
                visit(next, depth: depth - 1)
            }
        }
        visit(Story(plan), depth: 4)
        // Deeper where it matters: from a step that has failed, a job that was lost, a cancel.
        for prefix in [
            [Story.Event.assign(0), .success, .success], [.assign(0), .lost], [.assign(0), .failed, .due],
            [.assign(0), .started, .cancel], [.assign(0), .success, .success, .assign(0), .approve, .admit],
        ] {
            var story = Story(plan)
            for event in prefix where !(story.queued.isEmpty && { if case .assign = event { true } else { false } }()) {
                story.happen(event)
            }
            visit(story, depth: 4)
        }
        #expect(count > 5_000)
    }

    private static func check(_ story: Story) {
        for (index, job) in story.run.jobs.enumerated() {
            #expect(job.holdsSlot == story.slots.contains(index))
            let attempts = job.steps.filter { $0.isLive }
            if !attempts.isEmpty { #expect(job.holdsSlot) }
            // Clean-up begins behind everything else, and never on what was lost.
            for (place, step) in job.steps.enumerated() where story.run.plan.jobs[index].steps[place].stage == .finally
            {
                guard step.isLive else { continue }
                let others = job.steps.indices.filter { $0 != place }
                #expect(others.allSatisfy { job.steps[$0].row.phase == .finished })
                #expect(others.allSatisfy { job.steps[$0].row.outcome != .lost })
            }
            if job.isFinished { #expect(job.steps.allSatisfy { $0.row.phase == .finished && !$0.isLive }) }
            if job.row.retryAt != nil { #expect(!job.holdsSlot && job.row.phase == .queued) }
            #expect(job.row.retries <= 1)
        }
    }

    private func story(_ job: JobPlan, _ events: [Story.Event]) -> Story {
        var story = Story([job])
        for event in events { story.happen(event) }
        return story
    }

    @Test func cleanUpRunsWhateverHappened() {
        let job = Self.job([Make.step("s"), Self.finally("f1"), Self.finally("f2")])
        for (events, outcome) in [
            ([Story.Event.success], Outcome.success), ([.failed], .failed), ([.started, .cancel, .failed], .cancelled),
            ([.started, .expire(0), .failed], .timedOut),
        ] {
            var story = story(job, [.assign(0)] + (events.count == 1 ? [.started] : []) + events)
            #expect(story.live.map(\.step) == [1], "one behind the other")
            #expect(!story.run.isFinished && story.run.jobs[0].row.outcome == outcome, "\(outcome) is visible early")
            if outcome != .success { #expect(story.run.row.outcome != nil) }
            story.happen(.failed)
            #expect(story.live.map(\.step) == [2], "a failed one hinders nothing")
            story.happen(.success)
            #expect(story.run.isFinished)
            let wanted: Outcome = outcome == .success ? .warning : outcome
            #expect(story.run.jobs[0].row.outcome == wanted)
            if outcome == .success { #expect(story.run.jobs[0].row.cause == .cleanupFailed) }
        }
    }

    @Test func cleanUpIsSkippedWhereItMustBe() {
        let job = Self.job([Make.step("s"), Self.finally("f")])
        #expect(story(job, [.assign(0), .started, .lost]).run.jobs[0].steps[1].row.outcome == .skipped)
        #expect(story(job, [.assign(0), .cancel, .never]).run.jobs[0].steps[1].row.outcome == .skipped)
        #expect(story(job, [.cancel]).run.isFinished)
        let skip = story(job, [.assign(0), .started, .skipFinally, .failed])
        #expect(skip.run.isFinished && skip.run.jobs[0].steps[1].row.outcome == .cancelled)
        // A second plain cancel changes nothing; one that skips does.
        var two = story(job, [.assign(0), .started, .cancel, .failed, .cancel])
        #expect(two.live.map(\.step) == [1] && two.run.jobs[0].steps[1].attempt?.isStopping == false)
        two.happen(.skipFinally)
        #expect(two.run.jobs[0].steps[1].attempt?.isStopping == true)
        two.happen(.failed)
        #expect(two.run.row.outcome == .cancelled && two.run.isFinished)
        let none = Self.job([Make.step("s", if: Make.never), Self.finally("f")])
        #expect(story(none, [.assign(0)]).run.jobs[0].steps[1].row.outcome == .skipped)
    }

    @Test func aCancelDuringCleanUpKeepsTheResult() {
        let job = Self.job([Make.step("s"), Self.finally("f")])
        var story = story(job, [.assign(0), .started, .success, .started, .cancel])
        #expect(story.live.count == 1 && story.run.jobs[0].steps[1].attempt?.isStopping == false)
        story.happen(.success)
        #expect(story.run.jobs[0].row.outcome == .success && story.run.row.outcome == .cancelled)
    }

    @Test func artifactsFollowTheResult() {
        func stored(_ when: ArtifactRule.When, _ end: Story.Event) -> Outcome? {
            var story = story(Self.job([Make.step("s"), Self.store(when)]), [.assign(0), .started, end])
            if !story.live.isEmpty { story.happen(.success) }
            return story.run.jobs[0].steps[1].row.outcome
        }
        #expect(stored(.success, .success) == .success && stored(.success, .failed) == .skipped)
        #expect(stored(.failure, .success) == .skipped && stored(.failure, .failed) == .success)
        #expect(stored(.always, .success) == .success && stored(.always, .failed) == .success)
        #expect(stored(.always, .lost) == .skipped)
        let broken = story(
            Self.job([Make.step("s"), Self.store(.success)]), [.assign(0), .started, .success, .failed])
        #expect(broken.run.row.message == "job a: step store-artifacts exited with 7")
    }

    @Test func aStepIsTriedAgainInItsWorkspace() {
        var step = Make.step("s")
        step.retry = RetryPlan(max: 2, on: [.exit, .timeout], exitCodes: [75], backoffMs: 1_000)
        let job = Self.job([step])
        var story = story(job, [.assign(0), .exit(75)])
        #expect(story.live.isEmpty && story.run.jobs[0].steps[0].row.phase == .queued)
        let first = story.run.jobs[0].steps[0].row
        #expect(first.retries == 1 && first.retryAt == story.now + 1_000 + EngineLimits.tickMsMax)
        #expect(first.message == "attempt 1 exited with 75; it is tried again")
        story.happen(.due)
        #expect(story.live.count == 1 && story.run.jobs[0].attempt?.number == 1)
        story.happen(.exit(75))
        #expect(story.run.jobs[0].steps[0].row.retryAt == story.now + 2_000 + EngineLimits.tickMsMax, "twice as long")
        story.happen(.due)
        story.happen(.exit(75))
        #expect(story.run.row.outcome == .failed, "the budget is spent")
        #expect(self.story(job, [.assign(0), .exit(1)]).run.row.outcome == .failed, "another code")
        #expect(self.story(job, [.assign(0), .lost]).run.row.outcome == .failed, "losing an agent is the job's")
        var never = self.story(job, [.assign(0), .never, .exit(75)])
        #expect(never.run.jobs[0].steps[0].row.retries == 1, "what never started costs nothing")
        never.happen(.cancel)
        #expect(never.run.isFinished && never.run.row.outcome == .cancelled, "a cancel ends the waiting at once")
    }

    @Test func aJobIsTriedAgainFromItsFirstStep() {
        let retry = RetryPlan(max: 1, on: [.agentLost], backoffMs: 3_000)
        let job = Self.job(retry, [Make.step("s1"), Make.step("s2", needs: ["s1"])])
        var story = story(job, [.assign(0), .success, .started, .lost])
        let row = story.run.jobs[0].row
        #expect(
            row.phase == .queued && row.retryAt == story.now + 3_000 + EngineLimits.tickMsMax && row.outcome == nil
                && row.retries == 1)
        #expect(story.slots.isEmpty && story.queued.isEmpty && story.run.row.outcome == nil)
        #expect(story.run.jobs[0].attempt?.outcome == .lost)
        story.happen(.due)
        #expect(story.queued == [0])
        for event in [Story.Event.assign(0), .success, .success] { story.happen(event) }
        #expect(story.run.row.outcome == .success && story.run.jobs[0].row.attempts == 2)
        #expect(story.run.jobs[0].steps[0].row.attempts == 2)
        var twice = self.story(job, [.assign(0), .lost, .due, .assign(0), .lost])
        #expect(twice.run.row.outcome == .failed && twice.run.jobs[0].row.outcome == .lost)
        twice = self.story(job, [.assign(0), .lost, .cancel])
        #expect(twice.run.isFinished && twice.run.row.outcome == .cancelled)
        #expect(self.story(job, [.assign(0), .failed]).run.row.outcome == .failed, "no reason of this rule")
    }

    @Test func aJobsRetryNeedsEveryFailureToBeCovered() {
        let job = Self.job(RetryPlan(max: 3, exitCodes: [75]), [Make.step("s1"), Make.step("s2")])
        #expect(story(job, [.assign(0), .exit(75), .exit(75)]).queued == [0])
        #expect(story(job, [.assign(0), .exit(75), .exit(1)]).run.row.outcome == .failed)
        let timed = Self.job(RetryPlan(max: 1, on: [.timeout]), [Make.step("s")])
        #expect(story(timed, [.assign(0), .started, .expire(0), .failed]).queued == [0])
    }

    @Test func allowedExitCodesAreAWarning() {
        var step = Make.step("s")
        step.allowFailure = .exitCodes([42])
        #expect(story(Self.job([step]), [.assign(0), .exit(42)]).run.row.outcome == .warning)
        #expect(story(Self.job([step]), [.assign(0), .exit(1)]).run.row.outcome == .failed)
        var job = Self.job([Make.step("s")])
        job.allowFailure = .exitCodes([42])
        #expect(story(job, [.assign(0), .exit(42)]).run.row.outcome == .warning)
        #expect(story(job, [.assign(0), .exit(41)]).run.row.outcome == .failed)
        #expect(story(job, [.assign(0), .lost]).run.row.outcome == .failed)
    }

    @Test func edgesMayAllowFailure() {
        for end in [Story.Event.failed, .lost] {
            var needing = Make.job("b")
            needing.needs = [NeedPlan("a", allowFailure: true)]
            var story = Story([Make.job("a"), needing])
            for event in [.assign(0), end] { story.happen(event) }
            #expect(story.queued == [1] && story.run.row.outcome == .failed, "the run has failed already")
        }
        var second = Make.step("s2")
        second.needs = [NeedPlan("s1", allowFailure: true)]
        let steps = story(Self.job([Make.step("s1"), second]), [.assign(0), .failed])
        #expect(steps.live.map(\.step) == [1])
    }

    @Test func messagesSayWhatAndHow() {
        let job = Make.job("a", timeoutMs: 90_000)
        #expect(
            story(job, [.assign(0), .started, .expire(0), .failed]).run.row.message
                == "job a: it took longer than its timeout of 1m 30s")
        #expect(story(job, [.expire(0)]).run.row.message == "job a: no agent took it within 1d")
    }
}
