import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Agents: list, labels, pause, drain, revoke, enrolment.
struct AgentRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]

    var routes: [Route] {
        let path = "/api/v1/agents"
        let one = path + "/{id}"
        return [
            Route(
                .get, path, .read, "listAgents", "All agents",
                query: Query.pagingIfWanted + [
                    QueryParameter(
                        "sort", "In which order; a `-` turns it round", .choice(Self.orders), default: Self.orders[0])
                ],
                describes: Description(.agents, answers: [.whole(of: Schemas.agent)]), handler: list),
            Route(
                .post, path + "/enrolment-tokens", .admin, "createEnrolmentToken",
                "Make a token that enrols one agent, shown once", body: Self.json,
                describes: Description(
                    .agents, takes: Schemas.enrolment,
                    answers: [.created(.component(Schemas.enrolmentToken), at: false)], problems: [404],
                    isShownOnce: true), handler: token
            ),
            Route(
                .get, one, .read, "getAgent", "One agent",
                describes: Description(.agents, answers: [.ok(.component(Schemas.agent))]), handler: get),
            Route(
                .patch, one, .admin, "updateAgent", "Pause with a note, or resume", body: Self.json,
                describes: Description(
                    .agents, "Labels and slots are set on the agent's machine: it says them each time it connects.",
                    takes: Schemas.agentChange, answers: [.ok(.component(Schemas.agent))], problems: [409],
                    comparesTag: true),
                handler: update),
            Route(
                .delete, one, .admin, "revokeAgent", "Revoke an agent for good",
                describes: Description(
                    .agents, answers: [.ok(.component(Schemas.agent))], problems: [409], comparesTag: true)
            ) { call in
                let actor = call.principal.name
                return try await change(call) { id throws(CommandFailure) in
                    try await services.commands.revokeAgent(id, by: actor)
                }
            },
            Route(
                .post, one + "/pause", .admin, "pauseAgent", "Give it no new jobs", body: Self.json,
                describes: Description(
                    .agents, takes: Schemas.pause, answers: [.ok(.component(Schemas.agent))], problems: [409]),
                handler: pause),
            Route(
                .post, one + "/resume", .admin, "resumeAgent", "Give it jobs again", body: Self.json,
                describes: Description(
                    .agents, takes: .nothing, answers: [.ok(.component(Schemas.agent))], problems: [409])
            ) { call in
                try call.noFields()
                return try await change(call) { id throws(CommandFailure) in
                    try await services.commands.resumeAgent(id)
                }
            },
            Route(
                .post, one + "/drain", .admin, "drainAgent", "Let it finish and take nothing new", body: Self.json,
                describes: Description(
                    .agents, takes: .nothing, answers: [.ok(.component(Schemas.agent))], problems: [409])
            ) { call in
                try call.noFields()
                return try await change(call) { id throws(CommandFailure) in
                    try await services.commands.drainAgent(id)
                }
            },
            Route(
                .post, one + "/gone", .admin, "agentGone", "Say that it never comes back: its attempts are lost",
                body: Self.json,
                describes: Description(
                    .agents, takes: Schemas.gone, answers: [.ok(.component(Schemas.agent))], problems: [409]),
                handler: gone),
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let agents = Self.sorted(await services.commands.agents(), call.query.text("sort"))
        return try ListJSON.whole(agents, call) { AgentJSON.write($1, &$0) }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        guard let view = await services.commands.agent(AgentID(try call.id(what: "agent"))) else {
            throw Problem.notFound("There is no such agent.")
        }
        return Self.reply(view)
    }

    private static let orders = ["name", "-name", "created_at", "-created_at", "last_seen_at", "-last_seen_at"]

    private static func sorted(_ agents: [AgentView], _ order: String?) -> [AgentView] {
        let rising: [AgentView]
        switch order?.drop(while: { $0 == "-" }) {
        case "created_at": rising = agents.sorted { $0.row.id.rawValue < $1.row.id.rawValue }
        case "last_seen_at":
            rising = agents.sorted {
                ($0.row.lastSeenAt ?? 0, $0.row.id.rawValue) < ($1.row.lastSeenAt ?? 0, $1.row.id.rawValue)
            }
        default: rising = agents.sorted { ($0.row.name, $0.row.id.rawValue) < ($1.row.name, $1.row.id.rawValue) }
        }
        return order?.hasPrefix("-") == true ? rising.reversed() : rising
    }

    /// Its tag tells what people set from what it says of itself.
    private static func reply(_ view: AgentView) -> Reply {
        var reply = Reply.json { AgentJSON.write(view, &$0) }
        let row = view.row
        var set = JSONWriter()
        set.object { json in
            json.field("key", row.key)
            json.field("paused", row.paused)
            json.field("note", row.note)
            json.field("draining", row.draining)
            json.field("revoked", row.revoked)
        }
        reply.etag = reply.buffer.map { EntityTag.of(settings: EntityTag.of(set.buffer), shown: EntityTag.of($0)) }
        reply.headers[.eTag] = reply.etag
        return reply
    }

    private func change(
        _ call: Call, _ body: (AgentID) async throws(CommandFailure) -> AgentView
    ) async throws -> Reply {
        let id = AgentID(try call.id(what: "agent"))
        do throws(CommandFailure) {
            return Self.reply(try await body(id))
        } catch {
            throw Problem(error, what: "agent")
        }
    }

    @Sendable private func pause(_ call: Call) async throws -> Reply {
        var fields = try call.optionalFields()
        let note = fields.string("note", max: ProtocolLimits.reasonBytesMax)
        try fields.finish()
        return try await change(call) { id throws(CommandFailure) in
            try await services.commands.pauseAgent(id, note: note)
        }
    }

    @Sendable private func gone(_ call: Call) async throws -> Reply {
        var fields = try call.optionalFields()
        let reason = fields.string("reason", max: ProtocolLimits.reasonBytesMax)
        try fields.finish()
        let actor = call.principal.name
        return try await change(call) { id throws(CommandFailure) in
            try await services.commands.agentGone(id, by: actor, reason: reason)
        }
    }

    /// `paused` with a `note`. Labels and slots are the agent's own words: it says them each time it connects.
    @Sendable private func update(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let paused = fields.bool("paused")
        let note = fields.string("note", max: ProtocolLimits.reasonBytesMax)
        for name in ["labels", "slots"] where fields.raw(name) != nil {
            fields.wrong(name, "It is set on the agent's machine: restart the agent with other \(name).")
        }
        if paused == nil, !fields.hasErrors { fields.wrong("paused", "It is missing.") }
        try fields.finish()
        return try await change(call) { id throws(CommandFailure) in
            paused == true
                ? try await services.commands.pauseAgent(id, note: note) : try await services.commands.resumeAgent(id)
        }
    }

    @Sendable private func token(_ call: Call) async throws -> Reply {
        var fields = try call.optionalFields()
        let agent = fields.integer("agent_id", Fields.ids).map { AgentID(Int64($0)) }
        try fields.finish()
        if let agent, await services.commands.agent(agent) == nil {
            throw Problem.notFound("There is no such agent.")
        }
        let issued = try await services.enrolmentTokens.issueEnrolmentToken(agent: agent, by: call.principal.name)
        return .json(.created) { json in
            json.object { json in
                json.field("token", issued.text)
                json.field("expires_at", time: issued.expiresAt)
                json.field("controller", configuration.gatewayURL)
                json.field("fingerprint", configuration.authorityFingerprint)
                json.field("agent_id", agent?.rawValue)
            }
        }
    }
}
