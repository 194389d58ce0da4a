import ControllerCore
import HTTPTypes

/// API keys and WebSocket tickets of the caller.
struct KeyRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    var routes: [Route] {
        [
            Route(
                .get, "/api/v1/api-keys", .authenticated, "listKeys", "The caller's API keys",
                query: Query.pagingIfWanted,
                describes: Description(.authentication, answers: [.whole(of: Schemas.key)]), handler: list),
            Route(
                .post, "/api/v1/api-keys", .authenticated, "createKey", "Make an API key, which is shown once",
                body: ["application/json"],
                describes: Description(
                    .authentication, "A key can do no more than who makes it.", takes: Schemas.newKey,
                    answers: [.created(.component(Schemas.issuedKey))], isShownOnce: true), handler: create),
            Route(
                .get, "/api/v1/api-keys/{id}", .authenticated, "getKey",
                "One of the caller's API keys, without the key",
                describes: Description(.authentication, answers: [.ok(.component(Schemas.key))]), handler: get),
            Route(
                .delete, "/api/v1/api-keys/{id}", .authenticated, "deleteKey", "Delete an API key",
                describes: Description(.authentication, answers: [.noContent]), handler: delete),
            Route(
                .get, "/api/v1/system/api-keys", .admin, "listAllKeys", "API keys of everybody, by id",
                query: Query.pagingIfWanted,
                describes: Description(
                    .authentication, "The first 10,000.", answers: [.whole(of: Schemas.ownedKey)]), handler: listAll),
            Route(
                .delete, "/api/v1/system/api-keys/{id}", .admin, "revokeKey", "Delete anybody's API key",
                describes: Description(
                    .authentication, "It stops working at once.", answers: [.noContent]), handler: revoke),
            Route(
                .post, "/api/v1/ws-tickets", .authenticated, "createTicket",
                "Make a ticket that opens one WebSocket within 30 s", body: ["application/json"],
                describes: Description(
                    .authentication, takes: .nothing, answers: [.created(.component(Schemas.ticket), at: false)],
                    isShownOnce: true),
                handler: ticket),
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let keys = try await services.keys.keys(of: call.principal)
        return try ListJSON.whole(keys, call) { json, key in json.object { members(key, &$0) } }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let id = try call.id(what: "API key")
        guard let key = try await services.keys.keys(of: call.principal).first(where: { $0.id == id }) else {
            throw Problem.notFound("There is no such API key.")
        }
        return .json { json in json.object { members(key, &$0) } }
    }

    /// A key that is made with a key ends no later than that: else one that was lent for a day would last for ever.
    private func checkEnd(_ expiresAt: Int64?, _ principal: Principal, _ fields: inout Fields) async throws {
        guard case .apiKey(let own) = principal.kind,
            let end = try await services.keys.keys(of: principal).first(where: { $0.id == own })?.expiresAt,
            expiresAt.map({ $0 > end }) ?? true
        else { return }
        fields.wrong(
            "expires_at",
            "A key that is made with a key ends no later than that: give \(Timestamp.text(end)) or earlier.")
    }

    @Sendable private func create(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let name = fields.required("name", max: 128, isLine: true)
        let texts = fields.strings("scopes", max: Scope.allCases.count) ?? ["read"]
        let expiresAt = fields.time("expires_at")
        let scopes = Array(Set(texts.compactMap(Scope.init(rawValue:)))).sorted { $0.rawValue < $1.rawValue }
        for text in texts where Scope(rawValue: text) == nil {
            let known = Scope.allCases.map(\.rawValue).joined(separator: ", ")
            fields.wrong("scopes", "`\(text.prefix(64))` is not a scope; scopes are: \(known).")
        }
        if texts.isEmpty { fields.wrong("scopes", "At least one scope is needed.") }
        if let expiresAt, expiresAt <= configuration.now() { fields.wrong("expires_at", "It lies in the past.") }
        try await checkEnd(expiresAt, call.principal, &fields)
        try fields.finish()
        // A key can't do more than the caller, who may be a key too.
        for scope in scopes where scope != .webhook && !call.principal.scopes.contains(scope) {
            throw Problem.forbidden("You do not have the scope `\(scope.rawValue)` yourself.")
        }
        let (row, text) = try await services.keys.createKey(
            name: name, scopes: scopes, expiresAt: expiresAt, for: call.principal)
        var json = JSONWriter()
        json.object { json in
            members(row, &json)
            json.field("key", text)
        }
        return .created(at: "/api/v1/api-keys/\(row.id)", json.buffer)
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        guard try await services.keys.deleteKey(call.id(what: "API key"), of: call.principal.user) else {
            throw Problem.notFound("There is no such API key.")
        }
        return .noContent
    }

    private func people() throws -> any UserManaging {
        guard let people = services.people else { throw Problem.unavailable("Accounts are not kept here.") }
        return people
    }

    @Sendable private func listAll(_ call: Call) async throws -> Reply {
        let keys = try await people().allKeys()
        return try ListJSON.whole(keys, call) { json, key in
            json.object { json in
                members(key.row, &json)
                json.field("user_id", key.row.user.rawValue)
                json.field("username", key.userName)
            }
        }
    }

    @Sendable private func revoke(_ call: Call) async throws -> Reply {
        let id = try call.id(what: "API key")
        guard let key = try await people().allKeys().first(where: { $0.row.id == id }),
            try await services.keys.deleteKey(id, of: key.row.user)
        else { throw Problem.notFound("There is no such API key.") }
        return .noContent
    }

    @Sendable private func ticket(_ call: Call) async throws -> Reply {
        try call.noFields()
        guard let ticket = services.tickets.issueTicket(for: call.principal) else {
            throw Problem.unavailable("Too many tickets are open.", retryAfter: 30)
        }
        return .json(.created) { json in
            json.object { json in
                json.field("ticket", ticket.text)
                json.field("expires_at", time: ticket.expiresAt)
            }
        }
    }

    private func members(_ key: APIKeyRow, _ json: inout JSONWriter) {
        json.field("id", key.id)
        json.field("name", key.name)
        json.field("prefix", key.prefix)
        json.field("scopes", key.scopes)
        json.field("created_at", time: key.createdAt)
        json.field("expires_at", time: key.expiresAt)
        json.field("last_used_at", time: key.lastUsedAt)
    }
}
