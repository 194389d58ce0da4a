import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Runs that another system executes: what it says of them.
struct ReportedRoutes {
    let services: HTTPServices

    private static let linesMax = 10_000
    private static let lineBytesMax = 64 * 1024
    private static let textBytesMax = 512 * 1024

    private static let statusInput = Schema.input(
        [
            "status": .one(of: ReportedStatus.allCases.map(\.rawValue)), "exit_code": .integer(-255...255),
            "message": Schemas.reason,
        ], required: ["status"])
    private static let logInput = Schema.input([
        "text": .text(0...textBytesMax), "lines": .list(of: .text(0...lineBytesMax)), "offset": .count,
    ])

    var routes: [Route] {
        let one = RunRoutes.path + "/{id}"
        return [
            Route(
                .post, one + "/status", .run, "reportStatus", "Say what became of a run that another system executes",
                role: .developer, body: ["application/json"],
                describes: Description(
                    .runs,
                    "The run was started with `reported_by`. After `success`, `failed` or `cancelled` nothing is taken any more.",
                    takes: .init(Self.statusInput, example: "{\"status\":\"success\"}"),
                    answers: [.ok(.component(Schemas.run))], problems: [409]), handler: status),
            Route(
                .post, one + "/logs", .run, "reportLogs", "Append to the log of a run that another system executes",
                role: .developer, body: ["application/json"],
                describes: Description(
                    .runs,
                    "Either `text`, as it is, or `lines`, each of which gets a line's end. With `offset`, the number of bytes before it, what is sent again is kept once; an empty `text` asks for that number. The answer comes when it is durable.",
                    takes: .init(Self.logInput, example: "{\"lines\":[\"compiling\",\"done\"],\"offset\":0}"),
                    answers: [.ok(.object(["bytes": .count]), example: "{\"bytes\":15}")], problems: [409]),
                handler: logs),
        ]
    }

    // MARK: Start

    static func reporter(_ fields: inout Fields, hasInputs: Bool, isUntrusted: Bool) -> String? {
        guard let name = fields.string("reported_by", max: 64, min: 1) else { return nil }
        if let refusal = ParameterKind.name(max: 64).refusal(of: name) { fields.wrong("reported_by", refusal) }
        if hasInputs { fields.wrong("inputs", "A run that another system executes has none here.") }
        if isUntrusted { fields.wrong("untrusted", "What another system executes is its own to judge.") }
        return name
    }

    func request(
        _ pipeline: PipelineRow, _ source: RunSource, by system: String, _ actor: String, _ priority: Int,
        _ key: String?
    ) async throws -> RunRequest {
        // What the other system does not say is not known: the pipeline's own ref may not be what it runs.
        let source = source.isGiven ? source.from(pipeline) : source
        guard let reported = services.reported else { throw Problem.conflict("No reported runs are taken here.") }
        do {
            try await reported.prepare()
        } catch {
            throw Problem.unavailable("Nothing can be made durable now.")
        }
        func given(_ text: String) -> String? { text.isEmpty ? nil : text }
        let facts = RunFacts(
            event: "reported", ref: given(source.ref), branch: given(source.branch), tag: given(source.tag),
            commit: given(source.commit))
        return RunRequest(
            pipeline: pipeline, plan: .reported(pipeline.name, by: system, facts: facts), event: "reported",
            ref: source.ref, branch: source.branch, tag: source.tag, commit: source.commit, priority: priority,
            actor: actor, idempotencyKey: key)
    }

    // MARK: Reports

    @Sendable private func status(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let status = ReportedStatus(rawValue: fields.required("status", max: 16))
        if status == nil {
            let known = ReportedStatus.allCases.map(\.rawValue).joined(separator: ", ")
            fields.wrong("status", "It must be one of: \(known).")
        }
        let exitCode = fields.integer("exit_code", -255...255).map { Int32($0) }
        let message = fields.string("message", max: ProtocolLimits.reasonBytesMax)
        try fields.finish()
        let (run, reported) = try await run(call)
        guard let status else { throw Problem.internalError }
        do throws(ReportFailure) {
            try await reported.report(status, exitCode: exitCode, message: message, of: run)
        } catch {
            // Said again, it gets the same answer.
            guard error == .notOpen, try await services.queries.run(run)?.outcome?.rawValue == status.rawValue else {
                throw Problem(error)
            }
        }
        guard let row = try await services.queries.run(run) else { throw Problem.notFound("There is no such run.") }
        return .json { RunJSON.run(row, &$0) }
    }

    @Sendable private func logs(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let bytes = Self.bytes(&fields)
        let offset = fields.integer("offset", 0...Fields.ids.upperBound).map { UInt64($0) }
        try fields.finish()
        let (run, reported) = try await run(call)
        do throws(ReportFailure) {
            let total = try await reported.append(bytes, to: run, at: offset)
            return .json { $0.object { $0.field("bytes", Int64(total)) } }
        } catch {
            throw Problem(error)
        }
    }

    private static func bytes(_ fields: inout Fields) -> [UInt8] {
        let text = fields.string("text", max: textBytesMax, min: 0)
        let lines = fields.strings("lines", max: linesMax)
        if let lines, lines.contains(where: { $0.unicodeScalars.count > lineBytesMax }) {
            fields.wrong("lines", "A line may have at most \(lineBytesMax) characters.")
        }
        guard (text == nil) != (lines == nil) else {
            fields.wrong("text", "Give either `text` or `lines`.")
            return []
        }
        return Array((text ?? (lines ?? []).map { $0 + "\n" }.joined()).utf8)
    }

    private func run(_ call: Call) async throws -> (RunID, any ReportedRuns) {
        let id = RunID(try call.id(what: "run"))
        guard let detail = try await services.queries.runDetail(id) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: detail.run.project, what: "run")
        guard detail.plan.isReported, let reported = services.reported else {
            throw Problem.conflict(
                "AnsFlow executes this run itself. Only runs that were started with `reported_by` are reported.")
        }
        return (id, reported)
    }
}

extension Problem {
    init(_ failure: ReportFailure) {
        switch failure {
        case .waiting:
            self = .unavailable("The run waits, since many others of its kind go on. Try again soon.", retryAfter: 5)
        case .notOpen: self = .conflict("The run has ended; nothing is taken for it any more.")
        case .hole(let end): self = .conflict("The log has \(end) bytes; what comes next begins there.")
        case .full(let max): self = .conflict("The log has its largest size of \(max) bytes.")
        case .unavailable: self = .unavailable("Nothing can be made durable now.")
        }
    }
}
