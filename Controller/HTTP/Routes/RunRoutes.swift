import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import Hummingbird

/// Runs: start, list, show, cancel, history, graph.
struct RunRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let caches: AnswerCaches

    static let path = "/api/v1/pipeline-runs"

    var routes: [Route] {
        let one = Self.path + "/{id}"
        return [
            Route(
                .post, "/api/v1/pipelines/{id}/runs", .run, "createRun", "Start a run", role: .developer,
                body: ["application/json"],
                describes: Description(
                    .runs,
                    "At most one of `ref`, `branch` and `tag`; where there is none, the ref of the pipeline is taken. With `reported_by` another system executes the run, and says by `/status` and `/logs` what becomes of it.",
                    takes: .optional(Schemas.runStart, example: "{\"branch\":\"main\",\"inputs\":{\"region\":\"eu\"}}"),
                    answers: [.created(.component(Schemas.run))], problems: [502], keepsOwnKeys: true), handler: create),
            Route(
                .get, Self.path, .read, "listRuns", "List runs", role: .viewer,
                query: Query.paging + Self.filters + [
                    QueryParameter(
                        "sort", "Newest or oldest first", .choice(["-created_at", "created_at"]),
                        default: "-created_at")
                ],
                describes: Description(.runs, answers: [.page(of: Schemas.listedRun)]), handler: list),
            Route(
                .get, one, .read, "getRun", "One run with its jobs, steps and attempts", role: .viewer,
                describes: Description(.runs, answers: [.ok(.component(Schemas.runDetail))]), handler: get),
            Route(
                .post, one + "/cancel", .run, "cancelRun", "Cancel a run", role: .developer, body: ["application/json"],
                describes: Description(
                    .runs, "Who cancels a run that has ended gets its end.",
                    takes: .optional(
                        .input(["reason": Schemas.reason, "force": .flag, "skip_finally": .flag]),
                        example: "{\"reason\":\"Not needed.\"}"), answers: [.ok(.component(Schemas.run))],
                    problems: [409]), handler: cancel),
            Route(
                .get, one + "/events", .read, "runEvents", "The run's ordered history", role: .viewer,
                query: [
                    QueryParameter("after", "Only events above this number", .integer(0...Int64.max), default: "0"),
                    QueryParameter("limit", "At most so many", .integer(1...1000), default: "100"),
                ], describes: Description(.runs, answers: [.ok(.component(Schemas.events))]), handler: events),
            Route(
                .get, one + "/graph", .read, "runGraph", "Jobs, steps and edges with timings", role: .viewer,
                describes: Description(.runs, answers: [.ok(.component(Schemas.runGraph))]), handler: graph),
        ] + ReportedRoutes(services: services).routes + RerunRoutes(services: services, runs: self).routes
            + ApprovalRoutes(services: services).routes
            + EnvironmentRoutes(services: services).routes
    }

    static let filters = [
        QueryParameter("pipeline_id", "Only of this pipeline", .id),
        QueryParameter("project_id", "Only of this project", .id),
        QueryParameter("status", "Only with this status", .choice(Status.self)),
        QueryParameter("branch", "Only of this branch"),
        QueryParameter("event", "Only started by this kind of event"),
        QueryParameter("actor", "Only begun by whoever has this name"),
        QueryParameter("since", "Created at this time or later", .time),
        QueryParameter("until", "Created before or at this time", .time),
        QueryParameter("q", "Part of the pipeline's name, the commit or the branch"),
        QueryParameter(
            "after", "Only what stands behind this run in the list: runs that are made meanwhile move nothing", .id),
    ]

    // MARK: List

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        var filter = try Self.filter(call.query)
        // Part of the key: who may see less gets other pages.
        filter.visible = call.visible
        let key = AnswerCaches.RunsKey(filter: filter, page: page, perPage: perPage)
        // Before the read: see VersionedCache.
        let version = services.runsVersion()
        let answer = try await caches.runs.value(key, version: version) {
            let rows = try await services.queries.runs(key.filter, page: page, perPage: perPage)
            let active = rows.items.filter { $0.phase != .finished }.map(\.id)
            let progress = try await services.queries.progress(of: active)
            let body = ListJSON.body(rows, number: page, perPage: perPage) { RunJSON.listed($1, progress[$1.id], &$0) }
            let query = call.query.kept(Self.filters.map(\.name) + ["sort"])
            let link = ListJSON.link(total: rows.total, number: page, perPage: perPage, path: Self.path, query: query)
            let answer = CachedAnswer(body, link: link)
            return (answer, answer.bytes)
        }
        return answer.reply
    }

    private static func filter(_ query: Query) throws -> RunFilter {
        var filter = RunFilter()
        filter.pipeline = try query.integer("pipeline_id", 1...Int64.max).map { PipelineID($0) }
        filter.project = try query.integer("project_id", 1...Int64.max).map { ProjectID($0) }
        filter.status = query.text("status").flatMap(Status.init(rawValue:))
        filter.branch = query.text("branch")
        filter.event = query.text("event")
        filter.actor = query.text("actor")
        filter.since = try query.time("since")
        filter.until = try query.time("until")
        filter.text = query.text("q")
        filter.after = try query.integer("after", 1...Int64.max).map { RunID($0) }
        filter.isOldestFirst = query.text("sort") == "created_at"
        return filter
    }

    // MARK: One

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let id = RunID(try call.id(what: "run"))
        let agents = services.agentsVersion?()
        // A run that has ended changes no more, but the names of its agents may; it may also be deleted.
        if let agents, let run = try await services.queries.run(id), run.phase == .finished {
            try await call.allow(in: run.project, what: "run")
            let answer = try await caches.run.value(id, version: UInt64(run.seq) &+ agents << 32) {
                let answer = try await Self.answer(self.detail(call), waiting: [])
                return (answer, answer.bytes)
            }
            return answer.reply
        }
        let detail = try await detail(call)
        let waiting = detail.run.phase == .finished ? [] : await services.commands.waitingReasons(detail.run.id)
        return Self.answer(detail, waiting: waiting).reply
    }

    private static func answer(_ detail: RunDetail, waiting: [WaitingReason]) -> CachedAnswer {
        var json = JSONWriter(capacity: 4096 + detail.steps.count * 1024)
        RunJSON.detail(detail, waiting: waiting, &json)
        return CachedAnswer(json.buffer)
    }

    private func detail(_ call: Call) async throws -> RunDetail {
        guard let detail = try await services.queries.runDetail(RunID(call.id(what: "run"))) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: detail.run.project, what: "run")
        return detail
    }

    @Sendable private func events(_ call: Call) async throws -> Reply {
        let id = RunID(try call.id(what: "run"))
        let after = try call.query.integer("after", 0...Int64.max) ?? 0
        let limit = Int(try call.query.integer("limit", 1...1000) ?? 100)
        guard let run = try await services.queries.run(id) else { throw Problem.notFound("There is no such run.") }
        try await call.allow(in: run.project, what: "run")
        let rows = try await services.queries.events(of: id, after: after, limit: limit)
        var reply = Reply.json(capacity: 256 + rows.count * 512) { json in
            json.object { json in
                json.name("items")
                json.array(rows) { RunJSON.event($1, &$0) }
                json.field("after", after)
                json.field("next_after", rows.last?.seq ?? after)
                json.field("total", run.seq)
            }
        }
        if rows.count == limit, let last = rows.last {
            reply.headers[.link] = "<\(Self.path)/\(id)/events?after=\(last.seq)&limit=\(limit)>; rel=\"next\""
        }
        return reply
    }

    @Sendable private func graph(_ call: Call) async throws -> Reply {
        let detail = try await detail(call)
        return .json(capacity: 4096) { GraphJSON.write(detail, &$0) }
    }

    @Sendable private func cancel(_ call: Call) async throws -> Reply {
        let id = RunID(try call.id(what: "run"))
        var fields = try call.optionalFields()
        let reason = fields.string("reason", max: ProtocolLimits.reasonBytesMax)
        let force = fields.bool("force") ?? false
        let skipFinally = fields.bool("skip_finally") ?? false
        try fields.finish()
        guard let known = try await services.queries.run(id) else { throw Problem.notFound("There is no such run.") }
        // What is still going on when a project is archived can be stopped.
        try await call.allow(in: known.project, what: "run", evenArchived: true)
        do {
            let run = try await services.commands.cancelRun(
                id, by: call.principal.name, reason: reason, force: force, skipFinally: skipFinally)
            return .json { RunJSON.run(run, &$0) }
        } catch {
            // The engine knows only runs that have not ended. Who cancels one that has just ended gets its end.
            if error == .notFound, let ended = try await services.queries.run(id) {
                return .json { RunJSON.run(ended, &$0) }
            }
            throw Problem(error, what: "run")
        }
    }

    // MARK: Create

    @Sendable private func create(_ call: Call) async throws -> Reply {
        let id = PipelineID(try call.id(what: "pipeline"))
        var fields = try call.optionalFields()
        let source = RunSource(&fields)
        let inputs = fields.scalars("inputs", max: PlanLimits.inputsMax) ?? [:]
        let priority = fields.integer("priority", -100...100) ?? 0
        let isUntrusted = fields.bool("untrusted") ?? false
        let reporter = ReportedRoutes.reporter(&fields, hasInputs: !inputs.isEmpty, isUntrusted: isUntrusted)
        try fields.finish()
        guard let pipeline = try await services.pipelines.pipeline(id) else {
            throw Problem.notFound("There is no such pipeline.")
        }
        try await call.allow(in: pipeline.project, what: "pipeline")
        let key = try Self.idempotencyKey(call)
        if let key, let known = try await services.queries.idempotentRun(key),
            let run = try await services.queries.run(known)
        {
            guard run.pipeline == id else {
                throw Problem.invalid(
                    "Idempotency-Key", "The Idempotency-Key was used for another pipeline. Choose a new one.")
            }
            let wanted = source.from(pipeline)
            // What was left to the pipeline may have been filled in since; what the caller gives is compared.
            let isSame =
                run.priority == priority && (!source.isGiven || (run.ref, run.tag) == (wanted.ref, wanted.tag))
                && (source.commit.isEmpty || run.commit == source.commit)
                && inputs.allSatisfy { name, value in run.inputs[name] == Self.text(value) }
            guard isSame else {
                throw Problem.invalid(
                    "Idempotency-Key",
                    "The Idempotency-Key was used to start run \(known) with something else. Choose a new one.")
            }
            return Self.created(run, replayed: true)
        }
        guard pipeline.enabled else {
            throw Problem.conflict("The pipeline is paused. Enable it first: PATCH {\"enabled\": true}.")
        }
        if let floor = services.diskFloor() { throw Problem.unavailable(floor, retryAfter: 60) }
        var request =
            if let reporter {
                try await ReportedRoutes(services: services).request(
                    pipeline, source, by: reporter, call.principal.name, priority, key)
            } else {
                try await request(
                    pipeline, source.from(pipeline), inputs: inputs.mapValues(Self.text), call.principal.name, priority,
                    key)
            }
        // What a caller calls untrusted gets no secrets; nobody can call anything trusted that is not.
        if isUntrusted { request.plan.facts.trusted = false }
        request.audit = call.carriedAudit()
        request.plan.facts.trace = call.trace
        do {
            return Self.created(try await services.commands.createRun(request), replayed: false)
        } catch {
            throw Problem(error, what: "pipeline")
        }
    }

    func compile(
        _ pipeline: PipelineRow, _ source: RunSource, event: String = "manual", inputs: [String: String],
        _ actor: String, _ priority: Int, _ key: String?, facts: RunFacts? = nil
    ) throws -> RunRequest {
        let result = services.compiler.compile(
            CompileRequest(
                definition: pipeline.definition, event: event, ref: source.ref, branch: source.branch, tag: source.tag,
                commit: source.commit, repositoryURL: pipeline.repositoryURL,
                allowLocalRepositories: configuration.allowLocalRepositories, inputs: inputs,
                pullRequest: facts?.pullRequest, payload: facts?.payload, changedPaths: facts?.changedPaths,
                trusted: facts?.trusted ?? true))
        guard let plan = result.plan else { throw Self.problem(result.diagnostics) }
        return RunRequest(
            pipeline: pipeline, plan: plan, event: event, ref: source.ref, branch: source.branch, tag: source.tag,
            commit: source.commit, inputs: inputs, priority: priority, actor: actor, idempotencyKey: key)
    }

    static func created(_ run: RunRow, replayed: Bool) -> Reply {
        var json = JSONWriter()
        RunJSON.run(run, &json)
        var reply = Reply.created(at: "\(path)/\(run.id)", json.buffer)
        if replayed { reply.headers[.idempotencyReplayed] = "true" }
        return reply
    }

    /// The caller's key, told apart from other callers'.
    static func idempotencyKey(_ call: Call) throws -> String? {
        guard let key = call.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem.malformed("The Idempotency-Key must have 1 to 255 visible ASCII characters.")
        }
        return "user:\(call.principal.user):\(key)"
    }

    /// A JSON scalar as an input's text.
    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .number(let number): InputValue.number(number).variable
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: ""
        }
    }

    /// The errors of a definition as a 422.
    static func problem(_ diagnostics: [Diagnostic]) -> Problem {
        let errors = diagnostics.filter { $0.severity == .error }
        // What a caller gave is the caller's to mend, field by field; the file has nothing to do with it.
        let given = errors.filter(\.code.isAboutWhatWasGiven)
        if let first = given.first, given.count == errors.count {
            let more = given.count > 1 ? " And \(given.count - 1) more." : ""
            let items = given.map { error in
                Problem.Item(path: error.path, message: [error.message, error.hint ?? ""].joined(separator: " "))
            }
            return .invalid("The field `\(first.path)` is wrong. \(items[0].message)\(more)", errors: items)
        }
        let first = errors.first.map { " \($0)" } ?? ""
        return .invalid(
            "The definition can't be used.\(first)",
            errors: errors.map { Problem.Item(path: $0.path, message: $0.description) })
    }
}

extension DiagnosticCode {
    /// Whether it names a field of the request that starts a run.
    var isAboutWhatWasGiven: Bool { [.inputMissing, .inputUnknown, .inputInvalid].contains(self) }
}
