package import ArgumentParser

package struct TestsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tests",
        abstract: "Show the test results of a run, failed ones first.",
        discussion: """
            Results come from JUnit reports, which a step names with `reports: {junit: GLOB}`. The exit code is 1 where a test \
            failed.

            Examples:
              ansflow tests 7
              ansflow tests 7 --outcome failed
              ansflow tests 7 --all
            """)

    private struct TestModel: Decodable, Sendable {
        var job: String
        var suite: String?
        var `class`: String?
        var name: String
        var outcome: String
        var durationMs: Int64?
        var message: String?
    }

    private struct SummaryModel: Decodable, Sendable {
        var total: Int
        var passed: Int
        var failed: Int
        var error: Int
        var skipped: Int
        var durationMs: Int64?
        var faults: [String]?
    }

    private struct PageModel: Decodable, Sendable {
        var items: [TestModel]
        var total: Int?
        var summary: SummaryModel
    }

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Id of the run.")
    package var run: Int64
    @Option(name: .long, help: "Only of this job.")
    package var job: String?
    @Option(name: .long, help: "Only this outcome: passed, failed, skipped or error.")
    package var outcome: String?
    @Flag(name: .long, help: "All results instead of the first hundred.")
    package var all = false

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            var page = 1
            var shown = 0
            while true {
                var query = [("page", String(page)), ("per_page", "100")]
                if let job { query.append(("job", job)) }
                if let outcome { query.append(("outcome", outcome)) }
                let answer = try await client.get(
                    "/api/v1/pipeline-runs/\(run)/tests", query: query, thing: "Run \(run)")
                let listing = try answer.decode(PageModel.self)
                if connection.json { ConnectionOptions.printJSON(answer) } else { Self.show(listing.items) }
                shown += listing.items.count
                guard all, listing.items.count == 100, shown < (listing.total ?? 0) else {
                    if !connection.json { finish(listing, shown: shown) }
                    guard listing.summary.failed + listing.summary.error == 0 else { throw ExitCode(1) }
                    return
                }
                page += 1
            }
        }
    }

    private static func show(_ items: [TestModel]) {
        let style = Style()
        for item in items {
            let place = [item.suite, item.class].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
            let name = SafeText.line(place.isEmpty ? item.name : "\(place): \(item.name)", colours: false)
            let word = RunText.padded(item.outcome == "passed" ? "success" : item.outcome, 8)
            Terminal.print("\(style.status(word)) \(name) (\(item.durationMs ?? 0) ms)")
            for line in (item.message ?? "").split(separator: "\n").prefix(20) {
                Terminal.print("         \(SafeText.line(String(line), colours: false))")
            }
        }
    }

    private func finish(_ listing: PageModel, shown: Int) {
        let sums = listing.summary
        if shown < (listing.total ?? 0) {
            Terminal.print("and \((listing.total ?? 0) - shown) more: ansflow tests \(run) --all")
        }
        Terminal.print(
            "\(sums.total) tests: \(sums.passed) passed, \(sums.failed) failed, \(sums.error) with an error, "
                + "\(sums.skipped) skipped; \(sums.durationMs ?? 0) ms")
        for fault in sums.faults ?? [] { Terminal.note("report \(SafeText.line(fault, colours: false))") }
        if sums.total == 0, (sums.faults ?? []).isEmpty { Terminal.note("No test report was kept by this run.") }
    }
}
