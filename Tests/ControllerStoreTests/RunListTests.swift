import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct RunListTests {
    static let runCount = 10_000

    private static func matches(_ run: RunRow, _ filter: RunFilter) -> Bool {
        func part(_ whole: String, _ text: String) -> Bool { whole.lowercased().contains(text.lowercased()) }
        return (filter.pipeline == nil || run.pipeline == filter.pipeline)
            && (filter.project == nil || run.project == filter.project) && filter.visible.includes(run.project)
            && (filter.status == nil || Status(phase: run.phase, outcome: run.outcome) == filter.status)
            && (filter.branch == nil || run.branch == filter.branch)
            && (filter.event == nil || run.event == filter.event)
            && (filter.actor == nil || run.actor == filter.actor)
            && (filter.since.map { run.createdAt >= $0 } ?? true)
            && (filter.until.map { run.createdAt <= $0 } ?? true)
            && (filter.text.map { part(run.pipelineName, $0) || part(run.branch, $0) || part(run.commit, $0) } ?? true)
    }

    private static func rows() -> [RunRow] {
        var random = Seeded(state: 7)
        let branches = ["main", "Feature/One", "fix_100%", ""]
        return (1...runCount).map { id in
            var run = bareRun(Int64(id), pipeline: Int64.random(in: 1...5, using: &random))
            if run.pipeline > PipelineID(3) { run.project = ProjectID(2) }
            run.phase = id % 50 == 0 ? .running : .finished
            run.outcome = run.phase == .finished ? Outcome.allCases.randomElement(using: &random) : nil
            run.branch = branches.randomElement(using: &random) ?? ""
            run.event = Bool.random(using: &random) ? "push" : "manual"
            run.actor = ["octo", "Octo", ""].randomElement(using: &random) ?? ""
            run.commit = String(UInt32.random(in: 0...UInt32.max, using: &random), radix: 16)
            run.createdAt = Int64.random(in: 0..<1000, using: &random)
            return run
        }
    }

    private static func filters() -> [RunFilter] {
        let edits: [(inout RunFilter) -> Void] = [
            { _ in }, { $0.pipeline = PipelineID(3) }, { $0.pipeline = PipelineID(99) }, { $0.project = .main },
            { $0.project = ProjectID(2) }, { $0.status = .failed }, { $0.status = .running },
            { $0.branch = "main" }, { $0.event = "push" }, { $0.actor = "octo" }, { $0.since = 900 }, { $0.until = 50 },
            { $0.text = "FEATURE" }, { $0.text = "100%" }, { $0.text = "_" }, { $0.text = "\\" }, { $0.text = "ab" },
            {
                $0.pipeline = PipelineID(2)
                $0.status = .success
            },
            {
                $0.project = .main
                $0.status = .success
            },
            {
                $0.project = .main
                $0.pipeline = PipelineID(2)
            },
            { $0.visible = .only([]) }, { $0.visible = .only([ProjectID(2)]) },
            { $0.visible = .only([.main, ProjectID(2)]) }, { $0.visible = .only([.main, ProjectID(9)]) },
            {
                $0.visible = .only([ProjectID(2)])
                $0.pipeline = PipelineID(2)
            },
            {
                $0.visible = .only([ProjectID(2)])
                $0.pipeline = PipelineID(4)
                $0.status = .success
            },
            {
                $0.visible = .only([.main])
                $0.project = ProjectID(2)
            },
            {
                $0.visible = .only([.main, ProjectID(2)])
                $0.project = ProjectID(2)
                $0.text = "main"
            },
            {
                $0.branch = "main"
                $0.event = "manual"
                $0.actor = "octo"
                $0.since = 100
                $0.until = 800
                $0.text = "p1"
                $0.status = .failed
            },
        ]
        return edits.map { edit in
            var filter = RunFilter()
            edit(&filter)
            return filter
        }
    }

    @Test(.timeLimit(.minutes(2))) func pagesAreThoseOfANaiveList() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.write { db in try db.run("INSERT INTO projects (name) VALUES ('second')") { _ in } }
        for pipeline in 1...5 {
            let project = pipeline > 3 ? ProjectID(2) : .main
            _ = try await database.create(
                PipelineDraft(project: project, name: "p\(pipeline)", definition: ""), by: "a", at: 1)
        }
        var rows = Self.rows()
        for start in stride(from: 0, to: rows.count, by: 1000) {
            var batch = batch(counters: Int64(start + 1001))
            batch.runs = Array(rows[start..<start + 1000])
            try await database.commit(batch)
        }
        // Some end, so that the kept totals follow changes too.
        var changes = batch(counters: Int64(Self.runCount + 1))
        for index in rows.indices where rows[index].phase == .running && index % 100 == 49 {
            rows[index].phase = .finished
            rows[index].outcome = .success
            changes.runs.append(rows[index])
        }
        try await database.commit(changes)
        #expect(!changes.runs.isEmpty)

        for filter in Self.filters() {
            let matching = rows.reversed().filter { Self.matches($0, filter) }
            for (page, perPage) in [(1, 20), (2, 7), (matching.count / 20 + 1, 20), (99_999, 100), (.max, 100)] {
                let from = min(page <= 100_000 ? (page - 1) * perPage : matching.count, matching.count)
                let expected = Array(matching[from..<min(from + perPage, matching.count)])
                let found = try await database.runs(filter, page: page, perPage: perPage)
                #expect(found.items == expected, "\(filter), page \(page)")
                #expect(found.total == matching.count, "\(filter)")
            }
            let steps = try await Self.explain(database, filter)
            #expect(
                // Where nothing may be seen the total says so, and no page is read.
                matching.isEmpty
                    || !steps.contains { $0.hasPrefix("SCAN runs") && !$0.contains("INDEX") && filter != RunFilter() },
                "\(steps)")
        }
    }

    private static func explain(_ database: Database, _ filter: RunFilter) async throws -> [String] {
        try await database.read { db in
            let query = RunListQuery(filter)
            return try db.all(
                "EXPLAIN QUERY PLAN " + query.pageSQL, { query.fillPage(&$0, limit: 20, offset: 0) }
            ) { columns in
                _ = (columns.int64(), columns.int64(), columns.int64())
                return columns.text()
            }
        }
    }
}
