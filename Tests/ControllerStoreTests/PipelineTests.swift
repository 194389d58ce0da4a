import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct PipelineTests {
    @Test func aPipelineKeepsItsHistory() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        var draft = PipelineDraft(
            name: "Web", definition: "one", repositoryURL: "https://example.org/x", ref: "main", enabled: false)
        let first = try await database.create(draft, by: "ann", at: 10)
        #expect(try await database.pipeline(first.id) == first)
        #expect(first.version == 1 && !first.enabled)

        draft.enabled = true
        let second = try await database.update(first.id, draft, expected: 1, by: "ann", at: 20)
        #expect(second.version == 1 && second.enabled && second.updatedAt == 20, "the same text is no new version")
        draft.definition = "two"
        draft.name = "web2"
        let third = try await database.update(first.id, draft, expected: nil, by: "bob", at: 30)
        #expect(third.version == 2)
        #expect(try await database.pipeline(named: "web2") == third)
        #expect(try await database.pipeline(named: "Web") == nil)
        await #expect(throws: PipelineChange.stale(current: 2)) {
            try await database.update(first.id, draft, expected: 1, by: "ann", at: 40)
        }
        #expect(
            try await database.versions(of: first.id) == [
                PipelineVersion(version: 2, definition: "two", savedBy: "bob", savedAt: 30),
                PipelineVersion(version: 1, definition: "one", savedBy: "ann", savedAt: 10),
            ])
    }

    @Test func aDeletedPipelineGivesItsNameFreeAndKeepsItsRuns() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        var batch = batch()
        batch.plans = [RunID(1): plan()]
        batch.runs = [bareRun(1)]
        try await database.commit(batch)
        let draft = PipelineDraft(name: "p1", definition: "")
        await #expect(throws: PipelineChange.nameTaken) { try await database.create(draft, by: "a", at: 2) }
        try await database.delete(PipelineID(1), by: "a", at: 3)
        await #expect(throws: PipelineChange.notFound) { try await database.delete(PipelineID(1), by: "a", at: 3) }
        await #expect(throws: PipelineChange.notFound) {
            try await database.update(PipelineID(1), draft, expected: nil, by: "a", at: 3)
        }
        #expect(try await database.pipeline(PipelineID(1)) == nil)
        let again = try await database.create(draft, by: "a", at: 4)
        #expect(again.id == PipelineID(2))
        #expect(try await database.runDetail(RunID(1))?.run.pipelineName == "p1")
        let other = try await database.create(PipelineDraft(name: "p3", definition: ""), by: "a", at: 5)
        await #expect(throws: PipelineChange.nameTaken) {
            try await database.update(other.id, draft, expected: nil, by: "a", at: 6)
        }
    }

    @Test func theListIsByNameAndNarrows() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        for index in 0..<45 {
            _ = try await database.create(
                PipelineDraft(name: "n\(10 + (index * 7) % 45)", definition: ""), by: "a", at: 1)
        }
        let names = (10..<55).map { "n\($0)" }
        let page = try await database.pipelines(project: .main, visible: .all, text: nil, page: 2, perPage: 20)
        #expect(page.items.map(\.name) == Array(names[20..<40]))
        #expect(page.total == 45)
        let part = try await database.pipelines(project: nil, visible: .all, text: "N1", page: 1, perPage: 100)
        #expect(part.items.map(\.name) == names.filter { $0.contains("n1") })
        #expect(part.total == 10)
        #expect(
            try await database.pipelines(project: ProjectID(2), visible: .all, text: nil, page: 1, perPage: 9).total
                == 0)
    }
}

/// What is for one pipeline goes with it.
@Suite struct PipelineRuleTests {
    @Test(arguments: [false, true]) func rulesAndConnectionsGoWithTheirPipeline(withRuns: Bool) async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        let gone = try await database.create(PipelineDraft(name: "gone", definition: "x"), by: "ann", at: 10)
        let kept = try await database.create(PipelineDraft(name: "kept", definition: "x"), by: "ann", at: 10)
        for pipeline in [gone.id, kept.id, nil] {
            let name = pipeline.map { "of \($0)" } ?? "of all"
            _ = try await database.save(
                NotificationRule(
                    project: .main, pipeline: pipeline, name: name, events: [.failed], inApp: true, createdAt: 1,
                    updatedAt: 1))
            _ = try await database.save(
                ForgeConnection(
                    project: .main, pipeline: pipeline, kind: .github, api: "https://example.org", repository: name,
                    secret: "A", createdAt: 1, updatedAt: 1))
        }
        if withRuns {
            try await database.beginRemoval(.pipeline(gone.id), expected: nil, by: "ann", at: 20)
        } else {
            try await database.delete(gone.id, by: "ann", at: 20)
        }
        let rules = try await database.rules(of: .main).map(\.pipeline)
        #expect(Set(rules) == [kept.id, nil], "\(rules)")
        let forges = try await database.forges(of: .main).map(\.pipeline)
        #expect(Set(forges) == [kept.id, nil], "\(forges)")
    }
}
