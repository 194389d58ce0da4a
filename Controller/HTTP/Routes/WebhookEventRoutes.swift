import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// What came by webhooks, what it was judged to be, what it started, and why not.
struct WebhookEventRoutes {
    let services: HTTPServices

    static let path = "/api/v1/webhook-events"
    /// Of a body that is shown.
    private static let bodyBytesMax = 64 * 1024

    var routes: [Route] {
        [
            Route(
                .get, Self.path, .read, "listWebhookEvents", "What came by webhooks", role: .viewer,
                query: Query.paging + Self.filters + [
                    QueryParameter(
                        "sort", "Newest or oldest first", .choice(["-received_at", "received_at"]),
                        default: "-received_at")
                ],
                describes: Description(.webhooks, answers: [.page(of: Schemas.webhookEvent)]), handler: list),
            Route(
                .get, Self.path + "/{id}", .read, "getWebhookEvent",
                "One event with headers, body and what it did to each pipeline", role: .viewer,
                describes: Description(
                    .webhooks, "Of a large body the beginning is shown; secret headers are not.",
                    answers: [.ok(.component(Schemas.webhookEventDetail))]), handler: get),
            Route(
                .post, Self.path + "/{id}/replay", .run, "replayWebhookEvent", "Judge an event once more, as a new one",
                role: .developer, body: ["application/json"],
                describes: Description(
                    .webhooks, takes: .nothing,
                    answers: [.json(202, .component(Schemas.replayedEvent), "Stored; it is judged next")],
                    problems: [409]), handler: replay),
        ]
    }

    private static let filters = [
        QueryParameter("project_id", "Only of this project", .id), QueryParameter("hook_id", "Only of this hook", .id),
        QueryParameter("source", "Only of this kind of sender", .choice(WebhookSource.self)),
        QueryParameter("state", "Only with this state", .choice(DeliveryState.self)),
        QueryParameter("event", "Only this event, in the sender's word"),
        QueryParameter("since", "Received at this time or later", .time),
        QueryParameter("until", "Received before or at", .time),
        QueryParameter("q", "Part of the sender's id or of the message"),
        QueryParameter("after", "Only what stands behind this event in the list", .id),
    ]

    private func hooks() throws -> any WebhookManaging {
        guard let hooks = services.hooks else { throw Problem.unavailable("Webhooks are not taken here.") }
        return hooks
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        var filter = try Self.filter(call.query)
        filter.visible = call.visible
        filter.isOldestFirst = call.query.text("sort") == "received_at"
        let found = try await hooks().deliveries(filter, page: page, perPage: perPage)
        let query = call.query.kept(Self.filters.map(\.name) + ["sort"])
        return ListJSON.reply(found, number: page, perPage: perPage, path: Self.path, query: query) { json, view in
            json.object { Self.members(view, &$0) }
        }
    }

    private static func filter(_ query: Query) throws -> DeliveryFilter {
        var filter = DeliveryFilter()
        filter.project = try query.integer("project_id", 1...Int64.max).map { ProjectID($0) }
        filter.hook = try query.integer("hook_id", 1...Int64.max).map { HookID($0) }
        filter.source = query.text("source").flatMap(WebhookSource.init)
        filter.state = query.text("state").flatMap(DeliveryState.init)
        filter.event = query.text("event")
        filter.since = try query.time("since")
        filter.until = try query.time("until")
        filter.text = query.text("q")
        filter.after = try query.integer("after", 1...Int64.max).map { DeliveryID($0) }
        return filter
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let id = DeliveryID(try call.id(what: "event"))
        guard let (view, body) = try await hooks().delivery(id, bodyBytesMax: Self.bodyBytesMax) else {
            throw Problem.notFound("There is no such event.")
        }
        try await call.allow(in: view.row.project, what: "event")
        return .json(capacity: 4096 + (body?.utf8.count ?? 0)) { json in
            json.object { json in
                Self.members(view, &json)
                json.field("headers", view.row.headers)
                json.field("content_type", view.row.contentType)
                json.field("body", body)
                json.field("body_cut", view.row.bodyBytes > Self.bodyBytesMax)
            }
        }
    }

    @Sendable private func replay(_ call: Call) async throws -> Reply {
        try call.noFields()
        let id = DeliveryID(try call.id(what: "event"))
        guard let (view, _) = try await hooks().delivery(id, bodyBytesMax: 0) else {
            throw Problem.notFound("There is no such event.")
        }
        try await call.allow(in: view.row.project, what: "event")
        do {
            guard let new = try await hooks().replay(id, by: call.principal.name) else {
                throw Problem.conflict("The event's body is no longer kept, so it can't be judged again.")
            }
            return .json(.accepted) { json in
                json.object { json in
                    json.field("event_id", new.rawValue)
                    json.field("replay_of", id.rawValue)
                }
            }
        } catch is HookChange {
            throw Problem.notFound("There is no such event, or its hook was deleted.")
        } catch let refusal as WebhookRefusal {
            throw Problem(refusal)
        }
    }

    private static func members(_ view: DeliveryView, _ json: inout JSONWriter) {
        let row = view.row
        json.field("id", row.id.rawValue)
        json.field("hook_id", row.hook.rawValue)
        json.field("hook_name", view.hookName)
        json.field("project_id", row.project.rawValue)
        json.field("source", row.source.rawValue)
        json.field("source_name", row.sourceName)
        json.field("delivery", row.delivery)
        json.field("event", row.event)
        json.field("state", row.state.rawValue)
        json.field("message", row.message)
        json.field("proof", row.proof)
        json.field("remote", row.remote.isEmpty ? nil : row.remote)
        json.field("body_bytes", row.bodyBytes)
        json.field("received_at", time: row.receivedAt)
        json.field("judged_at", time: row.judgedAt)
        json.field("tries", row.tries)
        json.field("retry_at", time: row.retryAt)
        json.field("replay_of", row.replayOf?.rawValue)
        json.field("duplicates", row.duplicates)
        json.field("last_duplicate_at", time: row.lastDuplicateAt)
        json.name("pipelines")
        json.array(view.verdicts) { json, verdict in
            json.object { json in
                json.field("part", verdict.part)
                json.field("pipeline_id", verdict.pipeline.rawValue)
                json.field("pipeline_name", verdict.pipelineName)
                json.field("result", verdict.outcome.rawValue)
                json.field("message", verdict.message)
                json.field("run_id", verdict.run?.rawValue)
            }
        }
        json.name("runs")
        json.array(view.verdicts.compactMap(\.run)) { $0.int($1.rawValue) }
    }
}
