import AnsFlowProtocol
import ControllerCore
import Testing

@Suite struct RunLifecycleTests {
    /// Two jobs, of which the second needs the first; steps side by side and one behind the other.
    static let jobs = [
        Make.job("a", [Make.step("a1"), Make.step("a2"), Make.step("a3", needs: ["a1"], if: Make.always)]),
        Make.job("b", needs: ["a"], [Make.step("b1")]),
    ]

    @Test func holdsItsRulesUnderEverySequence() {
        var count = 0
        var phases: Set<Phase> = []
        var outcomes: Set<Outcome> = []
        func visit(_ story: Story, depth: Int) {
            count += 1
            phases.formUnion(story.run.jobs.flatMap { $0.steps.map(\.row.phase) + [$0.row.phase] })
            outcomes.formUnion(story.run.jobs.flatMap { $0.steps.compactMap(\.row.outcome) })
            Self.check(story)
            guard depth > 0 else { return story.expectsToEnd() }
            for event in story.possible {
                var next = story
                next.happen(event)
                Self.checkFinal(story, next)
                visit(next, depth: depth - 1)
            }
        }
        visit(Story(Self.jobs), depth: 5)
        #expect(count > 10_000)
        #expect(phases.isSuperset(of: [.blocked, .queued, .starting, .running, .unreachable, .stopping, .finished]))
        #expect(outcomes.isSuperset(of: [.success, .failed, .cancelled, .skipped, .lost]))
    }

    private static func check(_ story: Story) {
        let run = story.run
        #expect(run.isFinished == (story.ended == 1))
        #expect(run.isFinished == run.jobs.allSatisfy(\.isFinished))
        for (index, job) in run.jobs.enumerated() {
            if job.isFinished { #expect(job.steps.allSatisfy { $0.row.phase == .finished && !$0.isLive }) }
            #expect(job.holdsSlot == story.slots.contains(index))
            #expect((job.row.phase == .queued) == story.queued.contains(index))
            #expect((job.row.outcome != nil) == job.isFinished)
            for step in job.steps {
                #expect((step.row.outcome != nil) == (step.row.phase == .finished))
                if step.isLive { #expect(job.holdsSlot && step.row.attempt == step.attempt?.row.id) }
            }
        }
    }

    private static func checkFinal(_ before: Story, _ after: Story) {
        if before.run.isFinished { #expect(after.run.row == before.run.row) }
        for (old, new) in zip(before.run.jobs, after.run.jobs) {
            if old.isFinished { #expect(old.row == new.row && old.attempt == new.attempt, "a job's end changed") }
            for (old, new) in zip(old.steps, new.steps) where old.row.phase == .finished {
                #expect(old.row == new.row, "a step's end changed")
            }
        }
    }

    @Test func outcomesAddUp() {
        func end(_ jobs: [JobPlan], _ script: [Story.Event]) -> RunRow {
            var story = Story(jobs)
            for event in script { story.happen(event) }
            return story.run.row
        }
        let one = [Make.job("a")]
        #expect(end(one, [.assign(0), .success]).outcome == .success)
        #expect(end(one, [.assign(0), .failed]).outcome == .failed)
        #expect(end(one, [.assign(0), .failed]).message == "job a: step a1 exited with 7")
        #expect(end(one, [.assign(0), .lost]).cause == .agentGone)
        #expect(end(one, [.cancel]).outcome == .cancelled)
        #expect(end(one, [.assign(0), .cancel, .success]).outcome == .cancelled)
        #expect(end(one, [.deadline]).cause == .timeout)
        #expect(end([Make.job("a", allow: true)], [.assign(0), .failed]).outcome == .warning)
        #expect(end([Make.job("a", [Make.step("s", allow: true)])], [.assign(0), .failed]).outcome == .warning)
        #expect(end([Make.job("a", if: Make.never)], []).outcome == .skipped)
        #expect(end([], []).outcome == .skipped)
        #expect(end([Make.job("a", [])], [.assign(0)]).outcome == .success)
        let chain = [Make.job("a"), Make.job("b", needs: ["a"])]
        #expect(end(chain, [.assign(0), .failed]).outcome == .failed)
    }

    @Test func whatNeedsACancelledJobIsCancelledToo() {
        // The needing job stands before and behind the needed one: the file's order must not show.
        for jobs in [
            [Make.job("a", [Make.step("s", if: Make.never)]), Make.job("b", needs: ["a"])],
            [Make.job("b", needs: ["a"]), Make.job("a", [Make.step("s", if: Make.never)])],
            [Make.job("a"), Make.job("b", needs: ["a"])],
        ] {
            var story = Story(jobs)
            story.happen(.cancel)
            #expect(story.run.jobs.allSatisfy { $0.row.outcome == .cancelled && $0.row.cause == .cancelledByUser })
        }
    }

    @Test func stepsRunSideBySideUpToTheLimit() {
        let steps = (1...5).map { Make.step("s\($0)") }
        var story = Story([Make.job("a", parallel: 2, steps)])
        story.happen(.assign(0))
        #expect(story.live.map(\.step) == [0, 1])
        story.happen(.success)
        #expect(story.live.map(\.step) == [1, 2])
        while !story.run.isFinished {
            #expect(story.live.count <= 2)
            story.happen(.success)
        }
        #expect(story.run.row.outcome == .success)
    }

    /// A step whose agent never started it is repeated at once, and from then on the job looks for an agent anew.
    @Test func aJobThatNeverBeganGoesBackToTheQueue() {
        var story = Story([Make.job("a")])
        story.happen(.assign(0))
        story.happen(.never)
        #expect(story.live.count == 1, "the first repetition comes at once")
        story.happen(.never)
        #expect(story.live.isEmpty && story.queued == [0] && story.slots.isEmpty)
        #expect(story.run.jobs[0].attempt?.cause == .neverStarted)
        story.happen(.assign(0))
        story.happen(.started)
        story.happen(.success)
        #expect(story.run.row.outcome == .success)
        #expect(story.run.jobs[0].row.attempts == 2)
    }

    @Test func aJobThatBeganStaysWithItsAgent() {
        var story = Story([Make.job("a", [Make.step("s1"), Make.step("s2", needs: ["s1"])])])
        for event in [Story.Event.assign(0), .success, .never, .never] { story.happen(event) }
        #expect(story.queued.isEmpty && story.slots == [0])
        #expect(story.run.stepsWantingAttempt(0) == [1] || story.live.count == 1)
    }
}
