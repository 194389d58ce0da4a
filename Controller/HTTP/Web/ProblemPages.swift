import ControllerCore
import HTTPTypes
import Hummingbird

/// What went wrong, as a page: whoever comes with a browser gets words and a way on, with the status that programs get.
struct ProblemPages: Sendable {
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let shell: Shell

    /// Whether the sender wants a page, at an address that may be one.
    static func wantsPage(_ request: HTTPRequest, isPage: Bool?) -> Bool {
        guard request.method == .get || request.method == .head,
            request.headerFields[.accept]?.contains("text/html") == true
        else { return false }
        if let isPage { return isPage }
        let path = request.path ?? ""
        return !["/api/", "/ws", "/webhooks", "/static/"].contains { path.hasPrefix($0) }
    }

    func reply(_ problem: Problem, _ request: HTTPRequest, requestID: String) async -> Reply {
        let look = PageLook(cookie: request.headerFields[.cookie])
        if problem.status == 401 {
            let first = await LoginPage.isFirstStart(services)
            return LoginPage.login(
                shell, look, .unauthorized, next: NextAddress.safe(request.path), username: "", fault: nil,
                offersSetup: first)
        }
        let user = await Self.principal(request.headerFields, services, configuration)
        var reply = shell.page(
            HTTPResponse.Status(code: problem.status), title: problem.title, look: look, user: user, boot: nil
        ) { html in
            html.element("div", ["class": "page is-narrow"]) { html in
                html.element("h1", "\(problem.status) · \(problem.title)")
                html.element("p", ["class": "break"]) { $0.prose(problem.detail) }
                html.element("p", ["class": "muted small"], "Request \(requestID)")
                html.element("p", ["class": "actions"]) { html in
                    html.element("a", ["class": "button is-primary", "href": "/"], "Dashboard")
                    html.element("a", ["class": "button", "href": "/runs"], "Executions")
                }
            }
        }
        if let retryAfter = problem.retryAfter { reply.headers[.retryAfter] = String(retryAfter) }
        return reply
    }

    /// Whose cookie it is; nil for nobody's.
    static func principal(
        _ headers: HTTPFields, _ services: HTTPServices, _ configuration: HTTPConfiguration
    ) async -> Principal? {
        guard let browsers = services.browsers,
            let text = BrowserCookie(configuration: configuration).text(headers[.cookie])
        else { return nil }
        return try? await browsers.authenticate(cookie: text)
    }
}
