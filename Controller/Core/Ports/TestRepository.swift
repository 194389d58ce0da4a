/// How one test ended.
package enum TestOutcome: String, Codable, Sendable, CaseIterable {
    case passed, failed, skipped, error
}

/// One test's result, as a report says it.
package struct TestResult: Equatable, Sendable {
    package var suite: String
    /// Empty where the report gives none.
    package var className: String
    package var name: String
    package var outcome: TestOutcome
    package var durationMs: Int64
    /// Why it failed or was skipped; cut at a limit.
    package var message: String?

    package init(
        suite: String, className: String, name: String, outcome: TestOutcome, durationMs: Int64,
        message: String? = nil
    ) {
        self.suite = suite
        self.className = className
        self.name = name
        self.outcome = outcome
        self.durationMs = durationMs
        self.message = message
    }
}

/// One report file.
package struct TestReport: Equatable, Sendable {
    /// The step that wrote it.
    package var step: String
    package var path: String
    /// Why it could not be read, or not whole; a sentence.
    package var fault: String?
    package var results: [TestResult]

    package init(step: String, path: String, fault: String? = nil, results: [TestResult] = []) {
        self.step = step
        self.path = path
        self.fault = fault
        self.results = results
    }
}

/// A stored result.
package struct TestRow: Equatable, Sendable {
    /// Names the test in its pipeline, over all runs.
    package var test: Int64
    package var run: RunID
    package var job: String
    package var step: String
    package var report: String
    package var result: TestResult

    package init(test: Int64, run: RunID, job: String, step: String, report: String, result: TestResult) {
        self.test = test
        self.run = run
        self.job = job
        self.step = step
        self.report = report
        self.result = result
    }
}

/// One result of a test in its history.
package struct TestHistoryRow: Equatable, Sendable {
    package var run: RunID
    package var runNumber: Int64
    package var branch: String
    package var job: String
    package var outcome: TestOutcome
    package var durationMs: Int64
    package var message: String?
    package var at: Int64

    package init(
        run: RunID, runNumber: Int64, branch: String, job: String, outcome: TestOutcome, durationMs: Int64,
        message: String?, at: Int64
    ) {
        self.run = run
        self.runNumber = runNumber
        self.branch = branch
        self.job = job
        self.outcome = outcome
        self.durationMs = durationMs
        self.message = message
        self.at = at
    }
}

/// Sums over a run's results.
package struct TestSummary: Equatable, Sendable {
    package var total = 0
    package var passed = 0
    package var failed = 0
    package var errors = 0
    package var skipped = 0
    package var durationMs: Int64 = 0
    /// Reports that could not be read, with why.
    package var faults: [String] = []

    package init() {}
}

/// Which results are asked for.
package struct TestFilter: Equatable, Sendable {
    package var job: String?
    package var outcome: TestOutcome?
    /// Part of suite, class or name.
    package var text: String?

    package init(job: String? = nil, outcome: TestOutcome? = nil, text: String? = nil) {
        self.job = job
        self.outcome = outcome
        self.text = text
    }
}

/// Test results of runs: published as ``ArtifactRepository`` says.
package protocol TestReading: Sendable {
    func testSummary(of run: RunID) async throws -> TestSummary
    /// Failed ones first, then by job and place in their report.
    func tests(of run: RunID, _ filter: TestFilter, page: Int, perPage: Int) async throws -> Page<TestRow>
    /// The newest results of a test of this pipeline; `nil` where it has no such test.
    func testHistory(
        _ test: Int64, of pipeline: PipelineID, limit: Int
    ) async throws -> (test: TestResult, results: [TestHistoryRow])?
}
