import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct ScheduleTests {
    private func run(_ id: Int64, _ slot: ScheduleSlot) -> CommitBatch {
        var made = batch(counters: id + 10)
        made.runs = [bareRun(id)]
        made.plans = [RunID(id): plan()]
        made.idempotency = [IdempotencyRow(key: slot.idempotencyKey, run: RunID(id), at: 1)]
        return made
    }

    @Test func aSlotIsNotedWithItsRunAndFiresOnce() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        let row = ScheduleRow(pipeline: PipelineID(1), name: "a:b", at: "0 * * * *", zone: "UTC", since: 5)
        try await database.save(row)
        let first = ScheduleSlot(pipeline: PipelineID(1), name: "a:b", slot: 1_000)
        var second = first
        second.slot = 2_000
        #expect(try await !database.hasFired(first))
        try await database.commit(run(1, first))
        try await database.commit(run(20, second))
        #expect(try await database.hasFired(first))
        #expect(try await database.lastFired(first.pipeline, first.name, through: 1_999) == 1_000)
        #expect(try await database.lastFired(first.pipeline, first.name, through: 999) == nil)
        #expect(try await database.lastFired(first.pipeline, "a", through: 5_000) == nil)
        let stored = try #require(try await database.schedules(of: PipelineID(1)).first)
        #expect(stored.lastSlot == 2_000 && stored.lastRun == RunID(20) && stored.since == 5)

        // Long after its key is forgotten, the slot stands: nothing of a second run for it stays.
        var again = run(40, first)
        again.idempotency[0].at = 10 * 86_400_000
        await #expect(throws: CommitFailure.refused("The slot 1000 of the schedule a:b has a run already.")) {
            try await database.commit(again)
        }
        #expect(try await database.run(RunID(40)) == nil)
        try database.close()
        let reopened = try scratch.open()
        #expect(try await reopened.hasFired(first))
    }

    @Test func schedulesAreSavedAndForgotten() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        var row = ScheduleRow(pipeline: PipelineID(1), name: "x", at: "@daily", zone: "UTC", since: 1)
        try await database.save(row)
        (row.at, row.zone, row.enabled, row.since, row.error, row.errorAt) = (
            "@hourly", "Europe/Berlin", false, 2, "e", 3
        )
        try await database.save(row)
        #expect(try await database.schedules(of: PipelineID(1)) == [row])
        row.name = "y"
        try await database.save(row)
        try await database.keepSchedules(["y"], of: PipelineID(1))
        #expect(try await database.schedules(of: PipelineID(1)).map(\.name) == ["y"])
        #expect(try await database.schedules(of: PipelineID(2)).isEmpty)
    }

    @Test func aPipelineKeepsWhereItsDefinitionLies() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        var draft = PipelineDraft(
            name: "p", definition: "", repositoryURL: "https://example.org/x", path: "ci/a.yml", credential: "TOKEN")
        let row = try await database.create(draft, by: "a", at: 1)
        #expect(row.readsFromRepository && row.credential == "TOKEN")
        #expect(try await database.pipeline(row.id) == row)
        (draft.path, draft.credential) = ("", "")
        let changed = try await database.update(row.id, draft, expected: nil, by: "a", at: 2)
        #expect(!changed.readsFromRepository)
        #expect(
            try await database.pipelines(project: nil, visible: .all, text: nil, page: 1, perPage: 10).items == [
                changed
            ])
    }
}
