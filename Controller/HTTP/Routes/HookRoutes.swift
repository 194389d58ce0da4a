import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// Hooks of a project: what may send webhooks to it, with secrets that are shown once.
struct HookRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]

    var routes: [Route] {
        let all = "/api/v1/projects/{id}/hooks"
        let one = all + "/{hook_id}"
        return [
            Route(
                .get, all, .write, "listHooks", "Hooks of a project", role: .maintainer,
                query: Query.pagingIfWanted,
                describes: Description(.webhooks, answers: [.whole(of: Schemas.hook)]), handler: list),
            Route(
                .post, all, .write, "createHook", "Make a hook; its secret is shown once", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .webhooks, "A random secret is answered; one that was given is not.", takes: Schemas.newHook,
                    answers: [.created(.component(Schemas.hook))], problems: [404]), handler: create),
            Route(
                .get, one, .write, "getHook", "One hook", role: .maintainer,
                describes: Description(.webhooks, answers: [.ok(.component(Schemas.hook))]), handler: get),
            Route(
                .patch, one, .write, "updateHook", "Change a hook", role: .maintainer, body: Self.json,
                describes: Description(
                    .webhooks, takes: Schemas.changedHook, answers: [.ok(.component(Schemas.hook))], problems: [409],
                    comparesTag: true),
                handler: update),
            Route(
                .delete, one, .write, "deleteHook", "Delete a hook", role: .maintainer,
                describes: Description(.webhooks, answers: [.noContent], comparesTag: true), handler: delete),
            Route(
                .post, one + "/secrets", .write, "createHookSecret",
                "Add a secret beside the others, to change the sender without a gap", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .webhooks, takes: Schemas.newHookSecret, answers: [.created(.component(Schemas.hook))]),
                handler: addSecret),
            Route(
                .delete, one + "/secrets/{secret_id}", .write, "deleteHookSecret", "Delete an old secret",
                role: .maintainer,
                describes: Description(.webhooks, answers: [.noContent], problems: [409]), handler: deleteSecret),
            Route(
                .post, one + "/test", .write, "testHook", "Store and judge a delivery that starts nothing",
                role: .maintainer,
                body: Self.json,
                describes: Description(
                    .webhooks, takes: .nothing,
                    answers: [.json(202, .component(Schemas.storedEvent), "Stored; it is judged next")]),
                handler: test),
        ]
    }

    private func hooks() throws -> any WebhookManaging {
        guard let hooks = services.hooks else { throw Problem.unavailable("Webhooks are not taken here.") }
        return hooks
    }

    private func find(_ call: Call) async throws -> HookView {
        let project = ProjectID(try call.id(what: "project"))
        guard let view = try await hooks().hook(HookID(call.id(1, what: "hook"))), view.row.project == project else {
            throw Problem.notFound("There is no such hook.")
        }
        try await call.allow(in: view.row.project, what: "hook")
        return view
    }

    // MARK: Handlers

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let views = try await hooks().hooks(of: project)
        return try ListJSON.whole(views, call) { write($1, &$0) }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let view = try await find(call)
        var reply = Reply.json(text(view))
        // When something came last changes by itself.
        var set = view
        set.row.lastDeliveryAt = nil
        reply.etag = reply.buffer.map { EntityTag.of(settings: EntityTag.of(text(set)), shown: EntityTag.of($0)) }
        return reply
    }

    @Sendable private func create(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let now = configuration.now()
        var fields = try call.fields()
        let word = fields.required("source", max: 32)
        let source = WebhookSource(rawValue: word)
        if source == nil, !word.isEmpty {
            let known = WebhookSource.allCases.map(\.rawValue).joined(separator: ", ")
            fields.wrong("source", "It must be one of: \(known).")
        }
        var row = HookRow(
            project: project, source: source ?? .generic, name: word,
            createdBy: call.principal.name, createdAt: now, updatedAt: now)
        row.catchUp = row.source.isForge ? .start : .off
        let secret = Self.secret(&fields)
        try await read(&row, &fields)
        return try await changing {
            let view = try await hooks().createHook(row, secret: secret)
            return .created(at: Self.path(view.row), text(view))
        }
    }

    @Sendable private func update(_ call: Call) async throws -> Reply {
        var row = try await find(call).row
        var fields = try call.fields()
        row.updatedAt = configuration.now()
        try await read(&row, &fields)
        return try await changing { .json(text(try await hooks().updateHook(row))) }
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let row = try await find(call).row
        return try await changing {
            try await hooks().deleteHook(row.id, by: call.principal.name)
            return .noContent
        }
    }

    @Sendable private func addSecret(_ call: Call) async throws -> Reply {
        let row = try await find(call).row
        var fields = try call.optionalFields()
        let secret = Self.secret(&fields)
        try fields.finish()
        return try await changing {
            let view = try await hooks().addSecret(secret, to: row.id, by: call.principal.name)
            return .created(at: Self.path(row), text(view))
        }
    }

    @Sendable private func deleteSecret(_ call: Call) async throws -> Reply {
        let row = try await find(call).row
        let id = try call.id(2, what: "secret")
        return try await changing {
            try await hooks().deleteSecret(id, of: row.id)
            return .noContent
        }
    }

    @Sendable private func test(_ call: Call) async throws -> Reply {
        let row = try await find(call).row
        try call.noFields()
        let id = try await changing { () async throws -> DeliveryID in
            try await hooks().test(row.id, by: call.principal.name)
        }
        return .json(.accepted) { json in json.object { $0.field("event_id", id.rawValue) } }
    }

    /// Says what is wrong in the words of the interface.
    private func changing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let change as HookChange {
            switch change {
            case .noProject: throw Problem.notFound("There is no such project.")
            case .notFound: throw Problem.notFound("There is no such hook or secret.")
            case .nameTaken: throw Problem.conflict("The project has a hook of this name. Choose another `name`.")
            case .tooMany:
                throw Problem.conflict("The project has \(WebhookLimits.hooksPerProjectMax) hooks, which is the most.")
            case .tooManySecrets:
                throw Problem.conflict("The hook has \(WebhookLimits.secretsMax) secrets. Delete an old one first.")
            case .lastSecret:
                throw Problem.conflict("A hook needs a secret. Add another one first, or delete the hook.")
            }
        } catch let refusal as WebhookRefusal {
            throw Problem(refusal)
        }
    }

    // MARK: Fields

    private static func secret(_ fields: inout Fields) -> String? {
        guard let secret = fields.string("secret", max: WebhookLimits.secretBytesMax, isLine: true) else { return nil }
        if secret.utf8.count < WebhookLimits.secretBytesMin {
            fields.wrong(
                "secret", "It must have at least \(WebhookLimits.secretBytesMin) bytes; leave it out for a random one.")
        }
        return secret
    }

    /// Takes what is given over what is there.
    private func read(_ row: inout HookRow, _ fields: inout Fields) async throws {
        if let name = fields.string("name", max: WebhookLimits.nameBytesMax, min: 1) { row.name = name }
        if !WebhookLimits.isName(row.name) {
            fields.wrong("name", "It may have letters, digits, `-`, `_` and `.` only.")
        }
        row.enabled = fields.bool("enabled") ?? row.enabled
        if let word = fields.string("catch_up", max: 16) {
            if let catchUp = HookCatchUp(rawValue: word) {
                row.catchUp = catchUp
            } else {
                fields.wrong("catch_up", "It must be `start`, `offer` or `off`.")
            }
        }
        row.mirrorsBuilds = fields.bool("mirrors_builds") ?? row.mirrorsBuilds
        if row.mirrorsBuilds, row.source != .jenkins {
            fields.wrong("mirrors_builds", "Only builds that Jenkins tells of can be shown as runs.")
        }
        if let value = fields.raw("repository") {
            var repository = try Fields(value)
            row.repositoryID = repository.string("id", max: 200, isLine: true) ?? row.repositoryID
            row.repositoryURL = repository.string("url", max: 2048, isLine: true) ?? row.repositoryURL
            try repository.finish()
        }
        try await readPipelines(&row, &fields)
        try fields.finish()
    }

    private func readPipelines(_ row: inout HookRow, _ fields: inout Fields) async throws {
        if let value = fields.raw("pipelines") {
            guard case .array(let items) = value, items.count <= WebhookLimits.pipelinesMax else {
                return fields.wrong("pipelines", "It must be a list of at most \(WebhookLimits.pipelinesMax) ids.")
            }
            row.pipelines = []
            for (index, item) in items.enumerated() {
                guard case .number(let number) = item, let id = Int64(exactly: number),
                    let pipeline = try await services.pipelines.pipeline(PipelineID(id)),
                    pipeline.project == row.project
                else {
                    fields.wrong("pipelines[\(index)]", "The project has no such pipeline.")
                    continue
                }
                if !row.pipelines.contains(pipeline.id) { row.pipelines.append(pipeline.id) }
            }
        }
        if row.pipelines.isEmpty, !row.source.isForge {
            fields.wrong("pipelines", "A hook of this source must name the pipelines that it may start.")
        }
    }

    private static func path(_ row: HookRow) -> String { "/api/v1/projects/\(row.project)/hooks/\(row.id)" }

    private func text(_ view: HookView) -> ByteBuffer {
        var json = JSONWriter()
        write(view, &json)
        return json.buffer
    }

    private func write(_ view: HookView, _ json: inout JSONWriter) {
        let row = view.row
        var base = configuration.publicURL[...]
        while base.hasSuffix("/") { base.removeLast() }
        json.object { json in
            json.field("id", row.id.rawValue)
            json.field("project_id", row.project.rawValue)
            json.field("source", row.source.rawValue)
            json.field("name", row.name)
            json.field("enabled", row.enabled)
            json.field("url", "\(base)\(WebhookRoutes.root)/\(row.source.rawValue)?hook=\(row.id)")
            json.name("repository")
            json.object { json in
                json.field("id", row.repositoryID.isEmpty ? nil : row.repositoryID)
                json.field("url", row.repositoryURL.isEmpty ? nil : row.repositoryURL)
            }
            json.name("pipelines")
            json.array(row.pipelines) { $0.int($1.rawValue) }
            json.field("catch_up", row.catchUp.rawValue)
            json.field("mirrors_builds", row.mirrorsBuilds)
            json.name("secrets")
            json.array(view.secrets) { json, secret in
                json.object { json in
                    json.field("id", secret.id)
                    json.field("created_by", secret.createdBy)
                    json.field("created_at", time: secret.createdAt)
                }
            }
            if let secret = view.secret { json.field("secret", secret) }
            json.field("created_by", row.createdBy)
            json.field("created_at", time: row.createdAt)
            json.field("updated_at", time: row.updatedAt)
            json.field("last_delivery_at", time: row.lastDeliveryAt)
        }
    }
}
