import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import Hummingbird
import NIOCore

/// All logs of a run in one file.
struct RunLogRoutes {
    let services: HTTPServices

    var routes: [Route] {
        [
            Route(
                .get, RunRoutes.path + "/{id}/logs", .read, "runLogs", "All logs of a run, as a tar archive",
                role: .viewer,
                describes: Description(
                    .logs,
                    """
                    One file for each attempt of a step, `job/step/attempt-N.log`, with the bytes that are stored when the \
                    request comes.
                    """, answers: [.content("application/x-tar")], problems: [410]), handler: archive)
        ]
    }

    private struct Entry {
        var attempt: AttemptID
        var size: UInt64
        var head: [UInt8]
    }

    @Sendable private func archive(_ call: Call) async throws -> Reply {
        guard let detail = try await services.queries.runDetail(RunID(call.id(what: "run"))) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: detail.run.project, what: "run")
        try await LogRoutes(services: services).checkKept(detail.run.id)
        let jobs = Dictionary(detail.jobs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let steps = Dictionary(detail.steps.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var entries: [Entry] = []
        for attempt in detail.attempts {
            guard let step = steps[attempt.step], let job = jobs[attempt.job] else { continue }
            let size: UInt64
            do {
                size = try await services.logs.info(attempt.id).bytes
            } catch LogReadFailure.notFound {
                continue
            }
            let path = "\(Self.name(job))/\(Self.name(step.name))/attempt-\(attempt.number).log"
            entries.append(
                Entry(
                    attempt: attempt.id, size: size,
                    head: TarEntry.head(path: path, size: size, executable: false, timeMs: attempt.createdAt)))
        }
        let (all, logs) = (entries, services.logs)
        let length = all.reduce(TarEntry.end.count) { $0 + $1.head.count + Int($1.size) + TarEntry.padding($1.size) }
        var reply = Reply(
            .ok, "application/x-tar",
            ResponseBody(contentLength: length) { writer in
                let output = RawOutput(writer)
                for entry in all {
                    try await output.write(entry.head)
                    // The length was promised: where the log can't be read, the connection breaks instead of the archive.
                    if entry.size > 0 {
                        try await logs.bytes(entry.attempt, range: 0..<entry.size) { try await output.write($0) }
                    }
                    let padding = TarEntry.padding(entry.size)
                    if padding > 0 { try await output.write([UInt8](repeating: 0, count: padding)) }
                }
                try await output.write(TarEntry.end)
                try await output.finish()
            })
        reply.headers[.contentDisposition] = "attachment; filename=\"logs-\(detail.run.id).tar\""
        // Of a run that has ended, the attempts with their sizes say which bytes these are; a log may still be coming in.
        if detail.run.phase == .finished {
            let names = all.map { "\($0.attempt):\($0.size)" }.joined(separator: " ")
            reply.etag = EntityTag.of(ByteBuffer(string: "\(detail.run.seq) \(names)"))
        }
        return reply
    }

    /// A job's or step's name as one part of a path that leads nowhere else: cells of a matrix may have any values.
    static func name(_ text: String) -> String {
        let safe = text.unicodeScalars.map { scalar -> Character in
            scalar.value < 32 || scalar.value == 127 || scalar == "/" || scalar == "\\" ? "_" : Character(scalar)
        }
        let name = String(safe.prefix(200))
        return name.isEmpty || name.allSatisfy { $0 == "." } ? "_" : name
    }
}
