package import ControllerCore
import GRDB

extension Database: TestReading {
    package func testSummary(of run: RunID) async throws -> TestSummary {
        try await read { db in
            var summary = TestSummary()
            try db.each(
                """
                SELECT t.outcome, count(*), sum(t.duration_ms) FROM \(Self.published)
                JOIN test_reports p ON p.attempt = s.attempt JOIN test_results t ON t.report = p.id
                WHERE j.run = ? GROUP BY t.outcome
                """, { $0.add(run) }
            ) { columns in
                let outcome: TestOutcome = try columns.word()
                let count = columns.int()
                summary.total += count
                summary.durationMs += columns.int64()
                switch outcome {
                case .passed: summary.passed = count
                case .failed: summary.failed = count
                case .error: summary.errors = count
                case .skipped: summary.skipped = count
                }
            }
            summary.faults = try db.all(
                """
                SELECT j.name, p.path, p.fault FROM \(Self.published) JOIN test_reports p ON p.attempt = s.attempt
                WHERE j.run = ? AND p.fault IS NOT NULL ORDER BY j.place, p.place LIMIT 100
                """, { $0.add(run) }
            ) { "\($0.text())/\($0.text()): \($0.text())" }
            return summary
        }
    }

    package func tests(of run: RunID, _ filter: TestFilter, page: Int, perPage: Int) async throws -> Page<TestRow> {
        let range = PageRange(page: page, perPage: perPage)
        var match = "j.run = ?"
        if filter.job != nil { match += " AND j.name = ?" }
        if filter.outcome != nil { match += " AND t.outcome = ?" }
        if filter.text != nil {
            match += " AND instr(lower(c.suite || char(10) || c.class || char(10) || c.name), ?) > 0"
        }
        let source = """
            FROM \(Self.published) JOIN test_reports p ON p.attempt = s.attempt
            JOIN test_results t ON t.report = p.id JOIN test_cases c ON c.id = t.test WHERE \(match)
            """
        let fill: @Sendable (inout Arguments) -> Void = {
            $0.add(run)
            if let job = filter.job { $0.add(job) }
            if let outcome = filter.outcome { $0.add(outcome) }
            if let text = filter.text { $0.add(text.lowercased()) }
        }
        return try await read { db in
            let total = try db.first("SELECT count(*) \(source)", fill) { $0.int() } ?? 0
            let items = try db.all(
                """
                SELECT t.test, j.run, j.name, p.step, p.path, c.suite, c.class, c.name, t.outcome, t.duration_ms, t.message
                \(source) ORDER BY t.outcome IN ('passed', 'skipped'), j.place, p.place, t.place LIMIT ? OFFSET ?
                """,
                {
                    fill(&$0)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try TestRow(&$0) }
            return Page(items: items, total: total)
        }
    }

    package func testHistory(
        _ test: Int64, of pipeline: PipelineID, limit: Int
    ) async throws -> (test: TestResult, results: [TestHistoryRow])? {
        try await read { db in
            let known = try db.first(
                "SELECT suite, class, name FROM test_cases WHERE id = ? AND pipeline = ?",
                {
                    $0.add(test)
                    $0.add(pipeline)
                }
            ) { TestResult(suite: $0.text(), className: $0.text(), name: $0.text(), outcome: .passed, durationMs: 0) }
            guard var known else { return nil }
            let results = try db.all(
                """
                SELECT s.run, r.number, r.branch, j.name, t.outcome, t.duration_ms, t.message, s.created_at
                FROM test_results t JOIN test_reports p ON p.id = t.report
                JOIN artifact_sets s ON s.attempt = p.attempt JOIN jobs j ON j.id = s.job
                JOIN attempts a ON a.id = s.attempt AND a.outcome = 'success'
                JOIN job_attempts ja ON ja.id = s.job_attempt AND ja.outcome IS NOT NULL
                JOIN runs r ON r.id = s.run
                WHERE t.test = ? ORDER BY t.report DESC LIMIT ?
                """,
                {
                    $0.add(test)
                    $0.add(min(max(limit, 1), 1000))
                }
            ) { try TestHistoryRow(&$0) }
            if let newest = results.first {
                known.outcome = newest.outcome
                known.durationMs = newest.durationMs
            }
            return (known, results)
        }
    }
}

extension TestRow {
    init(_ columns: inout Columns) throws {
        let test = columns.int64()
        let run: RunID = columns.id()
        let (job, step, report) = (columns.text(), columns.text(), columns.text())
        let (suite, className, name) = (columns.text(), columns.text(), columns.text())
        self.init(
            test: test, run: run, job: job, step: step, report: report,
            result: TestResult(
                suite: suite, className: className, name: name, outcome: try columns.word(),
                durationMs: columns.int64(), message: columns.textOrNil()))
    }
}

extension TestHistoryRow {
    init(_ columns: inout Columns) throws {
        let run: RunID = columns.id()
        let (number, branch, job) = (columns.int64(), columns.text(), columns.text())
        self.init(
            run: run, runNumber: number, branch: branch, job: job, outcome: try columns.word(),
            durationMs: columns.int64(), message: columns.textOrNil(), at: columns.int64())
    }
}
