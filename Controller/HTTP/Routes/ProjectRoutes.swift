import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Projects: their life, and who may do what in them.
struct ProjectRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]
    static let path = "/api/v1/projects"

    var routes: [Route] {
        let one = Self.path + "/{id}"
        return [
            Route(
                .get, Self.path, .read, "listProjects", "Projects that the caller may see", role: .viewer,
                query: Query.paging + [QueryParameter("q", "Part of the name"), Query.order],
                describes: Description(.projects, answers: [.page(of: Schemas.project)]), handler: list),
            Route(
                .post, Self.path, .admin, "createProject", "Make a project", body: Self.json,
                describes: Description(
                    .projects, takes: Schemas.newProject, answers: [.created(.component(Schemas.project))]),
                handler: create),
            Route(
                .get, one, .read, "getProject", "One project, with the caller's role in it", role: .viewer,
                describes: Description(.projects, answers: [.ok(.component(Schemas.project))]), handler: get),
            Route(
                .put, one, .write, "replaceProject", "Replace name and description", role: .owner, body: Self.json,
                describes: Description(
                    .projects, takes: Schemas.projectText, answers: [.ok(.component(Schemas.project))],
                    takesIfMatch: true)
            ) { try await change($0, isReplacement: true) },
            Route(
                .patch, one, .write, "updateProject", "Rename a project, archive it or make it active again",
                role: .owner, body: Self.json,
                describes: Description(
                    .projects, "An archived project can be read; nothing of it changes and nothing starts.",
                    takes: Schemas.projectEdit, answers: [.ok(.component(Schemas.project))], takesIfMatch: true)
            ) { try await change($0, isReplacement: false) },
            Route(
                .delete, one, .write, "deleteProject",
                "Delete a project with its pipelines, runs, logs, artifacts, hooks and secrets",
                role: .owner,
                query: [
                    QueryParameter("confirm", "The project's name, so that none is deleted by mistake", required: true)
                ],
                describes: Description(
                    .projects,
                    "From the answer on nobody finds it; what belongs to it goes in pieces. Refused while runs of it go on.",
                    answers: [.noContent], problems: [409], takesIfMatch: true), handler: delete),
        ]
    }

    private func projects() throws -> any ProjectRepository {
        guard let projects = services.projects else { throw Problem.unavailable("Projects are not kept here.") }
        return projects
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        let text = call.query.text("q")
        let rows = try await projects().projects(
            visible: call.visible, text: text, order: call.query.order(), page: page, perPage: perPage)
        return ListJSON.reply(
            rows, number: page, perPage: perPage, path: Self.path,
            query: call.query.kept(["q", "sort"])
        ) { json, row in json.object { Self.members(row, call, &$0) } }
    }

    private func find(_ call: Call) async throws -> ProjectRow {
        guard let row = try await projects().project(ProjectID(call.id(what: "project"))) else {
            throw Problem.notFound("There is no such project.")
        }
        try await call.allow(in: row.id, evenArchived: true)
        return row
    }

    @Sendable private func get(_ call: Call) async throws -> Reply { Self.reply(try await find(call), call) }

    @Sendable private func create(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let name = fields.name("name", isRequired: true) ?? ""
        let description = fields.string("description", max: 4096) ?? ""
        let owner = fields.integer("owner_id", Fields.ids).map { UserID(Int64($0)) }
        try fields.finish()
        let key = try RunRoutes.idempotencyKey(call)
        let row = try await UserRoutes.changing {
            do {
                return try await projects().createProject(
                    name: name, description: description, owner: owner, by: call.principal.name, key: key,
                    at: configuration.now())
            } catch PeopleChange.notFound {
                throw Problem.invalid("owner_id", "There is no such user.")
            }
        }
        // Who makes it may have become its owner by that.
        var maker = call
        maker.access = try await services.access.access(of: call.principal)
        var reply = Self.reply(row, maker)
        reply.status = .created
        reply.headers[.location] = "\(Self.path)/\(row.id)"
        return reply
    }

    /// A name that stays may be one that could not be given today.
    private static func renamed(_ fields: inout Fields, _ old: String, isReplacement: Bool) -> String? {
        if case .string(old) = fields.raw("name") { return old }
        return fields.name("name", isRequired: isReplacement)
    }

    private func change(_ call: Call, isReplacement: Bool) async throws -> Reply {
        let row = try await find(call)
        let expected = try call.expectedVersion()
        var fields = try call.fields()
        var edit = ProjectEdit(
            name: Self.renamed(&fields, row.name, isReplacement: isReplacement),
            description: fields.string("description", max: 4096) ?? (isReplacement ? "" : nil))
        if !isReplacement { edit.isArchived = fields.bool("archived") }
        try fields.finish()
        let final = edit
        return Self.reply(
            try await UserRoutes.changing {
                try await projects().changeProject(row.id, final, expected: expected, at: configuration.now())
            }, call)
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let row = try await find(call)
        let expected = try call.expectedVersion()
        guard call.query.text("confirm") == row.name else {
            throw Query.wrong("confirm", "It must be the project's name. All that belongs to the project is removed.")
        }
        try await Removals(services: services).remove(.project(row.id), expected: expected, call)
        return .noContent
    }

    private static func reply(_ row: ProjectRow, _ call: Call) -> Reply {
        var reply = Reply.json { json in json.object { members(row, call, &$0) } }
        // With the role, which is the caller's own.
        reply.headers[.eTag] = "\"\(row.version)\""
        reply.etag = reply.headers[.eTag]
        return reply
    }

    private static func members(_ row: ProjectRow, _ call: Call, _ json: inout JSONWriter) {
        json.field("id", row.id.rawValue)
        json.field("name", row.name)
        json.field("description", row.description)
        json.field("state", row.state.rawValue)
        json.field("role", call.access.role(in: row.id)?.rawValue)
        json.field("version", row.version)
        json.field("created_at", time: row.createdAt)
        json.field("updated_at", time: row.updatedAt)
    }
}
