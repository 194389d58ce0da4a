import ControllerCore
import HTTPTypes

/// What finds its way in a long log: its sections, errors and colours, and search.
struct LogSearchRoutes {
    let services: HTTPServices

    static let hitsMax: Int64 = 20_000

    var routes: [Route] {
        let base = RunRoutes.path + "/{id}/steps/"
        let byStep = { @Sendable (call: Call) in call.parameters[1] }
        let byJob = { @Sendable (call: Call) in "\(call.parameters[1])/\(call.parameters[2])" }
        return [
            index(base + "{step}/log/index", "stepLogIndex", ["step"], byStep),
            index(base + "{job}/{step}/log/index", "jobStepLogIndex", ["job", "step"], byJob),
            search(base + "{step}/log/search", "stepLogSearch", ["step"], byStep),
            search(base + "{job}/{step}/log/search", "jobStepLogSearch", ["job", "step"], byJob),
        ]
    }

    private static let attempt = QueryParameter(
        "attempt", "The step's attempt; without it the newest", .integer(1...Int64.max))

    private static func kinds(_ names: [String]) -> [String: ParameterKind] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, .text(max: 512)) })
    }

    private func index(
        _ path: String, _ operation: String, _ names: [String], _ step: @escaping @Sendable (Call) -> String
    ) -> Route {
        Route(
            .get, path, .read, operation, "A log's sections, errors and warnings", role: .viewer,
            query: [Self.attempt], acceptsEncodedSlash: names.count == 1, parameters: Self.kinds(names),
            describes: Description(
                .logs,
                """
                Sections come of markers in the output: `##[group]Title` or `::group::Title` to `##[endgroup]`, \
                `--- Title`, `+++ Title` (open), GitLab's `section_start` and `section_end`. Lines beyond `scanned` were \
                not looked at yet: ask again.
                """, answers: [.ok(.component(Schemas.logIndex))], problems: [409, 410])
        ) { try await answerIndex($0, step($0)) }
    }

    private func search(
        _ path: String, _ operation: String, _ names: [String], _ step: @escaping @Sendable (Call) -> String
    ) -> Route {
        Route(
            .get, path, .read, operation, "Search a log", role: .viewer,
            query: [
                QueryParameter("q", "What is looked for", .text(max: LogSearchLimits.patternMax), required: true),
                QueryParameter(
                    "mode", "A text, or a POSIX extended regular expression", .choice(["text", "regex"]),
                    default: "text"),
                QueryParameter("case", "Whether upper and lower case differ", .flag, default: "false"),
                QueryParameter("from_line", "First line", .integer(1...Int64.max), default: "1"),
                QueryParameter(
                    "limit", "Most hits to give; all are counted", .integer(1...Self.hitsMax), default: "1000"),
                Self.attempt,
            ], acceptsEncodedSlash: names.count == 1, parameters: Self.kinds(names),
            describes: Description(
                .logs,
                """
                Looks at what is seen of the lines, without escape sequences. A hit is `[line, column, length]` with columns \
                from 0 in UTF-16 code units. A long log takes several requests: go on at `next_line` until it is null.
                """, answers: [.ok(.component(Schemas.logMatches))], problems: [409, 410])
        ) { try await answerSearch($0, step($0)) }
    }

    private func answerIndex(_ call: Call, _ step: String) async throws -> Reply {
        let row = try await LogRoutes(services: services).kept(call, step)
        let overview = try await LogRoutes.reading { try await searching().overview(row.id) }
        // An attempt that wrote nothing has no file that could say so.
        let isComplete = overview.info.complete || row.outcome != nil
        return .json(capacity: 512 + overview.sections.count * 128 + overview.errors.count * 8) { json in
            json.object { json in
                json.field("attempt", row.number)
                json.field("total", overview.info.lines)
                json.field("bytes", overview.info.bytes)
                json.field("complete", isComplete)
                json.field("scanned", overview.scanned)
                json.field("started_at", time: row.startedAt)
                json.field("error_count", overview.errorCount)
                json.field("warning_count", overview.warningCount)
                Self.numbers("errors", overview.errors, &json)
                Self.numbers("warnings", overview.warnings, &json)
                json.name("sections")
                json.array(overview.sections) { Self.section($1, &$0) }
                json.name("styles")
                json.array(overview.styles) { json, style in
                    json.object { json in
                        json.field("block", style.block)
                        json.field("sgr", style.sgr)
                    }
                }
            }
        }
    }

    private static func numbers(_ name: StaticString, _ values: [UInt64], _ json: inout JSONWriter) {
        json.name(name)
        json.array(values) { $0.int($1) }
    }

    private static func section(_ section: LogSection, _ json: inout JSONWriter) {
        json.object { json in
            json.field("start", section.start)
            json.field("end", section.end)
            json.field("title", section.title)
            json.field("level", section.level)
            json.name("open")
            if let opens = section.opens { json.bool(opens) } else { json.null() }
            json.field("from_ms", section.fromMs)
            json.field("to_ms", section.toMs)
        }
    }

    private func answerSearch(_ call: Call, _ step: String) async throws -> Reply {
        guard let text = call.query.text("q") else { throw Query.wrong("q", "It is missing.") }
        let query = LogQuery(
            text: text, isRegex: call.query.text("mode") == "regex", matchesCase: try call.query.flag("case") ?? false,
            fromLine: UInt64(try call.query.integer("from_line", 1...Int64.max) ?? 1),
            limit: Int(try call.query.integer("limit", 1...Self.hitsMax) ?? 1000))
        let row = try await LogRoutes(services: services).kept(call, step)
        let matches: LogMatches
        do {
            matches = try await LogRoutes.reading { try await searching().search(row.id, query) }
        } catch LogSearchFailure.pattern(let text) {
            throw Query.wrong("q", text)
        }
        return .json(capacity: 256 + matches.hits.count * 16) { json in
            json.object { json in
                json.field("total", matches.info.lines)
                json.field("complete", matches.info.complete || row.outcome != nil)
                json.field("count", matches.count)
                json.field("lines", matches.lines)
                json.field("next_line", matches.nextLine)
                json.name("hits")
                json.array(matches.hits) { json, hit in
                    json.array([Int64(clamping: hit.line), Int64(hit.column), Int64(hit.length)]) { $0.int($1) }
                }
            }
        }
    }

    private func searching() throws -> any LogSearching {
        guard let searching = services.logSearch else { throw Problem.notFound("Logs can't be searched here.") }
        return searching
    }
}

/// Limits of what is asked for.
enum LogSearchLimits {
    /// Bytes; the log store has the same.
    static let patternMax = 256
}
