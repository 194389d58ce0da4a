import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Accounts, for administrators.
struct UserRoutes {
    let services: HTTPServices

    private static let json = ["application/json"]
    static let path = "/api/v1/users"
    static let passwordBytesMin = 8

    var routes: [Route] {
        let one = Self.path + "/{id}"
        return [
            Route(
                .get, Self.path, .admin, "listUsers", "All users",
                query: Query.paging + [QueryParameter("q", "Part of the name"), Query.order],
                describes: Description(.users, answers: [.page(of: Schemas.user)]), handler: list),
            Route(
                .post, Self.path, .admin, "createUser", "Make a user", body: Self.json,
                describes: Description(
                    .users, takes: Schemas.newUser, answers: [.created(.component(Schemas.user))]), handler: create),
            Route(
                .get, one, .admin, "getUser", "One user",
                describes: Description(.users, answers: [.ok(.component(Schemas.user))]), handler: get),
            Route(
                .patch, one, .admin, "updateUser",
                "Disable or enable a user, make one an administrator or not, set a password", body: Self.json,
                describes: Description(
                    .users, "All sessions of a user who is disabled or gets another password end.",
                    takes: Schemas.userEdit, answers: [.ok(.component(Schemas.user))], problems: [409],
                    takesIfMatch: true), handler: change),
            Route(
                .delete, one, .admin, "deleteUser", "Delete a user with sessions, keys and memberships",
                describes: Description(.users, answers: [.noContent], problems: [409], takesIfMatch: true),
                handler: delete),
        ]
    }

    private func people() throws -> any UserManaging {
        guard let people = services.people else { throw Problem.unavailable("Accounts are not kept here.") }
        return people
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        let text = call.query.text("q")
        let rows = try await people().users(
            text: text, order: call.query.order(), page: page, perPage: perPage)
        return ListJSON.reply(
            rows, number: page, perPage: perPage, path: Self.path,
            query: call.query.kept(["q", "sort"])
        ) { json, row in json.object { Self.members(row, &$0) } }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        guard let row = try await people().user(UserID(call.id(what: "user"))) else {
            throw Problem.notFound("There is no such user.")
        }
        return Self.reply(row)
    }

    @Sendable private func create(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let name = fields.name("username", isRequired: true) ?? ""
        if name.contains(where: \.isWhitespace) { fields.wrong("username", "It must hold no blanks.") }
        let password = Self.password(&fields, "password", isRequired: true) ?? ""
        let isAdministrator = fields.bool("is_administrator") ?? false
        try fields.finish()
        let key = try RunRoutes.idempotencyKey(call)
        let row = try await Self.changing {
            try await people().create(name: name, password: password, isAdministrator: isAdministrator, key: key)
        }
        var reply = Self.reply(row)
        reply.status = .created
        reply.headers[.location] = "\(Self.path)/\(row.id)"
        return reply
    }

    @Sendable private func change(_ call: Call) async throws -> Reply {
        let id = UserID(try call.id(what: "user"))
        let expected = try call.expectedVersion()
        var fields = try call.fields()
        let edit = UserEdit(
            password: Self.password(&fields, "password", isRequired: false),
            isAdministrator: fields.bool("is_administrator"), disabled: fields.bool("disabled"))
        try fields.finish()
        return Self.reply(try await Self.changing { try await people().change(id, edit, expected: expected) })
    }

    @Sendable private func delete(_ call: Call) async throws -> Reply {
        let id = UserID(try call.id(what: "user"))
        let expected = try call.expectedVersion()
        try await Self.changing { try await people().delete(id, expected: expected) }
        return .noContent
    }

    /// A new password in a field.
    static func password(_ fields: inout Fields, _ name: String, isRequired: Bool) -> String? {
        let password = isRequired ? fields.required(name, max: 1024) : fields.string(name, max: 1024, min: 1)
        if let password, !password.isEmpty, password.utf8.count < passwordBytesMin {
            fields.wrong(name, "It must have at least \(passwordBytesMin) bytes.")
        }
        return password
    }

    static func changing<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let change as PeopleChange {
            throw problem(change)
        }
    }

    private static func problem(_ change: PeopleChange) -> Problem {
        switch change {
        case .nameTaken: .conflict("This name is taken. Choose another one.")
        case .notFound: .notFound("There is no such user or project.")
        case .stale(let current):
            Problem(412, "Precondition failed", "It has version \(current) by now. Read it again and repeat.")
        case .lastAdministrator:
            .conflict("This is the last administrator who can log in. Make somebody else one first.")
        case .wrongPassword: .invalid("current_password", "The present password is wrong.")
        case .busy: .tooMany("Too many passwords are being checked. Try again in a moment.", retryAfter: 2)
        case .archived:
            .conflict("The project is archived: nothing of it can be changed. Make it active first.")
        }
    }

    private static func reply(_ row: UserRow) -> Reply {
        var reply = Reply.json { json in json.object { members(row, &$0) } }
        reply.etag = "\"\(row.version)\""
        reply.headers[.eTag] = reply.etag
        return reply
    }

    private static func members(_ row: UserRow, _ json: inout JSONWriter) {
        json.field("id", row.id.rawValue)
        json.field("username", row.name)
        json.field("is_administrator", row.isAdministrator)
        json.field("disabled", row.disabled)
        json.field("version", row.version)
        json.field("created_at", time: row.createdAt)
        json.field("updated_at", time: row.updatedAt)
    }
}
