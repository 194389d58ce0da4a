import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a run's jobs have kept: a list, single files, and all of a job as one archive.
struct ArtifactRoutes {
    let services: HTTPServices

    private static let pieceBytes = 256 * 1024

    var routes: [Route] {
        let path = RunRoutes.path + "/{id}/artifacts"
        let job = QueryParameter("job", "The job's id; for a cell of a matrix with its values, as `build[arch=amd64]`")
        return [
            Route(
                .get, path, .read, "runArtifacts", "Files that the run's jobs have kept", role: .viewer,
                query: Query.paging + [job],
                describes: Description(.artifacts, answers: [.page(of: Schemas.artifact)]), handler: list),
            Route(
                .get, path + "/file", .read, "runArtifact", "One file; takes `Range`", role: .viewer,
                query: [
                    job,
                    QueryParameter("path", "The file's path as the list gives it", .text(max: 1024), required: true),
                ],
                describes: Description(
                    .artifacts, answers: [.content("application/octet-stream"), .partial("application/octet-stream")],
                    problems: [409], takesRange: true), handler: file),
            Route(
                .get, path + "/archive", .read, "runArtifactArchive", "All files of one job, as a tar archive",
                role: .viewer,
                query: [QueryParameter(job.name, job.summary, required: true)],
                describes: Description(.artifacts, answers: [.content("application/x-tar")]), handler: archive),
        ]
    }

    private func store() throws -> any ArtifactReading {
        guard let artifacts = services.artifacts else { throw Problem.unavailable("Artifacts are not kept here.") }
        return artifacts
    }

    private func rows(_ call: Call, job: String?) async throws -> [ArtifactRow] {
        let id = RunID(try call.id(what: "run"))
        guard let run = try await services.queries.run(id) else { throw Problem.notFound("There is no such run.") }
        try await call.allow(in: run.project, what: "run")
        return try await store().artifacts(of: id, job: job)
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        let job = call.query.text("job")
        let all = try await rows(call, job: job)
        let (first, overflow) = (page - 1).multipliedReportingOverflow(by: perPage)
        let items = overflow ? [] : Array(all.dropFirst(first).prefix(perPage))
        let query = job.map { "job=\(PercentCode.encode($0))&" } ?? ""
        return ListJSON.reply(
            Page(items: items, total: all.count), number: page, perPage: perPage,
            path: "\(RunRoutes.path)/\(call.parameters[0])/artifacts", query: query
        ) { json, row in
            json.object { json in
                json.field("job", row.job)
                json.field("path", row.path)
                json.field("size", row.size)
                json.field("sha256", row.sha256)
                json.field("executable", row.executable)
                json.field("created_at", time: row.createdAt)
                json.field("expires_at", time: row.expiresAt)
            }
        }
    }

    // MARK: Files

    @Sendable private func file(_ call: Call) async throws -> Reply {
        guard let path = call.query.text("path") else { throw Query.wrong("path", "It is missing.") }
        let found = try await rows(call, job: call.query.text("job")).filter { $0.path == path }
        guard let row = found.first else { throw Problem.notFound("The run has kept no such file.") }
        guard found.count == 1 else {
            let jobs = found.map(\.job).joined(separator: ", ")
            throw Problem.conflict("Several jobs have kept this file: \(jobs). Name one with `job`.")
        }
        guard let content = try await store().open(row) else { throw Self.lost(row) }
        var range: Range<UInt64> = 0..<content.size
        var status = HTTPResponse.Status.ok
        let etag = "\"\(row.sha256)\""
        // A range of another version of the file would be put together with this one's.
        let isSame = call.headers[.ifRange].map { $0 == etag } ?? true
        if let header = call.headers[.range], isSame {
            switch ByteRange.parse(header, total: content.size) {
            case .ignored: break
            case .range(let wanted):
                range = wanted
                status = .partialContent
            case .unsatisfiable:
                var reply = Problem(416, "Range not satisfiable", "The file has \(content.size) bytes.")
                    .reply(requestID: call.requestID)
                reply.headers[.contentRange] = "bytes */\(content.size)"
                return reply
            }
        }
        let wanted = range
        var reply = Reply(
            status, "application/octet-stream",
            ResponseBody(contentLength: wanted.count) { writer in
                try await Self.write(content, wanted, to: &writer)
                try await writer.finish(nil)
            })
        reply.headers[.acceptRanges] = "bytes"
        reply.headers[.contentDisposition] = Self.attachment(path.split(separator: "/").last.map(String.init) ?? "file")
        if status == .partialContent {
            reply.headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(content.size)"
        }
        reply.etag = etag
        reply.headers[.eTag] = etag
        return reply
    }

    private static func lost(_ row: ArtifactRow) -> Problem {
        Problem(500, "Lost content", "The store does not hold the content of \(row.path) any more. Run the job again.")
    }

    private static func write(
        _ content: any ArtifactContent, _ range: Range<UInt64>, to writer: inout any ResponseBodyWriter
    ) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(UInt64(pieceBytes), range.upperBound - offset))
            let piece = try await content.read(at: offset, count: count)
            guard !piece.isEmpty else { throw ArchiveFailure() }
            try await writer.write(ByteBuffer(bytes: piece))
            offset += UInt64(piece.count)
        }
    }

    /// A name for saving: never one that a browser shows, and nothing of it can end the header.
    private static func attachment(_ name: String) -> String {
        let plain = String(
            name.unicodeScalars.map {
                $0.isASCII && $0.value >= 32 && !"\"\\;%".unicodeScalars.contains($0) ? Character($0) : "_"
            })
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(PercentCode.encode(name))"
    }

    // MARK: Archive

    private struct ArchiveFailure: Error {}

    @Sendable private func archive(_ call: Call) async throws -> Reply {
        guard let job = call.query.text("job") else { throw Query.wrong("job", "It is missing.") }
        let rows = try await rows(call, job: job)
        guard !rows.isEmpty else { throw Problem.notFound("The job has kept nothing.") }
        let store = try store()
        let heads = rows.map {
            TarEntry.head(path: $0.path, size: $0.size, executable: $0.executable, timeMs: $0.createdAt)
        }
        let length = zip(rows, heads).reduce(TarEntry.end.count) {
            $0 + $1.1.count + Int($1.0.size) + TarEntry.padding($1.0.size)
        }
        var reply = Reply(
            .ok, "application/x-tar",
            ResponseBody(contentLength: length) { writer in
                for (row, head) in zip(rows, heads) {
                    // The length was promised: where it can't be kept, the connection breaks instead of the archive.
                    guard let content = try await store.open(row), content.size == row.size else {
                        throw ArchiveFailure()
                    }
                    try await writer.write(ByteBuffer(bytes: head))
                    try await Self.write(content, 0..<row.size, to: &writer)
                    let padding = TarEntry.padding(row.size)
                    if padding > 0 { try await writer.write(ByteBuffer(repeating: 0, count: padding)) }
                }
                try await writer.write(ByteBuffer(bytes: TarEntry.end))
                try await writer.finish(nil)
            })
        reply.headers[.contentDisposition] = Self.attachment("artifacts-\(call.parameters[0])-\(job).tar")
        return reply
    }
}
