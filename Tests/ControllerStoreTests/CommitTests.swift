import AnsFlowProtocol
import ControllerCore
import Foundation
import GRDB
import Testing

@testable import ControllerStore

@Suite struct CommitTests {
    private func opened() async throws -> (Scratch, Database) {
        let scratch = Scratch()
        let database = try scratch.open()
        try await database.seed()
        return (scratch, database)
    }

    private func refused(_ database: Database, _ batch: CommitBatch, _ part: String, line: Int = #line) async throws {
        let before = try await database.load()
        do throws(CommitFailure) {
            try await database.commit(batch)
            Issue.record("line \(line): it was committed")
        } catch {
            guard case .refused(let text) = error, text.contains(part) else {
                Issue.record("line \(line): \(error)")
                return
            }
        }
        let after = try await database.load()
        #expect(before == after, "nothing of a refused group stays")
    }

    @Test func aFinishedAttemptNeverChanges() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let full = RowTests.full()
        try await database.commit(full)
        try await database.commit(batchOf(full.attempts[0]))
        var changed = full.attempts[0]
        changed.outcome = .success
        try await refused(database, batchOf(changed), "never changes")
        changed = full.attempts[0]
        changed.logDropped = 0
        try await refused(database, batchOf(changed), "never changes")
        var attempt = batch()
        attempt.jobAttempts = full.jobAttempts
        attempt.jobAttempts[0].cause = .agentLost
        try await refused(database, attempt, "never changes")
    }

    private func batchOf(_ attempt: AttemptRow) -> CommitBatch {
        var batch = batch()
        batch.attempts = [attempt]
        return batch
    }

    @Test func whatWasAnsweredNeverChanges() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let full = RowTests.full()
        try await database.commit(full)
        // The same again is no change.
        var again = batch()
        again.approvals = full.approvals
        try await database.commit(again)
        again.approvals[0].state = .approved
        try await refused(database, again, "never changes")
        again.approvals = [full.approvals[1]]
        again.approvals[0].state = .approved
        again.approvals[0].by = "admin"
        again.approvals[0].answeredAt = 90
        try await database.commit(again)
        again.approvals[0].state = .waiting
        try await refused(database, again, "CHECK")
        again.approvals[0].answeredAt = nil
        try await refused(database, again, "never changes")
    }

    @Test func whereARunComesFromNeverChanges() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        var first = batch()
        first.plans = [RunID(1): plan()]
        first.runs = [bareRun(1)]
        try await database.commit(first)
        for change: (inout RunRow) -> Void in [
            { $0.trusted = false }, { $0.origin = RunID(7) }, { $0.rerun = .all },
        ] {
            var changed = batch()
            changed.runs = [first.runs[0]]
            change(&changed.runs[0])
            try await refused(database, changed, "differs")
        }
        var ended = batch()
        ended.runs = [first.runs[0]]
        ended.runs[0].phase = .finished
        ended.runs[0].outcome = .success
        try await database.commit(ended)
        ended.runs[0].groupSince = 4
        try await refused(database, ended, "never changes")
    }

    /// Its attempts stay as they are; the job and its steps go back and are tried again.
    @Test func aJobGoesBackFromItsEndToBeTriedAgain() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let full = RowTests.full()
        try await database.commit(full)
        var back = batch()
        back.jobs = full.jobs
        back.jobs[0].phase = .queued
        back.jobs[0].outcome = nil
        back.jobs[0].retryAt = 5000
        back.steps = full.steps
        back.steps[0].phase = .created
        back.steps[0].outcome = nil
        back.steps[0].exitCode = nil
        try await database.commit(back)
        let run = try #require(try await database.load().runs.first)
        #expect(run.jobs == back.jobs)
        #expect(run.steps == back.steps)
        #expect(run.attempts == full.attempts)
        var changed = batch()
        changed.jobAttempts = full.jobAttempts
        changed.jobAttempts[0].outputs = ["q": "other"]
        try await refused(database, changed, "never changes")
    }

    @Test func aJobHasOneLiveAttempt() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        var first = RowTests.full()
        first.jobAttempts[0].outcome = nil
        first.jobAttempts[0].finishedAt = nil
        try await database.commit(first)
        var second = first.jobAttempts[0]
        second.id = JobAttemptID(4)
        second.number = 2
        var again = batch(counters: 2_000_000)
        again.jobAttempts = [second]
        try await refused(database, again, "UNIQUE")
        second.id = JobAttemptID(1_000_000)
        again.jobAttempts = [second]
        try await refused(database, again, "UNIQUE")
        // Ending the first in the same transaction makes room, in any order of the rows.
        var ended = first.jobAttempts[0]
        ended.outcome = .lost
        ended.finishedAt = 40
        again.jobAttempts = [second, ended]
        try await database.commit(again)
    }

    @Test func numbersAndSequencesAreUnique() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        var first = batch(counters: 10)
        first.plans = [RunID(1): plan()]
        first.runs = [bareRun(1, number: 1)]
        first.events = [event(1, seq: 1)]
        try await database.commit(first)
        var next = batch(counters: 20)
        next.runs = [bareRun(10, number: 1)]
        try await refused(database, next, "UNIQUE")
        next.runs = []
        next.events = [event(10, seq: 1)]
        try await refused(database, next, "UNIQUE")
        next.events = []
        next.runs = [bareRun(2)]
        try await refused(database, next, "used before")
        next.runs = [bareRun(20)]
        try await refused(database, next, "below its counter")
        next.runs = [bareRun(11, pipeline: 5)]
        try await refused(database, next, "FOREIGN KEY")
        next.runs = [bareRun(1, number: 2)]
        try await refused(database, next, "differs")
        try await refused(database, batch(counters: 9), "go back")
    }

    private func event(_ id: Int64, seq: Int64) -> EventRow {
        EventRow(
            id: id, run: RunID(1), pipeline: PipelineID(1), project: .main, seq: seq, at: 1, kind: .execution,
            data: [])
    }

    @Test func theEngineNeverWritesNameAndKeyOfAnAgent() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        var agent = try #require(try await database.agent(AgentID(1)))
        agent.name = "other"
        agent.key = "stolen"
        agent.paused = true
        var change = batch()
        change.agents = [agent]
        let stamp = database.agentsVersion
        try await database.commit(change)
        #expect(database.agentsVersion > stamp)
        let stored = try #require(try await database.agent(AgentID(1)))
        #expect(stored.name == "a1" && stored.key == "k1" && stored.paused)
        change.agents[0].id = AgentID(9)
        try await refused(database, change, "unknown")
    }

    @Test func aCancelledTaskDoesNotRollBack() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            var first = batch()
            first.plans = [RunID(1): plan()]
            first.runs = [bareRun(1)]
            try await database.commit(first)
        }
        try await task.value
        #expect(try await database.run(RunID(1)) != nil)
    }

    /// The connections must not be closed on their own queue.
    @Test func theLastOwnerMayLeaveWhileACommitRuns() async throws {
        for _ in 0..<20 {
            let scratch = Scratch()
            defer { scratch.remove() }
            try await Task { try await scratch.open().commit(batch(clock: 3)) }.value
            #expect(try await scratch.open().load().clock == 3)
        }
    }

    @Test func stampsMoveWithTheirRows() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let before = (database.runsVersion, database.pipelinesVersion)
        try await database.commit(batch(counters: 1))
        #expect(database.runsVersion == before.0)
        var first = batch()
        first.runs = [bareRun(1)]
        try await database.commit(first)
        #expect(database.runsVersion > before.0)
        #expect(database.pipelinesVersion == before.1)
        try await database.delete(PipelineID(1), by: "admin", at: 3)
        #expect(database.pipelinesVersion > before.1)
    }

    @Test func idempotencyKeysEndAfterADay() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        var first = batch(counters: 2)
        first.plans = [RunID(1): plan()]
        first.runs = [bareRun(1)]
        first.idempotency = [IdempotencyRow(key: "k", run: RunID(1), at: 1)]
        try await database.commit(first)
        var second = batch(counters: 3)
        second.plans = [RunID(2): plan()]
        second.runs = [bareRun(2)]
        second.idempotency = [IdempotencyRow(key: "k", run: RunID(2), at: 86_400_000)]
        try await refused(database, second, "another run")
        second.idempotency[0].at += 1
        try await database.commit(second)
        #expect(try await database.idempotentRun("k") == RunID(2))
    }
}
