import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// Where a project's commit statuses go.
struct ForgeRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]

    var routes: [Route] {
        let path = "/api/v1/projects/{id}/forges"
        return [
            Route(
                .get, path, .read, "listForges", "Forges that get a project's commit statuses", role: .viewer,
                query: Query.pagingIfWanted,
                describes: Description(.projects, answers: [.whole(of: Schemas.forge)]), handler: list),
            Route(
                .post, path, .write, "createForge", "Let a forge get commit statuses", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .projects, takes: Schemas.newForge, answers: [.created(.component(Schemas.forge))])
            ) { call in
                try await save(call, nil)
            },
            Route(
                .get, path + "/{forge_id}", .read, "getForge", "One forge connection", role: .viewer,
                describes: Description(.projects, answers: [.ok(.component(Schemas.forge))])
            ) { call in
                let found = try await find(call)
                return .json { write(found, &$0) }
            },
            Route(
                .put, path + "/{forge_id}", .write, "updateForge", "Change a forge connection", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .projects, "What is not given stays as it is.", takes: Schemas.changedForge,
                    answers: [.ok(.component(Schemas.forge))], problems: [409], comparesTag: true)
            ) { call in
                try await save(call, find(call))
            },
            Route(
                .delete, path + "/{forge_id}", .write, "deleteForge", "Send a forge no more statuses",
                role: .maintainer,
                describes: Description(.projects, answers: [.noContent], comparesTag: true), handler: delete),
            Route(
                .get, path + "/{forge_id}/statuses", .read, "listForgeStatuses",
                "Statuses that were sent to a forge, newest first", role: .viewer, query: Query.paging,
                describes: Description(.projects, answers: [.page(of: Schemas.forgeStatus)]), handler: statuses),
        ]
    }

    private func repository() throws -> any ForgeConnectionRepository {
        guard let forges = services.forges else { throw Problem.unavailable("No statuses go to forges here.") }
        return forges
    }

    /// The project that the path names, for callers who may.
    private func project(_ call: Call) async throws -> ProjectID {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        return project
    }

    private func find(_ call: Call) async throws -> ForgeConnection {
        let id = try call.id(1, what: "forge connection")
        let project = try await project(call)
        guard let found = try await repository().forge(id, of: project) else {
            throw Problem.notFound("There is no such forge connection.")
        }
        return found
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let project = try await project(call)
        let all = try await repository().forges(of: project)
        return try ListJSON.whole(all, call) { write($1, &$0) }
    }

    /// Makes one, or replaces one: fields that are not given keep what they were.
    private func save(_ call: Call, _ old: ForgeConnection?) async throws -> Reply {
        let project = try await project(call)
        var fields = try call.fields()
        let word = old == nil ? fields.required("kind", max: 32) : fields.string("kind", max: 32) ?? old?.kind.rawValue
        let kind = word.flatMap { ForgeKind(rawValue: $0) }
        if kind == nil, word?.isEmpty == false {
            fields.wrong("kind", "It must be one of: \(ForgeKind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let given = fields.string("api_url", max: 1024, isLine: true) ?? old?.api ?? kind?.standardAPI
        let repository = fields.string("repository", max: 512, min: 1, isLine: true) ?? old?.repository
        let secret = fields.string("secret", max: SecretLimits.nameBytesMax) ?? old?.secret
        let pipeline = fields.integer("pipeline_id", Fields.ids).map { PipelineID(Int64($0)) } ?? old?.pipeline
        let enabled = fields.bool("enabled") ?? old?.enabled ?? true
        let api = given.map(TargetURL.trimmed) ?? ""
        if given == nil, kind != nil {
            fields.wrong(
                "api_url",
                "It is missing: give the address of the forge's interface, as https://git.example.org/api/v1.")
        } else if given != nil, let fault = TargetURL.fault(api) {
            fields.wrong("api_url", fault)
        }
        if repository == nil { fields.wrong("repository", "It is missing.") }
        if let kind, let repository, let fault = Self.fault(of: repository, at: kind) {
            fields.wrong("repository", fault)
        }
        if secret == nil { fields.wrong("secret", "It is missing: name the project's secret that holds the token.") }
        if let secret, !SecretLimits.isName(secret) { fields.wrong("secret", "This is no name of a secret.") }
        try fields.finish()
        guard let kind, let repository, let secret else { throw Problem.internalError }
        let now = configuration.now()
        let row = ForgeConnection(
            id: old?.id ?? 0, project: project, pipeline: pipeline, kind: kind, api: api, repository: repository,
            secret: secret, enabled: enabled, createdAt: old?.createdAt ?? now, updatedAt: now)
        guard let stored = try await NoticeProblem.mapped({ try await self.repository().save(row) }) else {
            throw Problem.notFound("There is no such forge connection.")
        }
        var json = JSONWriter()
        write(stored, &json)
        if old != nil { return .json(json.buffer) }
        return .created(at: "/api/v1/projects/\(project)/forges/\(stored.id)", json.buffer)
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let id = try call.id(1, what: "forge connection")
        let project = try await project(call)
        guard try await repository().deleteForge(id, of: project) else {
            throw Problem.notFound("There is no such forge connection.")
        }
        return .noContent
    }

    @Sendable private func statuses(_ call: Call) async throws -> Reply {
        let connection = try await find(call)
        let (page, perPage) = try call.query.page()
        let found = try await repository().statuses(of: connection.id, page: page, perPage: perPage)
        let path = "/api/v1/projects/\(connection.project)/forges/\(connection.id)/statuses"
        return ListJSON.reply(found, number: page, perPage: perPage, path: path) { json, view in
            json.object { json in
                json.field("commit", view.status.commit)
                json.field("context", view.status.context)
                json.field("state", view.status.state.rawValue)
                json.field("description", view.status.summary)
                json.field("run_id", view.status.run > 0 ? view.status.run : nil)
                json.field("ref", view.status.ref)
                NoticeJSON.delivery(view.delivery, &json)
                json.field("updated_at", time: view.updatedAt)
            }
        }
    }

    /// What is wrong with a repository's name; `nil` where it is one. It becomes a part of the forge's address.
    static func fault(of repository: String, at kind: ForgeKind) -> String? {
        if kind == .gitlab, !repository.isEmpty, repository.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return nil
        }
        let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
        let isWell = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                        || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
                }
        }
        let count = kind == .gitlab ? 2...20 : 2...2
        if isWell, count.contains(parts.count) { return nil }
        return kind == .gitlab
            ? "It must be group/name, or the project's number."
            : "It must be owner/name, as in the repository's address."
    }

    private func write(_ row: ForgeConnection, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", row.id)
            json.field("project_id", row.project.rawValue)
            json.field("pipeline_id", row.pipeline?.rawValue)
            json.field("kind", row.kind.rawValue)
            json.field("api_url", row.api)
            json.field("repository", row.repository)
            json.field("secret", row.secret)
            json.field("enabled", row.enabled)
            json.field("created_at", time: row.createdAt)
            json.field("updated_at", time: row.updatedAt)
        }
    }
}
