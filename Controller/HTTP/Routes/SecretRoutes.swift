import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import HTTPTypes
import NIOCore

/// Secrets of projects and environments: values go in and never come out.
struct SecretRoutes {
    let services: HTTPServices

    /// The shortest value that logs are masked for.
    private static let maskedBytesMin = 4
    private static let json = ["application/json"]

    var routes: [Route] {
        let project = "/api/v1/projects/{id}"
        return places(project + "/secrets", "", "a project") { _ in "" }
            + places(project + "/environments/{environment}/secrets", "Environment", "an environment") { call in
                let name = call.parameters[1]
                guard SecretLimits.isEnvironment(name) else {
                    throw Problem.notFound("There is no such environment.")
                }
                return name
            }
    }

    /// The routes of one kind of place; the environment is the second of the path's parameters where there is one.
    private func places(
        _ path: String, _ kind: String, _ what: String, environment: @escaping @Sendable (Call) throws -> String
    ) -> [Route] {
        [
            Route(
                .get, path, .write, "list\(kind)Secrets", "Names of the secrets of \(what)", role: .maintainer,
                query: Query.pagingIfWanted,
                describes: Description(.secrets, answers: [.whole(of: Schemas.secret)])
            ) { call in
                try await list(call, environment(call))
            },
            Route(
                .post, path, .write, "create\(kind)Secret", "Set a new secret of \(what)", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .secrets, takes: Schemas.newSecret, answers: [.created(.component(Schemas.keptSecret))],
                    problems: [409])
            ) { call in
                try await create(call, environment(call))
            },
            Route(
                .get, path + "/{name}", .write, "get\(kind)Secret", "When a secret of \(what) was set, and by whom",
                role: .maintainer,
                describes: Description(
                    .secrets, "Its value is never told.", answers: [.ok(.component(Schemas.secret))])
            ) { call in
                try await get(call, environment(call))
            },
            Route(
                .put, path + "/{name}", .write, "set\(kind)Secret", "Set or replace a secret of \(what)",
                role: .maintainer,
                body: Self.json,
                describes: Description(
                    .secrets, "`If-Match` takes the secret's `version`, in quotes.", takes: Schemas.secretValue,
                    answers: [
                        .ok(.component(Schemas.keptSecret)), .created(.component(Schemas.keptSecret), at: false),
                    ], problems: [409], takesIfMatch: true)
            ) { call in
                try await replace(call, environment(call))
            },
            Route(
                .delete, path + "/{name}", .write, "delete\(kind)Secret", "Delete a secret of \(what)",
                role: .maintainer,
                describes: Description(.secrets, answers: [.noContent], problems: [409], takesIfMatch: true)
            ) { call in
                try await delete(call, environment(call))
            },
        ]
    }

    private func vault() throws -> any SecretManaging {
        guard let secrets = services.secrets else { throw Problem.unavailable("Secrets are not kept here.") }
        return secrets
    }

    /// The project that the path names, for callers who may.
    private func project(_ call: Call) async throws -> ProjectID {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        return project
    }

    private func list(_ call: Call, _ environment: String) async throws -> Reply {
        let project = try await project(call)
        let rows = try await vault().list(project: project, environment: environment)
        return try ListJSON.whole(rows, call) { json, row in json.object { Self.members(row, &$0) } }
    }

    private func get(_ call: Call, _ environment: String) async throws -> Reply {
        let project = try await project(call)
        let name = call.parameters[environment.isEmpty ? 1 : 2]
        let rows = try await vault().list(project: project, environment: environment)
        guard let row = rows.first(where: { $0.name == name }) else {
            throw Problem.notFound("There is no such secret.")
        }
        return Self.tagged(.json { json in json.object { Self.members(row, &$0) } }, row)
    }

    /// With the version that `If-Match` takes.
    private static func tagged(_ given: Reply, _ row: SecretRow) -> Reply {
        var reply = given
        reply.etag = "\"\(row.version)\""
        reply.headers[.eTag] = reply.etag
        return reply
    }

    private func create(_ call: Call, _ environment: String) async throws -> Reply {
        var fields = try call.fields()
        let name = fields.required("name", max: SecretLimits.nameBytesMax)
        if !name.isEmpty, !SecretLimits.isName(name) { fields.wrong("name", Self.nameRule) }
        let value = Self.value(&fields)
        try fields.finish()
        let row = try await set(name, value, call, environment, .create)
        return Self.tagged(.created(at: "\(Self.path(row))/\(name)", Self.text(row, value)), row)
    }

    private func replace(_ call: Call, _ environment: String) async throws -> Reply {
        var fields = try call.fields()
        let name = call.parameters[environment.isEmpty ? 1 : 2]
        if !SecretLimits.isName(name) { fields.wrong("name", Self.nameRule) }
        let value = Self.value(&fields)
        try fields.finish()
        let expected = try call.expectedVersion()
        let row = try await set(
            name, value, call, environment, expected.map { .replaceVersion($0) } ?? .createOrReplace)
        return Self.tagged(.json(Self.text(row, value), row.version == 1 ? .created : .ok), row)
    }

    private func delete(_ call: Call, _ environment: String) async throws -> Reply {
        let name = call.parameters[environment.isEmpty ? 1 : 2]
        let project = try await project(call)
        guard
            try await changing({
                try await vault().delete(
                    name, project: project, environment: environment, expected: call.expectedVersion())
            })
        else {
            throw Problem.notFound("There is no such secret.")
        }
        return .noContent
    }

    private func set(
        _ name: String, _ value: String, _ call: Call, _ environment: String, _ mode: SecretPut
    ) async throws -> SecretRow {
        let project = try await project(call)
        return try await changing {
            try await vault().set(
                name, value: value, project: project, environment: environment, mode: mode,
                by: call.principal.name)
        }
    }

    private func changing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch SecretChange.stale(let current) {
            throw Problem(
                412, "Precondition failed",
                current == 0
                    ? "There is no such secret to replace."
                    : "It has version \(current) by now. Read it again and repeat.")
        } catch SecretChange.noProject {
            throw Problem.notFound("There is no such project.")
        } catch SecretChange.tooMany {
            throw Problem.conflict(
                "The project has \(SecretLimits.perProjectMax) secrets, which is the most. Delete some first.")
        } catch SecretChange.exists {
            throw Problem.conflict("A secret of this name is set already. Replace it with PUT.")
        } catch SecretChange.notFound {
            throw Problem.notFound("There is no such secret.")
        }
    }

    // MARK: Fields

    private static let nameRule =
        "It must be a letter or underscore, then letters, digits and underscores; at most 64 in all."

    /// A variable of a process can't hold a zero byte.
    private static func value(_ fields: inout Fields) -> String {
        let value = fields.required("value", max: SecretLimits.valueBytesMax)
        if value.utf8.contains(0) { fields.wrong("value", "It must not hold a zero byte.") }
        return value
    }

    private static func path(_ row: SecretRow) -> String {
        let project = "/api/v1/projects/\(row.project)"
        guard !row.environment.isEmpty else { return project + "/secrets" }
        return "\(project)/environments/\(PercentCode.encode(row.environment))/secrets"
    }

    private static func text(_ row: SecretRow, _ value: String) -> ByteBuffer {
        var json = JSONWriter()
        json.object { json in
            members(row, &json)
            // Blanks at the ends don't count: logs are searched without them.
            let core = value.utf8.filter { $0 != 32 && !(9...13).contains($0) }
            json.field("masked", core.count >= maskedBytesMin)
        }
        return json.buffer
    }

    private static func members(_ row: SecretRow, _ json: inout JSONWriter) {
        json.field("name", row.name)
        json.field("environment", row.environment.isEmpty ? nil : row.environment)
        json.field("version", row.version)
        json.field("created_at", time: row.createdAt)
        json.field("updated_at", time: row.updatedAt)
        json.field("updated_by", row.updatedBy)
    }
}
