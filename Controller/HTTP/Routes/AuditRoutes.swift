import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Who did what to what, from where.
struct AuditRoutes {
    let services: HTTPServices

    static let path = "/api/v1/audit-logs"

    var routes: [Route] {
        [
            Route(
                .get, Self.path, .read, "listAuditLogs", "Who did what, newest first", query: Self.parameters,
                describes: Description(
                    .audit,
                    "Administrators see all of it; owners of a project that of their project, with `project_id`. The newest first, in pages; or, for those who read on and on, with `after` (the oldest first), `before` or `limit`: then there are no pages, and `next_after` and `next_before` say where to go on.",
                    answers: [
                        .ok(
                            .object([
                                "items": .list(of: .component(Schemas.auditEntry)), "page": .optional(.id),
                                "per_page": .optional(.id), "total": .optional(.count), "next_after": .optional(.count),
                                "next_before": .optional(.id),
                            ]),
                            example: """
                                {"items":[\(Schemas.auditEntry.example)],"page":1,"per_page":20,"total":1,\
                                "next_after":null,"next_before":null}
                                """,
                            "A part of the list")
                    ], problems: [404]), handler: list),
            Route(
                .get, Self.path + "/verify", .admin, "verifyAuditLogs",
                "Read the whole audit log and say whether it is as it was written",
                query: [
                    QueryParameter("id", "A row whose hash was noted elsewhere", .id),
                    QueryParameter("hash", "The hash that was noted, in hex", .hex(64)),
                ],
                describes: Description(.audit, answers: [.ok(.component(Schemas.auditVerdict))], problems: [404]),
                handler: verify),
        ]
    }

    private static let parameters =
        Query.paging + filters + [
            QueryParameter("after", "Only rows above this number, oldest first; not in pages", .integer(0...Int64.max)),
            QueryParameter("before", "Only rows below this number, newest first; not in pages", .id),
            QueryParameter(
                "limit", "At most so many rows, 100 with `after` or `before`; not in pages", .integer(1...1000)),
        ]

    private static let filters = [
        QueryParameter("user", "Only of this user, agent or part of AnsFlow, by name"),
        QueryParameter("operation", "Only this operation, by its id"),
        QueryParameter("object_type", "Only of this kind of object, as `pipeline`"),
        QueryParameter("object_id", "Only of this object"),
        QueryParameter("project_id", "Only of this project", .id),
        QueryParameter("result", "Only with this result", .choice(AuditResult.self)),
        QueryParameter("since", "At this time or later", .time),
        QueryParameter("until", "Before or at this time", .time),
    ]

    private func log() throws -> any AuditLog {
        guard let log = services.audit else { throw Problem.notFound("This controller keeps no audit log.") }
        return log
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let filter = try Self.filter(call.query)
        if !call.principal.scopes.contains(.admin) {
            guard let project = filter.project else {
                throw Problem.forbidden(
                    "Only administrators see all of it. Give the project_id of a project that you own.")
            }
            try await call.allow(.owner, in: project)
        }
        let after = try call.query.integer("after", 0...Int64.max)
        let before = try call.query.integer("before", 1...Int64.max)
        if after != nil, before != nil { throw Query.wrong("before", "It can't be given together with `after`.") }
        let isPaged = after == nil && before == nil && call.query.text("limit") == nil
        guard isPaged else {
            for name in ["page", "per_page"] where call.query.text(name) != nil {
                throw Query.wrong(name, "It can't be given together with `after`, `before` or `limit`.")
            }
            return try await part(call, filter, after: after, before: before)
        }
        let (page, perPage) = try call.query.page()
        let found = try await log().entries(filter, page: page, perPage: perPage)
        var reply = Reply.json(capacity: 256 + found.items.count * 512) { json in
            json.object { json in
                json.name("items")
                json.array(found.items) { Self.row($1, &$0) }
                json.field("page", page)
                json.field("per_page", perPage)
                json.field("total", found.total)
                json.field("next_after", nil as Int64?)
                json.field("next_before", found.items.count == perPage ? found.items.last?.id : nil)
            }
        }
        reply.headers[.link] = ListJSON.link(
            total: found.total, number: page, perPage: perPage, path: Self.path,
            query: call.query.kept(Self.filters.map(\.name)))
        return reply
    }

    private func part(_ call: Call, _ filter: AuditFilter, after: Int64?, before: Int64?) async throws -> Reply {
        let limit = Int(try call.query.integer("limit", 1...1000) ?? 100)
        let rows = try await log().entries(filter, after: after, before: before, limit: limit)
        return .json(capacity: 256 + rows.count * 512) { json in
            json.object { json in
                json.name("items")
                json.array(rows) { Self.row($1, &$0) }
                json.field("page", nil as Int64?)
                json.field("per_page", nil as Int64?)
                json.field("total", nil as Int64?)
                json.field("next_after", after == nil ? nil : rows.last?.id ?? after)
                json.field("next_before", after == nil && rows.count == limit ? rows.last?.id : nil)
            }
        }
    }

    private static func filter(_ query: Query) throws -> AuditFilter {
        var filter = AuditFilter()
        filter.user = query.text("user")
        filter.operation = query.text("operation")
        filter.objectType = query.text("object_type")
        filter.objectID = query.text("object_id")
        filter.project = try query.integer("project_id", 1...Int64.max).map { ProjectID($0) }
        if let text = query.text("result") {
            guard let result = AuditResult(rawValue: text) else {
                throw Query.wrong("result", "It must be `success`, `refused` or `failed`.")
            }
            filter.result = result
        }
        filter.since = try query.time("since")
        filter.until = try query.time("until")
        return filter
    }

    private static func row(_ record: AuditRecord, _ json: inout JSONWriter) {
        let entry = record.entry
        json.object { json in
            json.field("id", record.id)
            json.field("at", time: entry.at)
            json.field("actor", entry.actor.rawValue)
            json.field("user", entry.name)
            json.field("actor_id", entry.actorID)
            json.field("api_key_id", entry.key)
            json.field("operation", entry.operation)
            json.field("object_type", entry.objectType)
            json.field("object_id", entry.objectID)
            json.field("project_id", entry.project?.rawValue)
            json.field("result", entry.result.rawValue)
            json.field("status", entry.status)
            json.field("fields", entry.fields)
            json.field("detail", entry.detail)
            json.field("remote", entry.remote)
            json.field("request_id", entry.requestID)
            json.field("hash", Self.hex(record.hash))
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    @Sendable private func verify(_ call: Call) async throws -> Reply {
        let id = try call.query.integer("id", 1...Int64.max)
        let hash = call.query.text("hash")
        var anchor: AuditAnchor?
        if id != nil || hash != nil {
            guard let id else { throw Query.wrong("id", "It is missing: which row has the hash?") }
            guard let hash else {
                throw Query.wrong("hash", "It is missing: which hash had the row?")
            }
            anchor = AuditAnchor(id: id, hash: hash.lowercased())
        }
        let verdict = try await log().verify(anchor)
        return .json { json in
            json.object { json in
                json.field("ok", verdict.fault == nil)
                json.field("checked", verdict.checked)
                json.field("head_id", verdict.headID)
                json.field("head_hash", verdict.headHash)
                json.field("broken_id", verdict.brokenID)
                json.field("fault", verdict.fault)
            }
        }
    }
}
