import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// Notices for people, and the rules that say who is told of what.
struct NotificationRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]
    /// Ids in one request.
    private static let idsMax = 1_000

    var routes: [Route] {
        let path = "/api/v1/notification-rules"
        return [
            Route(
                .get, "/api/v1/notifications", .read, "listNotifications", "Notices in the application, newest first",
                role: .viewer,
                query: Query.paging + [
                    QueryParameter("project_id", "Only notices of this project", .id),
                    QueryParameter("unread", "`true` for those that you have not read", .flag),
                    QueryParameter("after", "Only what stands behind this notice in the list", .id),
                ], describes: Description(.notices, answers: [.page(of: Schemas.notice)]), handler: notices),
            Route(
                .post, "/api/v1/notifications", .read, "readNotifications", "Mark notices as read", role: .viewer,
                body: Self.json,
                describes: Description(
                    .notices, takes: Schemas.readNotices, answers: [.ok(.component(Schemas.marked))]), handler: markRead
            ),
            Route(
                .get, path, .read, "listNotificationRules", "Who is told of what", role: .viewer,
                query: Query.pagingIfWanted + [QueryParameter("project_id", "Only rules of this project", .id)],
                describes: Description(.notices, answers: [.whole(of: Schemas.rule)]), handler: rules),
            Route(
                .post, path, .write, "createNotificationRule", "Have somebody told of something", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .notices, takes: Schemas.newRule, answers: [.created(.component(Schemas.rule))], problems: [404])
            ) { call in
                try await save(call, nil)
            },
            Route(
                .get, path + "/{id}", .read, "getNotificationRule", "One rule", role: .viewer,
                describes: Description(.notices, answers: [.ok(.component(Schemas.rule))])
            ) { call in
                let (rule, names) = try await find(call)
                return .json { Self.write(rule, names, &$0) }
            },
            Route(
                .put, path + "/{id}", .write, "updateNotificationRule", "Change a rule", role: .maintainer,
                body: Self.json,
                describes: Description(
                    .notices,
                    "What is not given stays as it is; `pipeline_id: null` makes it a rule for all pipelines.",
                    takes: Schemas.changedRule,
                    answers: [.ok(.component(Schemas.rule))], problems: [409], comparesTag: true)
            ) { call in
                try await save(call, find(call).0)
            },
            Route(
                .delete, path + "/{id}", .write, "deleteNotificationRule", "Delete a rule", role: .maintainer,
                describes: Description(.notices, answers: [.noContent], comparesTag: true), handler: delete),
            Route(
                .get, path + "/{id}/deliveries", .read, "listNotificationDeliveries",
                "What a rule sent, newest first, and what became of it", role: .viewer, query: Query.paging,
                describes: Description(.notices, answers: [.page(of: Schemas.delivery)]), handler: deliveries),
            Route(
                .post, path + "/{id}/test", .write, "testNotificationRule", "Send a test notice now", role: .maintainer,
                describes: Description(.notices, answers: [.ok(.component(Schemas.ruleTest))], problems: [409]),
                handler: test),
        ]
    }

    private func repository() throws -> any NoticeRepository {
        guard let notices = services.notices else { throw Problem.unavailable("There are no notices here.") }
        return notices
    }

    // MARK: Notices

    private func filter(_ call: Call, project: Int64?) -> NoticeFilter {
        var filter = NoticeFilter()
        if case .only(let projects) = call.visible { filter.projects = projects }
        filter.project = project.map { ProjectID($0) }
        return filter
    }

    @Sendable private func notices(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        let project = try call.query.integer("project_id", 1...Int64.max)
        var filter = filter(call, project: project)
        filter.unreadOnly = try call.query.flag("unread") ?? false
        filter.after = try call.query.integer("after", 1...Int64.max)
        let found = try await repository().notices(
            filter, reader: call.principal.user, page: page, perPage: perPage)
        return ListJSON.reply(
            found, number: page, perPage: perPage, path: "/api/v1/notifications", query: call.query.keptBesidePaging
        ) { json, view in
            json.object { json in
                json.field("id", view.id)
                json.field("read_at", time: view.readAt)
                NoticeJSON.notice(view.notice, &json)
            }
        }
    }

    @Sendable private func markRead(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        var ids: [Int64]?
        switch fields.raw("read") {
        case .string("all"): break
        case .array(let items) where items.count <= Self.idsMax:
            ids = items.compactMap { if case .number(let id) = $0 { Int64(exactly: id) } else { nil } }
            if ids?.count != items.count || ids?.contains(where: { !Fields.ids.contains(Int($0)) }) == true {
                fields.wrong("read", "It must be a list of ids, or \"all\".")
            }
        default: fields.wrong("read", "It must be a list of at most \(Self.idsMax) ids, or \"all\".")
        }
        let project = fields.integer("project_id", Fields.ids)
        try fields.finish()
        let count = try await repository().markRead(
            ids, filter(call, project: project.map { Int64($0) }), reader: call.principal.user,
            at: configuration.now())
        return .json { $0.object { $0.field("marked", count) } }
    }

    // MARK: Rules

    private func find(_ call: Call) async throws -> (NotificationRule, names: [Int64: String]) {
        guard let rule = try await repository().rule(call.id(what: "notification rule")) else {
            throw Problem.notFound("There is no such notification rule.")
        }
        try await call.allow(in: rule.project, what: "notification rule")
        return (rule, try await names(of: rule.project))
    }

    /// Of the project's targets, by id.
    private func names(of project: ProjectID) async throws -> [Int64: String] {
        let targets = try await repository().targets(of: project)
        return Dictionary(targets.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    }

    @Sendable private func rules(_ call: Call) async throws -> Reply {
        let project = try call.query.integer("project_id", 1...Int64.max).map { ProjectID($0) }
        let visible = call.visible
        let all = try await repository().rules(of: project).filter { visible.includes($0.project) }
        var names: [Int64: String] = [:]
        for project in Set(all.map(\.project)) { names.merge(try await self.names(of: project)) { first, _ in first } }
        return try ListJSON.whole(all, call) { [names] json, rule in Self.write(rule, names, &json) }
    }

    private func save(_ call: Call, _ old: NotificationRule?) async throws -> Reply {
        var fields = try call.fields()
        let given = fields.integer("project_id", Fields.ids).map { ProjectID(Int64($0)) }
        if let given, let old, given != old.project { fields.wrong("project_id", "A rule stays in its project.") }
        let project = old?.project ?? given ?? .main
        if old == nil { try await call.allow(in: project) }
        let name =
            old == nil
            ? fields.required("name", max: 64, isLine: true) : fields.string("name", max: 64, min: 1, isLine: true)
        let events = Self.events(&fields, isNew: old == nil)
        let pipeline =
            fields.integer("pipeline_id", Fields.ids).map { PipelineID(Int64($0)) }
            ?? (fields.isNull("pipeline_id") ? nil : old?.pipeline)
        let inApp = fields.bool("in_app") ?? old?.inApp ?? false
        let webhook = fields.string("webhook", max: 64)
        let enabled = fields.bool("enabled") ?? old?.enabled ?? true
        var target = old?.target
        if let webhook {
            let names = try await names(of: project)
            target = webhook.isEmpty ? nil : names.first { $0.value == webhook }?.key
            if target == nil, !webhook.isEmpty {
                fields.wrong("webhook", "The project has no notification target of this name.")
            }
        }
        if !inApp, target == nil, webhook?.isEmpty ?? true {
            fields.wrong("webhook", "The rule goes nowhere: name a notification target here, or set `in_app`.")
        }
        try fields.finish()
        let now = configuration.now()
        let row = NotificationRule(
            id: old?.id ?? 0, project: project, pipeline: pipeline, name: name ?? old?.name ?? "",
            events: events ?? old?.events ?? [], inApp: inApp, target: target, enabled: enabled,
            createdAt: old?.createdAt ?? now, updatedAt: now)
        guard let stored = try await NoticeProblem.mapped({ try await self.repository().save(row) }) else {
            throw Problem.notFound("There is no such notification rule.")
        }
        let names = try await names(of: project)
        var json = JSONWriter()
        Self.write(stored, names, &json)
        if old != nil { return .json(json.buffer) }
        return .created(at: "/api/v1/notification-rules/\(stored.id)", json.buffer)
    }

    private static func events(_ fields: inout Fields, isNew: Bool) -> [NoticeEvent]? {
        let known = NoticeEvent.ofRules.map(\.rawValue).joined(separator: ", ")
        guard let words = fields.strings("on", max: NoticeEvent.ofRules.count) else {
            if isNew { fields.wrong("on", "It is missing: name at least one of \(known).") }
            return nil
        }
        if words.isEmpty { fields.wrong("on", "Name at least one of \(known).") }
        var events: [NoticeEvent] = []
        for (index, word) in words.enumerated() {
            guard let event = NoticeEvent(rawValue: word), NoticeEvent.ofRules.contains(event) else {
                fields.wrong("on[\(index)]", "It must be one of: \(known).")
                continue
            }
            if !events.contains(event) { events.append(event) }
        }
        return events
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let (rule, _) = try await find(call)
        guard try await repository().deleteRule(rule.id) else {
            throw Problem.notFound("There is no such notification rule.")
        }
        return .noContent
    }

    @Sendable private func deliveries(_ call: Call) async throws -> Reply {
        let (rule, _) = try await find(call)
        let (page, perPage) = try call.query.page()
        let found = try await repository().deliveries(ofRule: rule.id, page: page, perPage: perPage)
        return ListJSON.reply(
            found, number: page, perPage: perPage, path: "/api/v1/notification-rules/\(rule.id)/deliveries"
        ) { NoticeJSON.view($1, &$0) }
    }

    @Sendable private func test(_ call: Call) async throws -> Reply {
        let (rule, _) = try await find(call)
        guard let tests = services.noticeTests else { throw Problem.unavailable("Nothing is sent from here.") }
        guard let result = try await tests.test(rule) else {
            throw Problem.conflict("The rule has no target: its notices are shown in the application only.")
        }
        return .json { json in
            json.object { json in
                json.field("delivered", result.delivered)
                json.field("answer_status", result.answer)
                json.field("detail", result.detail)
            }
        }
    }

    private static func write(_ row: NotificationRule, _ names: [Int64: String], _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", row.id)
            json.field("project_id", row.project.rawValue)
            json.field("pipeline_id", row.pipeline?.rawValue)
            json.field("name", row.name)
            json.field("on", row.events.map(\.rawValue))
            json.field("in_app", row.inApp)
            json.field("webhook", row.target.flatMap { names[$0] })
            json.field("enabled", row.enabled)
            json.field("created_at", time: row.createdAt)
            json.field("updated_at", time: row.updatedAt)
        }
    }
}
