import ControllerCore
import HTTPTypes

/// Browsers' sessions, and one's own sessions and password.
struct SessionRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let json = ["application/json"]
    private var cookie: BrowserCookie { BrowserCookie(configuration: configuration) }

    var routes: [Route] {
        [
            Route(
                .post, "/api/v1/auth/session", .public, "loginSession",
                "Log a browser in: the session comes as a cookie that scripts can't read", body: Self.json,
                describes: Description(
                    .authentication,
                    "A session that the request had before is ended. Writes with the cookie need the header X-CSRF-Token.",
                    takes: Schemas.login, answers: [.created(.component(Schemas.browserSession), at: false)],
                    problems: [401]), handler: login),
            Route(
                .get, "/api/v1/auth/sessions", .authenticated, "listSessions", "The caller's sessions, newest first",
                query: Query.pagingIfWanted,
                describes: Description(.authentication, answers: [.whole(of: Schemas.session)]), handler: list),
            Route(
                .delete, "/api/v1/auth/sessions/{id}", .authenticated, "endSession", "End one of the caller's sessions",
                describes: Description(.authentication, answers: [.noContent]), handler: end),
            Route(
                .post, "/api/v1/auth/password", .authenticated, "changePassword",
                "Change one's own password; all other sessions end", body: Self.json,
                describes: Description(
                    .authentication, takes: Schemas.passwordChange, answers: [.noContent]),
                handler: password),
        ]
    }

    private func people() throws -> any UserManaging {
        guard let people = services.people else { throw Problem.unavailable("Accounts are not kept here.") }
        return people
    }

    @Sendable private func login(_ call: Call) async throws -> Reply {
        guard let browsers = services.browsers else { throw Problem.unavailable("Browsers can't log in here.") }
        if let origin = call.headers[.origin], !cookie.isOurs(origin: origin, host: call.authority) {
            throw Problem.forbidden("A page from another origin may not log in here.")
        }
        var fields = try call.fields()
        let username = fields.required("username", max: 4096)
        let password = fields.required("password", max: 4096)
        try fields.finish()
        let session: BrowserSession
        do {
            session = try await browsers.browserLogin(username: username, password: password, remote: call.remote)
        } catch LoginFailure.refused {
            throw Problem(401, "Not authenticated", "The user name or password is wrong.")
        } catch LoginFailure.tooMany(let seconds) {
            throw Problem.tooMany("Too many logins. Try again in \(seconds) s.", retryAfter: seconds)
        }
        // Whoever planted a cookie before the login gets nothing by it.
        if let old = cookie.text(call.headers[.cookie]), let before = try await browsers.authenticate(cookie: old) {
            try await services.logins.logout(before)
        }
        var reply = Reply.json(.created) { json in
            json.object { json in
                json.field("id", session.principal.user.rawValue)
                json.field("username", session.principal.name)
                json.field("is_administrator", session.principal.isAdministrator)
                json.field("csrf_token", browsers.forgeryToken(of: session.principal))
                json.field("expires_at", time: session.expiresAt)
            }
        }
        reply.headers[.setCookie] = cookie.set(
            session.cookie, seconds: max(0, (session.expiresAt - configuration.now()) / 1000))
        return reply
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let sessions = try await people().sessions(of: call.principal)
        return try ListJSON.whole(sessions, call) { json, session in
            json.object { json in
                json.field("id", session.id)
                json.field("kind", session.kind.rawValue)
                json.field("remote", session.remote)
                json.field("created_at", time: session.createdAt)
                json.field("last_used_at", time: session.lastUsedAt)
                json.field("expires_at", time: session.expiresAt)
                json.field("current", call.principal.kind == .session(session.id))
            }
        }
    }

    @Sendable private func end(_ call: Call) async throws -> Reply {
        guard try await people().endSession(call.id(what: "session"), of: call.principal) else {
            throw Problem.notFound("There is no such session.")
        }
        return .noContent
    }

    @Sendable private func password(_ call: Call) async throws -> Reply {
        guard case .session = call.principal.kind else {
            throw Problem.forbidden("An API key can't change the password. Log in for it.")
        }
        var fields = try call.fields()
        let old = fields.required("current_password", max: 1024)
        let new = UserRoutes.password(&fields, "new_password", isRequired: true) ?? ""
        try fields.finish()
        try await UserRoutes.changing {
            try await people().changeOwnPassword(from: old, to: new, of: call.principal)
        }
        return .noContent
    }
}
