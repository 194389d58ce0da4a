import ControllerCore
import HTTPTypes

/// Logging in and out.
struct AuthRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    private static let forms = ["application/json", "application/x-www-form-urlencoded"]

    var routes: [Route] {
        [
            Route(
                .post, "/api/v1/auth/login", .public, "login", "Log in with a password", body: Self.forms,
                describes: Description(
                    .authentication, takes: Schemas.login, answers: [.ok(.component(Schemas.tokens))], problems: [401]),
                handler: login),
            Route(
                .post, "/api/auth/login", .public, "loginAlias", "The same, at an older address", body: Self.forms,
                acceptsTrailingSlash: true,
                describes: Description(
                    .authentication, takes: Schemas.login, answers: [.ok(.component(Schemas.tokens))], problems: [401]),
                handler: login),
            Route(
                .post, "/api/v1/auth/refresh", .public, "refreshTokens", "Exchange a refresh token for new tokens",
                body: Self.forms,
                describes: Description(
                    .authentication,
                    "A refresh token is spent by this. Who uses a spent one ends all sessions that came of it.",
                    takes: Schemas.refresh, answers: [.ok(.component(Schemas.tokens))], problems: [401]),
                handler: refresh),
            Route(
                .post, "/api/v1/auth/logout", .authenticated, "logout", "End the session", body: ["application/json"],
                describes: Description(.authentication, takes: .nothing, answers: [.noContent]), handler: logout),
            Route(
                .get, "/api/v1/auth/me", .authenticated, "me", "Who the caller is",
                describes: Description(.authentication, answers: [.ok(.component(Schemas.me))]), handler: me),
        ]
    }

    @Sendable private func login(_ call: Call) async throws -> Reply {
        var fields = try call.fieldsOrForm()
        let username = fields.required("username", max: 4096)
        let password = fields.required("password", max: 4096)
        try fields.finish()
        call.note(name: username)
        return try await answer {
            try await services.logins.login(username: username, password: password, remote: call.remote)
        }
    }

    @Sendable private func refresh(_ call: Call) async throws -> Reply {
        var fields = try call.fieldsOrForm()
        let token = fields.required("refresh_token")
        try fields.finish()
        return try await answer { try await services.logins.refresh(token, remote: call.remote) }
    }

    private func answer(_ body: () async throws -> TokenPair) async throws -> Reply {
        do {
            let pair = try await body()
            return .json { json in
                json.object { json in
                    json.field("access_token", pair.accessToken)
                    json.field("refresh_token", pair.refreshToken)
                    json.field("token_type", "bearer")
                    json.field("expires_in", pair.expiresIn)
                }
            }
        } catch LoginFailure.refused {
            throw Problem(401, "Not authenticated", "The user name, password or refresh token is wrong.")
        } catch LoginFailure.tooMany(let seconds) {
            throw Problem.tooMany("Too many logins. Try again in \(seconds) s.", retryAfter: seconds)
        }
    }

    @Sendable private func logout(_ call: Call) async throws -> Reply {
        try call.noFields()
        try await services.logins.logout(call.principal)
        var reply = Reply.noContent
        let cookie = BrowserCookie(configuration: configuration)
        if cookie.text(call.headers[.cookie]) != nil { reply.headers[.setCookie] = cookie.cleared }
        return reply
    }

    @Sendable private func me(_ call: Call) async throws -> Reply {
        Reply.json { members(of: call, &$0) }
    }

    /// Who calls, as an object.
    func members(of call: Call, _ json: inout JSONWriter) {
        let principal = call.principal
        let isBrowser = Credentials.bearer(call.headers) == nil
        let token = isBrowser ? services.browsers?.forgeryToken(of: principal) : nil
        json.object { json in
            json.field("id", principal.user.rawValue)
            json.field("username", principal.name)
            json.field("is_administrator", principal.isAdministrator)
            json.field("csrf_token", token)
            json.field("scopes", principal.scopes.map(\.rawValue).sorted())
            switch principal.kind {
            case .session: json.field("authenticated_by", "session")
            case .apiKey: json.field("authenticated_by", "api_key")
            }
        }
    }
}
