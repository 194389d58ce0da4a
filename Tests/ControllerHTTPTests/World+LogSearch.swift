import AnsFlowProtocol
import ControllerCore
import Synchronization

@testable import ControllerHTTP

extension World: LogSearching {
    func overview(_ attempt: AttemptID) async throws -> LogOverview {
        var overview = LogOverview(info: try await info(attempt))
        overview.scanned = overview.info.lines
        overview.sections = [LogSection(start: 1, end: nil, title: "Build", level: 1, opens: true, fromMs: 1)]
        overview.errors = [2]
        overview.errorCount = 1
        overview.styles = [.init(block: 1, sgr: "31")]
        return overview
    }

    func search(_ attempt: AttemptID, _ query: LogQuery) async throws -> LogMatches {
        if query.isRegex, query.text == "(" { throw LogSearchFailure.pattern("It is no regular expression.") }
        var matches = LogMatches(info: try await info(attempt))
        let lines = state.withLock { $0.logs[attempt] ?? [] }
        for (index, line) in lines.enumerated() where UInt64(index + 1) >= query.fromLine && line.contains(query.text) {
            matches.count += 1
            matches.lines += 1
            if matches.hits.count < query.limit {
                matches.hits.append(LogHit(line: UInt64(index + 1), column: 0, length: query.text.utf16.count))
            }
        }
        return matches
    }
}
