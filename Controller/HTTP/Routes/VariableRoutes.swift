import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// The plain variables of a project.
struct VariableRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    var routes: [Route] {
        let path = ProjectRoutes.path + "/{id}/variables"
        let text = """
            Every step of the project's runs gets them as environment variables, and conditions see them as `env.NAME`. What the \
            file gives in `env` and `secrets` wins. A run keeps those that there were when it was made.
            """
        return [
            Route(
                .get, path, .read, "listVariables", "The project's variables", role: .viewer,
                describes: Description(.projects, text, answers: [.ok(.component(Schemas.variables))]), handler: get),
            Route(
                .put, path, .write, "setVariables", "Put other variables in the place of all that there are",
                role: .maintainer, body: ["application/json"],
                describes: Description(
                    .projects, text + " `If-Match` takes the `ETag` of the GET.", takes: Schemas.newVariables,
                    answers: [.ok(.component(Schemas.variables))], takesIfMatch: true), handler: set),
        ]
    }

    private func repository() throws -> any ProjectVariableRepository {
        guard let found = services.variables else { throw Problem.unavailable("Variables are not kept here.") }
        return found
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        guard let found = try await repository().variables(of: project) else {
            throw Problem.notFound("There is no such project.")
        }
        return Self.reply(found)
    }

    @Sendable private func set(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let expected = try call.expectedVersion()
        var fields = try call.fields()
        if fields.raw("variables") == nil { fields.wrong("variables", "It is missing.") }
        var values: [String: String] = [:]
        for (name, value) in fields.scalars("variables", max: VariableLimits.countMax) ?? [:] {
            guard case .string(let text) = value else {
                fields.wrong("variables.\(name)", "It must be a text.")
                continue
            }
            if let refusal = VariableLimits.refusal(name: name, value: text) {
                fields.wrong("variables.\(name)", refusal)
            }
            values[name] = text
        }
        if let refusal = VariableLimits.refusal(of: values) { fields.wrong("variables", refusal) }
        try fields.finish()
        let final = values
        return Self.reply(
            try await UserRoutes.changing {
                try await repository().setVariables(final, of: project, expected: expected, at: configuration.now())
            })
    }

    private static func reply(_ found: ProjectVariables) -> Reply {
        var reply = Reply.json { json in
            json.object { json in
                json.name("variables")
                json.object { json in
                    for (name, value) in found.values.sorted(by: { $0.key < $1.key }) {
                        json.key(name)
                        json.string(value)
                    }
                }
                json.field("project_version", found.projectVersion)
            }
        }
        reply.etag = "\"\(found.projectVersion)\""
        reply.headers[.eTag] = reply.etag
        return reply
    }
}
