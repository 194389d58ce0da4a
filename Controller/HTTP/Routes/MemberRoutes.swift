import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Members of projects.
struct MemberRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]

    var routes: [Route] {
        let path = ProjectRoutes.path + "/{id}/members"
        let one = path + "/{user_id}"
        return [
            Route(
                .get, path, .read, "listMembers", "Members of a project, by name", role: .viewer, query: Query.paging,
                describes: Description(.projects, answers: [.page(of: Schemas.member)]), handler: list),
            Route(
                .get, one, .read, "getMember", "One member of a project", role: .viewer,
                describes: Description(.projects, answers: [.ok(.component(Schemas.member))]), handler: get),
            Route(
                .put, one, .write, "setMember", "Add a member, or give one another role", role: .owner, body: Self.json,
                describes: Description(
                    .projects, takes: Schemas.memberRole,
                    answers: [.ok(.component(Schemas.member)), .created(.component(Schemas.member), at: false)],
                    comparesTag: true),
                handler: set),
            Route(
                .delete, one, .write, "removeMember", "Remove a member; everybody may leave", role: .viewer,
                describes: Description(.projects, answers: [.noContent], comparesTag: true), handler: remove),
        ]
    }

    private func projects() throws -> any ProjectRepository {
        guard let projects = services.projects else { throw Problem.unavailable("Projects are not kept here.") }
        return projects
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let (page, perPage) = try call.query.page()
        let rows = try await projects().members(of: project, page: page, perPage: perPage)
        return ListJSON.reply(
            rows, number: page, perPage: perPage, path: "\(ProjectRoutes.path)/\(project)/members"
        ) { json, row in json.object { Self.members(row, &$0) } }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        guard let row = try await projects().member(UserID(call.id(1, what: "member")), of: project) else {
            throw Problem.notFound("There is no such member.")
        }
        return .json { json in json.object { Self.members(row, &$0) } }
    }

    @Sendable private func set(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let user = UserID(try call.id(1, what: "user"))
        var fields = try call.fields()
        let text = fields.required("role", max: 32)
        let role = Role(rawValue: text)
        if !text.isEmpty, role == nil {
            let known = Role.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            fields.wrong("role", "It must be one of: \(known).")
        }
        try fields.finish()
        guard let role else { throw Problem.invalid("role", "It is missing.") }
        let result = try await UserRoutes.changing {
            try await projects().setMember(
                user, role, of: project, by: call.principal.name, at: configuration.now())
        }
        return .json(result.isNew ? .created : .ok) { json in json.object { Self.members(result.row, &$0) } }
    }

    @Sendable private func remove(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        let user = UserID(try call.id(1, what: "member"))
        try await call.allow(user == call.principal.user ? .viewer : .owner, in: project)
        guard try await projects().removeMember(user, of: project) else {
            throw Problem.notFound("There is no such member.")
        }
        return .noContent
    }

    private static func members(_ row: MemberRow, _ json: inout JSONWriter) {
        json.field("user_id", row.user.rawValue)
        json.field("username", row.name)
        json.field("role", row.role.rawValue)
        json.field("added_by", row.addedBy)
        json.field("created_at", time: row.createdAt)
        json.field("updated_at", time: row.updatedAt)
    }
}
