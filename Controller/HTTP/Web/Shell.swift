import ControllerCore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a page of the web interface begins as: header, title, and the data that it is made of. The script goes on from there.
struct Shell: Sendable {
    /// Where scripts and looks come from.
    let assets: WebAssets
    let folder: String
    let configuration: HTTPConfiguration

    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
        manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'; trusted-types 'none'
        """
    /// For pages without a script.
    static let quietPolicy = """
        default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
        frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'
        """
    static let icon = """
        data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' \
        fill='%230550ae'/%3E%3Cpath d='M4 11l4-6 4 6M5.6 9h4.8' fill='none' stroke='%23fff' stroke-width='1.8' \
        stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E
        """
    private static let sheets = ["tokens", "base", "ui", "log", "graph", "narrow"]
    static let places = [
        ("/", "Dashboard"), ("/runs", "Executions"), ("/pipelines", "Pipelines"), ("/projects", "Projects"),
        ("/agents", "Agents"), ("/queue", "Queue"),
    ]

    /// Where the editor's parts are; nil where they were not there when the page was built.
    var editor: String? { folder.isEmpty ? assets.roles["editor"].map { "\(StaticRoutes.path)/\($0)" } : nil }
    var hasScript: Bool { !folder.isEmpty || assets.isThere }

    /// - Parameters:
    ///   - boot: JSON for the script; nil for a page that has none.
    ///   - parts: roles of files that are asked for at once, since the page will need them.
    ///   - body: what stands in `main` until the script has more.
    func page(
        _ status: HTTPResponse.Status, title: String, look: PageLook, current: String = "", user: Principal?,
        boot: [UInt8]?, parts: [String] = [], body: (inout HTML) -> Void
    ) -> Reply {
        var html = HTML(capacity: 8192 + (boot?.count ?? 0))
        let isLive = boot != nil && hasScript
        html.element("html", ["lang": "en", "data-theme": look.theme, "data-density": look.density]) { html in
            html.element("head") { head(&$0, title, isLive: isLive, parts) }
            html.element("body", ["class": user == nil ? "bare" : "app"]) { html in
                html.element("a", ["class": "skip", "href": "#main"], "Skip to content")
                if let user { header(&html, user, current, isLive: isLive) }
                html.element("main", ["id": "main", "tabindex": "-1"]) { html in
                    body(&html)
                    // What is whole without a script says nothing of one.
                    if user != nil, boot != nil { Self.withoutScript(&html, hasScript) }
                }
                html.element("div", ["id": "announcer", "class": "hidden", "role": "status"], "")
                if isLive, let boot {
                    html.element("script", ["type": "application/json", "id": "boot"]) { $0.json(boot) }
                }
            }
        }
        let buffer = ByteBuffer(bytes: html.bytes)
        var reply = Reply(status, "text/html; charset=utf-8", ResponseBody(byteBuffer: buffer))
        reply.buffer = buffer
        reply.headers[.contentSecurityPolicy] = isLive ? Self.policy : Self.quietPolicy
        reply.headers[.vary] = "Cookie, Accept"
        reply.headers[.referrerPolicy] = "same-origin"
        reply.headers[HTTPField.Name("Cross-Origin-Opener-Policy")!] = "same-origin"
        return reply
    }

    private func head(_ html: inout HTML, _ title: String, isLive: Bool, _ parts: [String]) {
        html.open("meta", ["charset": "utf-8"])
        html.open("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        html.open("meta", ["name": "color-scheme", "content": "light dark"])
        html.element("title", title.isEmpty ? "AnsFlow" : "\(title) · AnsFlow")
        html.open("link", ["rel": "icon", "id": "icon", "href": Self.icon])
        if !folder.isEmpty {
            for sheet in Self.sheets { html.open("link", ["rel": "stylesheet", "href": "/static/css/\(sheet).css"]) }
            if isLive { html.element("script", ["type": "module", "src": "/static/src/main.js"], "") }
        } else if let style = assets.roles["app"], let main = assets.roles["main"] {
            html.open("link", ["rel": "stylesheet", "href": "/static/\(style)"])
            guard isLive else { return }
            let shared = (assets.roles["preload"]?.split(separator: " ") ?? []).map(String.init)
            for name in shared + parts.compactMap({ assets.roles[$0] }) {
                html.open("link", ["rel": "modulepreload", "href": "/static/\(name)"])
            }
            html.element("script", ["type": "module", "src": "/static/\(main)"], "")
        }
    }

    /// - Parameter isLive: whether there is a script: without one, what only a script can do is left out.
    private func header(_ html: inout HTML, _ user: Principal, _ current: String, isLive: Bool) {
        html.element("header", ["class": "header"]) { html in
            html.element("a", ["class": "brand", "href": "/", "aria-label": "AnsFlow, dashboard"]) { html in
                html.open("img", ["src": Self.icon, "alt": "", "width": "22", "height": "22"])
                html.element("span", "AnsFlow")
            }
            html.element("nav", ["class": "nav", "id": "nav", "aria-label": "Main"]) { html in
                for (path, name) in Self.places {
                    if path == current {
                        html.element("a", ["href": path, "aria-current": "page"], name)
                    } else {
                        html.element("a", ["href": path], name)
                    }
                }
            }
            html.element("div", ["class": "tools"]) { html in
                if isLive { Self.tools(&html) }
                html.element("a", ["class": "button is-plain", "id": "user", "href": "/me"], user.name)
            }
        }
    }

    private static func tools(_ html: inout HTML) {
        html.element(
            "button",
            ["type": "button", "class": "search-button", "id": "open-search", "aria-label": "Search or jump…"]
        ) { html in
            html.element("span", ["aria-hidden": "true"], "⌕")
            html.element("span", ["class": "grow"], "Search or jump…")
            html.element("kbd", "Ctrl K")
        }
        html.element("span", ["class": "live", "id": "live", "data-state": "off"]) { html in
            html.element("span", ["class": "word"], "Connecting")
        }
        html.element(
            "a",
            [
                "class": "button is-plain is-icon", "id": "notices", "href": "/me/notifications",
                "aria-label": "Notices",
            ]
        ) { $0.element("span", ["class": "bell"], "") }
    }

    private static func withoutScript(_ html: inout HTML, _ hasScript: Bool) {
        if !hasScript {
            html.element("div", ["class": "page"]) { html in
                html.element("p", ["class": "notice is-warning"]) {
                    $0.prose("This controller was built without web assets: run `packaging/web-build` and build again.")
                }
            }
        }
        html.element("noscript") { html in
            html.element("div", ["class": "page"]) { html in
                html.element("p", ["class": "notice is-warning"]) { html in
                    html.text("This page needs JavaScript. Without it there is the interface: ")
                    html.element("a", ["href": "/redoc"], "its description")
                    html.text(", and the command ansflow.")
                }
            }
        }
    }
}
