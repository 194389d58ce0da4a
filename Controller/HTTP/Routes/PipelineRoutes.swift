import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// Pipelines: saved texts with their history.
struct PipelineRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let caches: AnswerCaches

    private static let json = ["application/json"]

    var routes: [Route] {
        let path = "/api/v1/pipelines"
        return [
            Route(
                .get, path, .read, "listPipelines", "List pipelines", role: .viewer,
                query: Query.paging + [
                    QueryParameter("project_id", "Only of this project", .id), QueryParameter("q", "Part of the name"),
                    Query.order,
                ], describes: Description(.pipelines, answers: [.page(of: Schemas.pipeline)]), handler: list),
            Route(
                .post, path, .write, "createPipeline", "Save a new pipeline", role: .maintainer, body: Self.json,
                describes: Description(
                    .pipelines,
                    "The definition comes with the request, or is read from the repository where `repository.path` says.",
                    takes: Schemas.newPipeline, answers: [.created(.component(Schemas.pipeline))],
                    problems: [404, 409, 502]),
                handler: create),
            Route(
                .post, path + "/validate", .read, "validatePipeline", "Check a definition without saving it",
                body: Self.json,
                describes: Description(
                    .pipelines, takes: Schemas.validation, answers: [.ok(.component(Schemas.verdict))]),
                handler: validate),
            Route(
                .get, path + "/schema", .public, "pipelineSchema", "The JSON Schema of pipeline files, for editors",
                describes: Description(
                    .pipelines,
                    answers: [.ok(.anything, example: "{\"title\":\"pipeline\"}", as: "application/schema+json")],
                    problems: [404]), handler: schema),
            Route(
                .get, path + "/{id}", .read, "getPipeline", "One pipeline", role: .viewer,
                describes: Description(
                    .pipelines, "The `ETag` is the version, for `If-Match`.",
                    answers: [.ok(.component(Schemas.pipeline))]), handler: get),
            Route(
                .put, path + "/{id}", .write, "replacePipeline", "Replace a pipeline", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .pipelines, takes: Schemas.newPipeline, answers: [.ok(.component(Schemas.pipeline))],
                    problems: [409, 502], takesIfMatch: true)
            ) { try await change($0, isReplacement: true) },
            Route(
                .patch, path + "/{id}", .write, "updatePipeline", "Change parts of a pipeline", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .pipelines, takes: Schemas.pipelineChange, answers: [.ok(.component(Schemas.pipeline))],
                    problems: [409, 502], takesIfMatch: true)
            ) { try await change($0, isReplacement: false) },
            Route(
                .delete, path + "/{id}", .write, "deletePipeline", "Delete a pipeline", role: .maintainer,
                query: [
                    QueryParameter("runs", "Delete its runs with it, pinned ones too", .flag, default: "false"),
                    QueryParameter("confirm", "The pipeline's name; needed with `runs`"),
                ],
                describes: Description(
                    .pipelines,
                    "Its runs stay, with their logs, until they are too old. With `runs` all of it goes, in pieces; that is refused while runs of it go on.",
                    answers: [.noContent], problems: [409], takesIfMatch: true), handler: delete),
            Route(
                .get, path + "/{id}/status", .read, "pipelineStatus", "Last run and health", role: .viewer,
                describes: Description(.pipelines, answers: [.ok(.component(Schemas.pipelineStatus))]), handler: status),
        ] + VersionRoutes(services: services, configuration: configuration).routes
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        let project = try call.query.integer("project_id", 1...Int64.max)
        let text = call.query.text("q")
        let key = AnswerCaches.PipelinesKey(
            project: project, visible: call.visible, text: text, order: call.query.order(), page: page,
            perPage: perPage)
        // Before the read: see VersionedCache.
        guard let version = services.pipelinesVersion?() else { return try await listing(key).reply }
        return try await caches.pipelines.value(key, version: version) {
            let answer = try await self.listing(key)
            return (answer, answer.bytes)
        }.reply
    }

    private func listing(_ key: AnswerCaches.PipelinesKey) async throws -> CachedAnswer {
        let rows = try await services.pipelines.pipelines(
            project: key.project.map { ProjectID($0) }, visible: key.visible, text: key.text, order: key.order,
            page: key.page, perPage: key.perPage)
        var query = ""
        if let project = key.project { query += "project_id=\(project)&" }
        if let text = key.text { query += "q=\(PercentCode.encode(text))&" }
        if key.order != .name { query += "sort=\(key.order.rawValue)&" }
        let body = ListJSON.body(rows, number: key.page, perPage: key.perPage) { PipelineJSON.write($1, &$0) }
        return CachedAnswer(
            body,
            link: ListJSON.link(
                total: rows.total, number: key.page, perPage: key.perPage, path: "/api/v1/pipelines", query: query))
    }

    private func find(_ call: Call) async throws -> PipelineRow {
        guard let row = try await services.pipelines.pipeline(PipelineID(call.id(what: "pipeline"))) else {
            throw Problem.notFound("There is no such pipeline.")
        }
        try await call.allow(in: row.project, what: "pipeline")
        return row
    }

    @Sendable private func get(_ call: Call) async throws -> Reply { reply(try await find(call)) }

    private func reply(_ row: PipelineRow) -> Reply {
        var reply = Reply.json(capacity: row.definition.utf8.count + 512) { PipelineJSON.write(row, &$0) }
        // The version first, so that `If-Match` can take it back.
        reply.etag = "\"\(row.version)\""
        reply.headers[.eTag] = reply.etag
        return reply
    }

    /// The fields that a body gives, on top of what is there.
    private func draft(_ fields: inout Fields, from old: PipelineRow?, isWhole: Bool) throws -> PipelineDraft {
        var name = old?.name
        // A name that stays may be one that could not be given today.
        if fields.raw("name") == nil || fields.raw("name") != old.map({ .string($0.name) }) {
            name = fields.name("name", isRequired: isWhole)
            if name == "-" { fields.wrong("name", "It must not be `-`: that stands for the project's own pages.") }
        }
        let definition = fields.string("definition", max: PlanLimits.sourceBytesMax, min: 1)
        let enabled = fields.bool("enabled")
        let project = fields.integer("project_id", Fields.ids)
        if let old, let project, project != Int(old.project.rawValue) {
            fields.wrong("project_id", "A pipeline stays in its project, with its runs. Make it anew in the other one.")
        }
        var place = RepositoryFields(isWhole ? nil : old)
        if let value = fields.raw("repository") { try place.read(value, into: &fields) }
        // Who gives a text to a pipeline that was read from its repository stores it from now on.
        if definition != nil, fields.raw("repository") == nil { place.path = "" }
        place.check(definition: definition, isWhole: isWhole, services, &fields)
        let (url, ref) = (place.url, place.ref)
        if !url.isEmpty, let refusal = RepositoryURL.check(url, allowLocal: configuration.allowLocalRepositories) {
            fields.wrong("repository.url", refusal.description)
        }
        if !ref.isEmpty, let refusal = GitRef.check(ref) { fields.wrong("repository.ref", refusal) }
        try fields.finish()
        return PipelineDraft(
            project: project.map { ProjectID(Int64($0)) } ?? old?.project ?? .main, name: name ?? old?.name ?? "",
            definition: definition ?? old?.definition ?? "", repositoryURL: url, ref: ref, path: place.path,
            credential: place.credential, enabled: enabled ?? (isWhole ? true : old?.enabled ?? true))
    }

    /// Refuses a definition that has errors: a saved pipeline can always be read.
    ///
    /// - Returns: the draft, with the definition that its repository has.
    private func checked(_ draft: PipelineDraft) async throws -> PipelineDraft {
        var draft = draft
        if let preparation = services.preparation {
            do throws(RunRefusal) {
                draft.definition = try await preparation.definition(of: draft)
            } catch {
                throw Problem(error)
            }
            return draft
        }
        let result = compile(draft.definition, url: draft.repositoryURL)
        let errors = result.diagnostics.filter { $0.severity == .error }
        guard errors.isEmpty else { throw RunRoutes.problem(errors) }
        return draft
    }

    private func compile(_ definition: String, url: String) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        services.compiler.compile(
            CompileRequest(
                definition: definition, repositoryURL: url,
                allowLocalRepositories: configuration.allowLocalRepositories, isDraft: true))
    }

    @Sendable private func create(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let given = try draft(&fields, from: nil, isWhole: true)
        try await call.allow(in: given.project)
        let draft = try await checked(given)
        let row = try await changing {
            try await services.pipelines.create(draft, by: call.principal.name, at: configuration.now())
        }
        var answer = reply(row)
        answer.status = .created
        answer.headers[.location] = "/api/v1/pipelines/\(row.id)"
        return answer
    }

    @Sendable private func change(_ call: Call, isReplacement: Bool) async throws -> Reply {
        let old = try await find(call)
        let expected = try call.expectedVersion()
        var fields = try call.fields()
        var draft = try draft(&fields, from: old, isWhole: isReplacement)
        var same = PipelineDraft(old)
        (same.name, same.enabled, same.project) = (draft.name, draft.enabled, draft.project)
        // What only changes its name or is paused need not be read again.
        if draft != same || isReplacement && !draft.path.isEmpty { draft = try await checked(draft) }
        let final = draft
        return reply(
            try await changing {
                try await services.pipelines.update(
                    old.id, final, expected: expected, by: call.principal.name, at: configuration.now())
            })
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let row = try await find(call)
        if try call.query.flag("runs") ?? false {
            guard call.query.text("confirm") == row.name else {
                throw Query.wrong("confirm", "It must be the pipeline's name. All of its runs are removed.")
            }
            try await Removals(services: services).remove(.pipeline(row.id), expected: call.expectedVersion(), call)
            return .noContent
        }
        try await changing {
            if let expected = try call.expectedVersion(), expected != row.version {
                throw PipelineChange.stale(current: row.version)
            }
            try await services.pipelines.delete(row.id, by: call.principal.name, at: configuration.now())
        }
        return .noContent
    }

    private func changing<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch PipelineChange.nameTaken {
            throw Problem.conflict("A pipeline of this name exists already. Choose another name.")
        } catch PipelineChange.notFound {
            throw Problem.notFound("There is no such pipeline.")
        } catch PipelineChange.stale(let current) {
            throw Problem(
                412, "Precondition failed", "The pipeline has version \(current) by now. Read it again and repeat.")
        }
    }

    @Sendable private func status(_ call: Call) async throws -> Reply {
        let row = try await find(call)
        var filter = RunFilter()
        filter.pipeline = row.id
        let runs = try await services.queries.runs(filter, page: 1, perPage: 10)
        let finished = runs.items.filter { $0.phase == .finished }
        let good = finished.filter { $0.outcome?.satisfies == true }.count
        return .json { json in
            json.object { json in
                json.field("id", row.id.rawValue)
                json.field("name", row.name)
                json.field("enabled", row.enabled)
                json.field("status", runs.items.first.map { Status(phase: $0.phase, outcome: $0.outcome).rawValue })
                json.field("total_runs", runs.total)
                json.field("recent_finished", finished.count)
                json.field("recent_success_rate", finished.isEmpty ? nil : Double(good) / Double(finished.count))
                json.name("last_run")
                if let last = runs.items.first { RunJSON.run(last, &json) } else { json.null() }
            }
        }
    }

    @Sendable private func schema(_ call: Call) async throws -> Reply {
        guard let schema = services.definitionSchema else { throw Problem.notFound("There is no schema here.") }
        var reply = Reply.json(ByteBuffer(bytes: schema))
        reply.contentType = "application/schema+json"
        return reply
    }

    @Sendable private func validate(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let definition = fields.required("definition", max: PlanLimits.sourceBytesMax)
        let url = fields.string("repository_url", max: 2048) ?? ""
        try fields.finish()
        let result = compile(definition, url: url)
        let isValid = !result.diagnostics.contains { $0.severity == .error }
        let toBeGiven = (result.plan?.inputs ?? []).filter { $0.required && $0.value == nil }
        return .json { json in
            json.object { json in
                json.field("valid", isValid)
                json.name("diagnostics")
                PipelineJSON.diagnostics(result.diagnostics, &json)
                json.name("notes")
                json.array(toBeGiven) { json, input in
                    json.string("The input `\(input.name)` has no default: a run must be given it.")
                }
                json.name("inputs")
                PlanPartJSON.inputs(result.plan?.inputs ?? [], &json)
                json.name("graph")
                if let plan = result.plan { GraphJSON.write(plan, &json) } else { json.null() }
            }
        }
    }
}
