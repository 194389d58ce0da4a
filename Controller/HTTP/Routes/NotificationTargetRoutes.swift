import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// Hooks and team chats that a project's notices can go to, by name.
struct NotificationTargetRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]

    var routes: [Route] {
        let path = "/api/v1/projects/{id}/notification-targets"
        return [
            Route(
                .get, path, .read, "listNotificationTargets", "Hooks and chats that notices can go to", role: .viewer,
                query: Query.pagingIfWanted,
                describes: Description(.notices, answers: [.whole(of: Schemas.target)]), handler: list),
            Route(
                .post, path, .write, "createNotificationTarget", "Add a hook or chat for notices", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .notices, takes: Schemas.newTarget, answers: [.created(.component(Schemas.target))])
            ) { call in
                try await save(call, nil)
            },
            Route(
                .get, path + "/{target_id}", .read, "getNotificationTarget", "One hook or chat", role: .viewer,
                describes: Description(.notices, answers: [.ok(.component(Schemas.target))])
            ) { call in
                let found = try await find(call)
                return .json { Self.write(found, &$0) }
            },
            Route(
                .put, path + "/{target_id}", .write, "updateNotificationTarget", "Change a hook or chat",
                role: .maintainer,
                body: Self.json,
                describes: Description(
                    .notices, "What is not given stays as it is.", takes: Schemas.changedTarget,
                    answers: [.ok(.component(Schemas.target))], problems: [409], comparesTag: true)
            ) { call in
                try await save(call, find(call))
            },
            Route(
                .delete, path + "/{target_id}", .write, "deleteNotificationTarget", "Remove a hook or chat",
                role: .maintainer,
                describes: Description(.notices, answers: [.noContent], problems: [409], comparesTag: true),
                handler: delete),
        ]
    }

    private func repository() throws -> any NoticeRepository {
        guard let notices = services.notices else { throw Problem.unavailable("There are no notices here.") }
        return notices
    }

    /// The project that the path names, for callers who may.
    private func project(_ call: Call) async throws -> ProjectID {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        return project
    }

    private func find(_ call: Call) async throws -> NotificationTarget {
        let project = try await project(call)
        let id = try call.id(1, what: "notification target")
        guard let found = try await repository().target(id), found.project == project else {
            throw Problem.notFound("There is no such notification target.")
        }
        return found
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let project = try await project(call)
        let all = try await repository().targets(of: project)
        return try ListJSON.whole(all, call) { Self.write($1, &$0) }
    }

    private func save(_ call: Call, _ old: NotificationTarget?) async throws -> Reply {
        let project = try await project(call)
        var fields = try call.fields()
        let name =
            old == nil
            ? fields.required("name", max: 64, isLine: true) : fields.string("name", max: 64, min: 1, isLine: true)
        let word = fields.string("format", max: 32) ?? old?.format.rawValue ?? NoticeFormat.json.rawValue
        if NoticeFormat(rawValue: word) == nil {
            fields.wrong(
                "format", "It must be one of: \(NoticeFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let url = fields.string("url", max: 2000, isLine: true)
        let urlSecret = fields.string("url_secret", max: SecretLimits.nameBytesMax)
        let signing = fields.string("signing_secret", max: SecretLimits.nameBytesMax) ?? old?.signingSecret ?? ""
        let enabled = fields.bool("enabled") ?? old?.enabled ?? true
        if (url?.isEmpty ?? true) == (urlSecret?.isEmpty ?? true), old == nil || url != nil || urlSecret != nil {
            fields.wrong("url", "Give either `url`, or `url_secret`: the name of the project's secret that holds it.")
        }
        if let url, !url.isEmpty, let fault = TargetURL.fault(url) { fields.wrong("url", fault) }
        for (field, secret) in [("url_secret", urlSecret ?? ""), ("signing_secret", signing)]
        where !secret.isEmpty && !SecretLimits.isName(secret) {
            fields.wrong(field, "This is no name of a secret.")
        }
        try fields.finish()
        let now = configuration.now()
        let isGiven = url != nil || urlSecret != nil
        let row = NotificationTarget(
            id: old?.id ?? 0, project: project, name: name ?? old?.name ?? "",
            format: NoticeFormat(rawValue: word) ?? .json,
            url: isGiven ? url ?? "" : old?.url ?? "", urlSecret: isGiven ? urlSecret ?? "" : old?.urlSecret ?? "",
            signingSecret: signing, enabled: enabled, createdAt: old?.createdAt ?? now, updatedAt: now)
        guard let stored = try await NoticeProblem.mapped({ try await self.repository().save(row) }) else {
            throw Problem.notFound("There is no such notification target.")
        }
        var json = JSONWriter()
        Self.write(stored, &json)
        if old != nil { return .json(json.buffer) }
        return .created(at: "/api/v1/projects/\(project)/notification-targets/\(stored.id)", json.buffer)
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let target = try await find(call)
        guard try await NoticeProblem.mapped({ try await self.repository().deleteTarget(target.id) }) else {
            throw Problem.notFound("There is no such notification target.")
        }
        return .noContent
    }

    private static func write(_ row: NotificationTarget, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", row.id)
            json.field("project_id", row.project.rawValue)
            json.field("name", row.name)
            json.field("format", row.format.rawValue)
            json.field("url", row.url.isEmpty ? nil : shown(row.url))
            json.field("url_secret", row.urlSecret.isEmpty ? nil : row.urlSecret)
            json.field("signing_secret", row.signingSecret.isEmpty ? nil : row.signingSecret)
            json.field("enabled", row.enabled)
            json.field("created_at", time: row.createdAt)
            json.field("updated_at", time: row.updatedAt)
        }
    }

    /// Without its path: that of a team chat is a secret.
    static func shown(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "…" }
        let rest = url[scheme.upperBound...]
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return url[..<scheme.upperBound] + host + (host.count < rest.count ? "/…" : "")
    }
}
