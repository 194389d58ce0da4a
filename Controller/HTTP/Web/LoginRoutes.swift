import ControllerCore
import HTTPTypes

/// Logging in and out with forms, for browsers without a script too.
struct LoginRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let shell: Shell

    private static let form = ["application/x-www-form-urlencoded"]
    private var cookie: BrowserCookie { BrowserCookie(configuration: configuration) }

    var routes: [Route] {
        let page = Description.Answer.content("text/html")
        let fields = Description.Payload(.object([:]), example: "{}")
        var all = [
            Route(
                .get, "/login", .public, "loginPage", "The page to log in",
                query: [QueryParameter("next", "Where to go on afterwards, on this host", .text(max: 2048))],
                describes: Description(.pages, answers: [page, .seeOther]), handler: showLogin),
            Route(
                .post, "/login", .public, "loginForm", "Log a browser in by a form, and lead it on", body: Self.form,
                describes: Description(.pages, takes: fields, answers: [.seeOther], problems: [401]), handler: login),
            Route(
                .post, "/logout", .public, "logoutForm", "End a browser's session by a form", body: Self.form,
                describes: Description(.pages, takes: fields, answers: [.seeOther]), handler: logout),
            Route(
                .get, "/setup", .public, "setupPage", "The page for the first administrator's password",
                describes: Description(.pages, answers: [page, .seeOther]), handler: showSetup),
            Route(
                .post, "/setup", .public, "setupForm", "Exchange the printed password for one's own", body: Self.form,
                describes: Description(.pages, takes: fields, answers: [.seeOther], problems: [401]), handler: setup),
        ]
        for index in all.indices { all[index].isPage = true }
        return all
    }

    static func seeOther(_ address: String) -> Reply {
        var reply = Reply(.seeOther)
        reply.headers[.location] = address
        return reply
    }

    private func look(_ call: Call) -> PageLook { PageLook(cookie: call.headers[.cookie]) }

    /// A form of another site must neither log a browser in nor out.
    private func checkOrigin(_ call: Call) throws {
        if let origin = call.headers[.origin], !cookie.isOurs(origin: origin, host: call.authority) {
            throw Problem.forbidden("A page from another origin may not do this.")
        }
    }

    @Sendable private func showLogin(_ call: Call) async throws -> Reply {
        let next = NextAddress.safe(call.query.text("next"))
        if await ProblemPages.principal(call.headers, services, configuration) != nil { return Self.seeOther(next) }
        return LoginPage.login(
            shell, look(call), .ok, next: next, username: "", fault: nil,
            offersSetup: await LoginPage.isFirstStart(services))
    }

    @Sendable private func login(_ call: Call) async throws -> Reply {
        try checkOrigin(call)
        var fields = try call.fieldsOrForm()
        let username = fields.string("username", max: 4096) ?? ""
        let password = fields.string("password", max: 4096) ?? ""
        let next = NextAddress.safe(fields.string("next", max: 4096))
        try fields.finish()
        call.note(name: username)
        do {
            return try await enter(call, username, password, next)
        } catch let failure as LoginFailure {
            let (status, fault) = Self.words(failure)
            return LoginPage.login(
                shell, look(call), status, next: next, username: username, fault: fault,
                offersSetup: await LoginPage.isFirstStart(services))
        }
    }

    private static func words(_ failure: LoginFailure) -> (HTTPResponse.Status, String) {
        switch failure {
        case .tooMany(let seconds): (.tooManyRequests, "Too many logins. Try again in \(seconds) s.")
        default: (.unauthorized, "The user name or password is wrong.")
        }
    }

    private func enter(_ call: Call, _ username: String, _ password: String, _ next: String) async throws -> Reply {
        guard let browsers = services.browsers else { throw Problem.unavailable("Browsers can't log in here.") }
        let session = try await browsers.browserLogin(username: username, password: password, remote: call.remote)
        // Whoever planted a cookie before the login gets nothing by it.
        if let before = await ProblemPages.principal(call.headers, services, configuration) {
            try await services.logins.logout(before)
        }
        var reply = Self.seeOther(next)
        reply.headers[.setCookie] = cookie.set(
            session.cookie, seconds: max(0, (session.expiresAt - configuration.now()) / 1000))
        return reply
    }

    @Sendable private func logout(_ call: Call) async throws -> Reply {
        try checkOrigin(call)
        var fields = try call.fieldsOrForm()
        let token = fields.string("csrf", max: 256) ?? ""
        try fields.finish()
        var reply = Self.seeOther("/login")
        guard let browsers = services.browsers,
            let principal = await ProblemPages.principal(call.headers, services, configuration)
        else { return reply }
        guard browsers.isForgeryToken(token, of: principal) else {
            throw Problem.forbidden("This form is not of a page of this session. Load the page again.")
        }
        call.note(name: principal.name)
        try await services.logins.logout(principal)
        reply.headers[.setCookie] = cookie.cleared
        reply.headers[HTTPField.Name("Clear-Site-Data")!] = "\"cache\""
        return reply
    }

    @Sendable private func showSetup(_ call: Call) async throws -> Reply {
        guard await LoginPage.isFirstStart(services) else { return Self.seeOther("/login") }
        return LoginPage.setup(shell, look(call), .ok, fault: nil)
    }

    @Sendable private func setup(_ call: Call) async throws -> Reply {
        try checkOrigin(call)
        var fields = try call.fieldsOrForm()
        let printed = fields.string("password", max: 4096) ?? ""
        let chosen = fields.string("new_password", max: 1024) ?? ""
        let repeated = fields.string("repeated", max: 1024) ?? ""
        _ = fields.string("username", max: 4096)
        try fields.finish()
        guard await LoginPage.isFirstStart(services) else { return Self.seeOther("/login") }
        call.note(name: LoginPage.administrator)
        func again(_ status: HTTPResponse.Status, _ fault: String) -> Reply {
            LoginPage.setup(shell, look(call), status, fault: fault)
        }
        guard chosen == repeated else { return again(.unprocessableContent, "The two new passwords differ.") }
        guard chosen.utf8.count >= UserRoutes.passwordBytesMin else {
            return again(
                .unprocessableContent,
                "The new password is too short: at least \(UserRoutes.passwordBytesMin) characters.")
        }
        guard let browsers = services.browsers, let people = services.people else {
            throw Problem.unavailable("Browsers can't log in here.")
        }
        do {
            // The password is proved by logging in with it: no way round the limit on tries.
            let session = try await browsers.browserLogin(
                username: LoginPage.administrator, password: printed, remote: call.remote)
            try await UserRoutes.changing {
                try await people.changeOwnPassword(from: printed, to: chosen, of: session.principal)
            }
            var reply = Self.seeOther("/")
            reply.headers[.setCookie] = cookie.set(
                session.cookie, seconds: max(0, (session.expiresAt - configuration.now()) / 1000))
            return reply
        } catch let failure as LoginFailure {
            let (status, fault) = Self.words(failure)
            return again(status, failure == .refused ? "The printed password is wrong." : fault)
        }
    }
}
