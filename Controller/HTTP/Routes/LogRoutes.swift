import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import HTTPTypes
import Hummingbird
import NIOCore

/// A step's log, live and finished alike.
struct LogRoutes {
    let services: HTTPServices

    static let linesMax: Int64 = 10_000
    private static let linesPerRead = 1000
    private static let foundMax: Int64 = 1000

    var routes: [Route] {
        let query = [
            QueryParameter("format", "How it comes", .choice(["text", "json", "raw"]), default: "text"),
            QueryParameter("from_line", "First line", .integer(1...Int64.max)),
            QueryParameter("lines", "At most so many lines", .integer(1...Int64.max)),
            QueryParameter("tail", "The last so many lines", .integer(1...Self.linesMax)),
            QueryParameter("line", "Only this line, as long as it is; with `raw`", .integer(1...Int64.max)),
            QueryParameter("attempt", "The step's attempt; without it the newest", .integer(1...Int64.max)),
            QueryParameter(
                "q", "Only lines that hold this text, whatever its case; at most \(Self.foundMax)",
                .text(max: LogSearchLimits.patternMax)),
        ]
        let base = RunRoutes.path + "/{id}/steps/"
        return [
            Route(
                .get, base + "{step}/log", .read, "stepLog", "A step's log; the step is `step` or `job/step`",
                role: .viewer, query: query, acceptsEncodedSlash: true, parameters: ["step": .text(max: 512)],
                describes: Description(
                    .logs,
                    "`raw` is the stored bytes and alone takes `Range`; `text` is UTF-8 with invalid bytes replaced.",
                    answers: [
                        Self.lines, .ok(.component(Schemas.logPage)), Self.bytes, .partial("application/octet-stream"),
                    ], problems: [409, 410], takesRange: true)
            ) { try await log($0, $0.parameters[1]) },
            Route(
                .get, base + "{job}/{step}/log", .read, "jobStepLog", "A step's log, by job and step", role: .viewer,
                query: query, parameters: ["job": .text(max: 512)],
                describes: Description(
                    .logs,
                    "`raw` is the stored bytes and alone takes `Range`; `text` is UTF-8 with invalid bytes replaced.",
                    answers: [
                        Self.lines, .ok(.component(Schemas.logPage)), Self.bytes, .partial("application/octet-stream"),
                    ], problems: [409, 410], takesRange: true)
            ) { try await log($0, "\($0.parameters[1])/\($0.parameters[2])") },
        ] + LogBlockRoutes(services: services).routes
    }

    private static let lines = Description.Answer.content("text/plain", example: "hello\n", summary: "The lines")
    private static let bytes = Description.Answer.content("application/octet-stream", summary: "The stored bytes")

    private func log(_ call: Call, _ step: String) async throws -> Reply {
        let row = try await kept(call, step)
        let attempt = row.id
        let format = call.query.text("format") ?? "text"
        let fromLine = try call.query.integer("from_line", 1...Int64.max)
        let tail = try call.query.integer("tail", 1...Self.linesMax)
        let lines = try call.query.integer("lines", 1...Int64.max)
        if tail != nil, fromLine != nil || lines != nil {
            throw Query.wrong("tail", "It can't stand beside `from_line` or `lines`.")
        }
        let wanted = call.query.text("q")
        if wanted != nil, tail != nil { throw Query.wrong("q", "It can't stand beside `tail`.") }
        let line = try call.query.integer("line", 1...Int64.max)
        if line != nil, format != "raw" { throw Query.wrong("line", "It stands beside `format=raw` only.") }
        return try await Self.reading {
            switch format {
            case "raw":
                guard fromLine == nil, lines == nil, tail == nil, wanted == nil else {
                    throw Query.wrong("format", "`raw` takes no lines but `line`, and no `q`; use a Range header.")
                }
                guard let line else { return try await raw(call, attempt) }
                return try await whole(attempt, line: UInt64(line))
            case _ where wanted != nil:
                let page = try await found(wanted ?? "", attempt, fromLine: fromLine, lines: lines)
                if format == "json" { return Self.json(page, row) }
                let plain = Self.plain(page.lines)
                return Self.tagged(Reply(.ok, "text/plain; charset=utf-8", ResponseBody(byteBuffer: plain)), row)
            case "json": return try await json(row, fromLine: fromLine, lines: lines, tail: tail)
            default:
                return Self.tagged(try await text(call, attempt, fromLine: fromLine, lines: lines, tail: tail), row)
            }
        }
    }

    /// The lines of a log that is complete change no more: its hash stands for all that an address shows of it. While it grows there is
    /// no tag.
    private static func tagged(_ given: Reply, _ row: AttemptRow) -> Reply {
        guard row.logState == .complete, let hash = row.logSHA256 else { return given }
        var reply = given
        reply.etag = "\"\(hash)-text\""
        return reply
    }

    /// The attempt that is asked for, whose log was not removed.
    func kept(_ call: Call, _ step: String) async throws -> AttemptRow {
        let row = try await attempt(call, step)
        try await checkKept(row.run)
        return row
    }

    /// A 410 where the log was there and is not any more.
    func checkKept(_ run: RunID) async throws {
        if let removed = try await services.retention?.logsRemovedAt(run) {
            throw Problem(410, "Gone", "The logs of this run were removed at \(Timestamp.text(removed)).")
        }
    }

    /// Says in words of the interface why a log can't be read.
    static func reading<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch LogReadFailure.damaged(let place) {
            throw Problem(500, "Damaged log", "Stored bytes do not match their checksum: \(place).")
        } catch LogReadFailure.notFound {
            throw Problem.notFound("This attempt has no log yet.")
        }
    }

    /// The attempt that is asked for; 404 where run, step or attempt are not there.
    func attempt(_ call: Call, _ step: String) async throws -> AttemptRow {
        guard let detail = try await services.queries.runDetail(RunID(call.id(what: "run"))) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: detail.run.project, what: "run")
        let jobs = Dictionary(detail.jobs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let found = detail.steps.filter { $0.name == step || "\(jobs[$0.job] ?? "")/\($0.name)" == step }
        guard let row = found.first else { throw Problem.notFound("The run has no step `\(step)`.") }
        guard found.count == 1 else {
            throw Problem.conflict("Several jobs have a step `\(step)`. Name it as `job/step`.")
        }
        let attempts = detail.attempts.filter { $0.step == row.id }
        let number = try call.query.integer("attempt", 1...Int64.max).map { Int($0) }
        guard let attempt = number.map({ number in attempts.first { $0.number == number } }) ?? attempts.last else {
            throw Problem.notFound(
                number == nil ? "The step has not started yet." : "The step has no such attempt.")
        }
        return attempt
    }

    // MARK: Formats

    private func json(_ row: AttemptRow, fromLine: Int64?, lines: Int64?, tail: Int64?) async throws -> Reply {
        let logs = services.logs
        let attempt = row.id
        let count = Int(min(lines ?? 1000, Self.linesMax))
        let page =
            if let tail { try await logs.tail(attempt, count: Int(tail)) } else {
                try await logs.lines(attempt, from: UInt64(fromLine ?? 1), count: count)
            }
        return Self.json(page, row)
    }

    static func json(_ page: LogPage, _ row: AttemptRow) -> Reply {
        return .json(capacity: 256 + page.lines.count * 96) { json in
            json.object { json in
                json.field("first_line", page.firstLine)
                json.field("total", page.info.lines)
                json.field("bytes", page.info.bytes)
                // An attempt that wrote nothing has no file that could say so.
                json.field("complete", page.info.complete || row.outcome != nil)
                json.field("sha256", page.info.sha256 ?? row.logSHA256)
                json.name("holes")
                json.array(page.info.holes) { json, hole in
                    json.object { json in
                        json.field("offset", hole.offset)
                        json.field("length", hole.length)
                        json.field("reason", hole.marker)
                    }
                }
                json.name("lines")
                json.raw(LiveEncoder.lines(page.lines))
            }
        }
    }

    /// Lines that hold a text, as they stand when the request comes.
    private func found(_ text: String, _ attempt: AttemptID, fromLine: Int64?, lines: Int64?) async throws -> LogPage {
        guard let searching = services.logSearch else { throw Problem.notFound("Logs can't be searched here.") }
        let limit = Int(min(lines ?? Self.foundMax, Self.foundMax))
        var page = LogPage(
            firstLine: UInt64(fromLine ?? 1), lines: [], info: try await services.logs.info(attempt))
        var next: UInt64? = page.firstLine
        var last: UInt64 = 0
        // The search of a long log takes several turns, and a line may have several hits.
        while let from = next, page.lines.count < limit {
            let matches = try await searching.search(
                attempt, LogQuery(text: text, matchesCase: false, fromLine: from, limit: Int(LogSearchRoutes.hitsMax)))
            page.info = matches.info
            for hit in matches.hits where hit.line > last && page.lines.count < limit {
                page.lines += try await services.logs.lines(attempt, from: hit.line, count: 1).lines
                last = hit.line
            }
            // Of a growing log, the unfinished line is all that is left.
            next = matches.nextLine.flatMap { $0 > from ? $0 : nil }
        }
        if let first = page.lines.first { page.firstLine = first.number }
        return page
    }

    /// Text as it stands when the request comes; it does not follow.
    private func text(
        _ call: Call, _ attempt: AttemptID, fromLine: Int64?, lines: Int64?, tail: Int64?
    ) async throws -> Reply {
        let logs = services.logs
        let first: LogPage
        if let tail {
            first = try await logs.tail(attempt, count: Int(tail))
        } else {
            let count = Int(min(lines ?? Int64(Self.linesPerRead), Int64(Self.linesPerRead)))
            first = try await logs.lines(attempt, from: UInt64(fromLine ?? 1), count: count)
        }
        let type = "text/plain; charset=utf-8"
        // Lines that are appended meanwhile are left to the next request, so that a growing log ends too.
        let last = first.info.lines + 1
        let wanted = tail == nil ? min(UInt64(lines ?? Int64.max), UInt64(Int64.max)) : UInt64(first.lines.count)
        let begin = first.firstLine + UInt64(first.lines.count)
        guard UInt64(first.lines.count) < wanted, begin < last else {
            return Reply(.ok, type, ResponseBody(byteBuffer: Self.plain(first.lines)))
        }
        return Reply(
            .ok, type,
            ResponseBody { writer in
                var page = first
                var sent: UInt64 = 0
                while true {
                    try await writer.write(Self.plain(page.lines))
                    sent += UInt64(page.lines.count)
                    let next = page.firstLine + UInt64(page.lines.count)
                    let rest = min(UInt64(Self.linesPerRead), wanted - sent)
                    guard rest > 0, next < last else { break }
                    page = try await logs.lines(attempt, from: next, count: Int(rest))
                    // Removed meanwhile: the answer breaks off instead of looking whole.
                    guard !page.lines.isEmpty else { throw LogReadFailure.notFound }
                }
                try await writer.finish(nil)
            })
    }

    private static func plain(_ lines: [LogLine]) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: lines.reduce(0) { $0 + $1.text.utf8.count + 1 })
        for line in lines {
            buffer.writeString(line.text)
            if !line.partial { buffer.writeInteger(UInt8(ascii: "\n")) }
        }
        return buffer
    }

    /// One line, however long it is: pages of lines cut long ones.
    private func whole(_ attempt: AttemptID, line: UInt64) async throws -> Reply {
        guard let range = try await services.logs.place(attempt, line: line) else {
            throw Problem.notFound("The log has no such line.")
        }
        let logs = services.logs
        var reply = Reply(
            .ok, "application/octet-stream",
            ResponseBody { writer in
                let output = RawOutput(writer)
                if !range.isEmpty { try await logs.bytes(attempt, range: range) { try await output.write($0) } }
                try await output.finish()
            })
        reply.headers[.contentDisposition] = "attachment; filename=\"line-\(line).txt\""
        return reply
    }

    private func raw(_ call: Call, _ attempt: AttemptID) async throws -> Reply {
        let info = try await services.logs.info(attempt)
        var range: Range<UInt64> = 0..<info.bytes
        var status = HTTPResponse.Status.ok
        if let header = call.headers[.range] {
            switch ByteRange.parse(header, total: info.bytes) {
            case .ignored: break
            case .range(let wanted):
                range = wanted
                status = .partialContent
            case .unsatisfiable:
                var reply = Problem(
                    416, "Range not satisfiable", "The log has \(info.bytes) bytes."
                ).reply(requestID: call.requestID)
                reply.headers[.contentRange] = "bytes */\(info.bytes)"
                return reply
            }
        }
        let logs = services.logs
        let wanted = range
        // Bytes that are missing are left out, so that the length is not known before.
        let isWhole = info.holes.isEmpty
        var reply = Reply(
            status, "application/octet-stream",
            ResponseBody(contentLength: isWhole ? wanted.count : nil) { writer in
                let output = RawOutput(writer)
                if !wanted.isEmpty {
                    try await logs.bytes(attempt, range: wanted) { try await output.write($0) }
                }
                // Removed before the first byte: the answer breaks off, so that nothing else is taken for the rest of it.
                guard !isWhole || output.written == wanted.count else { throw LogReadFailure.notFound }
                try await output.finish()
            })
        reply.headers[.acceptRanges] = "bytes"
        reply.headers[.contentDisposition] = "attachment; filename=\"log.txt\""
        if status == .partialContent {
            reply.headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(info.bytes)"
        }
        if info.complete, let hash = info.sha256 {
            reply.etag = "\"\(hash)\""
            reply.headers[.eTag] = reply.etag
        }
        return reply
    }
}

/// A response's writer behind a reference, for a callback that can't take it `inout`. Used by one task, one call at a time.
final class RawOutput: @unchecked Sendable {
    private var writer: any ResponseBodyWriter
    private(set) var written = 0

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    func write(_ bytes: [UInt8]) async throws {
        written += bytes.count
        try await writer.write(ByteBuffer(bytes: bytes))
    }
    func finish() async throws { try await writer.finish(nil) }
}

/// A `Range` header of one range of bytes (RFC 9110, section 14).
enum ByteRange: Equatable {
    case range(Range<UInt64>)
    /// Not in bytes, of several ranges, or malformed: answered as if it were not there.
    case ignored
    case unsatisfiable

    static func parse(_ header: String, total: UInt64) -> ByteRange {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return .ignored }
        let sides = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return .ignored }
        if sides[0].isEmpty {
            guard let count = UInt64(sides[1]) else { return .ignored }
            guard count > 0, total > 0 else { return .unsatisfiable }
            return .range((total - min(count, total))..<total)
        }
        guard let first = UInt64(sides[0]) else { return .ignored }
        guard first < total else { return .unsatisfiable }
        if sides[1].isEmpty { return .range(first..<total) }
        guard let last = UInt64(sides[1]), last >= first else { return .ignored }
        return .range(first..<min(last, total - 1) + 1)
    }
}
