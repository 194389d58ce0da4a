import ControllerCore
import HTTPTypes

/// The forms that work without a script: logging in, and the first administrator's own password.
enum LoginPage {
    static let administrator = "admin"

    /// Whether the first administrator still has the password that the first start gave.
    static func isFirstStart(_ services: HTTPServices) async -> Bool {
        guard let first = try? await services.people?.users(text: nil, order: .name, page: 1, perPage: 2),
            first.total == 1,
            let user = first.items.first
        else { return false }
        return user.name == administrator && user.version == 1
    }

    static func login(
        _ shell: Shell, _ look: PageLook, _ status: HTTPResponse.Status, next: String, username: String, fault: String?,
        offersSetup: Bool
    ) -> Reply {
        shell.page(status, title: "Log in", look: look, user: nil, boot: nil) { html in
            card(&html, "Log in", fault) { html in
                html.element("form", ["method": "post", "action": "/login", "class": "form"]) { html in
                    html.open("input", ["type": "hidden", "name": "next", "value": next])
                    field(&html, "username", "User name", "text", "username", username)
                    field(&html, "password", "Password", "password", "current-password")
                    html.element("button", ["type": "submit", "class": "button is-primary"], "Log in")
                }
                if offersSetup {
                    html.element("p", ["class": "muted"]) { html in
                        html.text("First start? ")
                        html.element("a", ["href": "/setup"], "Choose the administrator's password")
                    }
                }
            }
        }
    }

    static func setup(_ shell: Shell, _ look: PageLook, _ status: HTTPResponse.Status, fault: String?) -> Reply {
        shell.page(status, title: "Set up", look: look, user: nil, boot: nil) { html in
            card(&html, "Set up AnsFlow", fault) { html in
                html.element("p", ["class": "muted"]) {
                    $0.prose(
                        """
                        The first start printed a password for the user `\(administrator)`, once. Enter it here and choose your own; \
                        the printed one is worth nothing afterwards.
                        """)
                }
                html.element("form", ["method": "post", "action": "/setup", "class": "form"]) { html in
                    html.open(
                        "input",
                        [
                            "class": "hidden", "name": "username", "value": administrator, "autocomplete": "username",
                            "tabindex": "-1", "aria-hidden": "true", "readonly": "readonly",
                        ])
                    field(&html, "password", "Printed password", "password", "current-password")
                    field(
                        &html, "new_password", "New password", "password", "new-password",
                        hint: "At least 8 characters.")
                    field(&html, "repeated", "New password again", "password", "new-password")
                    html.element("button", ["type": "submit", "class": "button is-primary"], "Set password and log in")
                }
                html.element("p", ["class": "muted"]) { html in
                    html.element("a", ["href": "/login"], "Log in instead")
                }
            }
        }
    }

    private static func card(
        _ html: inout HTML, _ title: String, _ fault: String?, _ content: (inout HTML) -> Void
    ) {
        html.element("div", ["class": "card"]) { html in
            html.element("div", ["class": "brand"]) { html in
                html.open("img", ["src": Shell.icon, "alt": "", "width": "22", "height": "22"])
                html.element("span", "AnsFlow")
            }
            html.element("h1", title)
            if let fault { html.element("p", ["class": "notice is-failed", "role": "alert"], fault) }
            content(&html)
        }
    }

    private static func field(
        _ html: inout HTML, _ name: String, _ label: String, _ type: String, _ autocomplete: String,
        _ value: String = "", hint: String? = nil
    ) {
        html.element("div", ["class": "field"]) { html in
            html.element("label", ["for": name], label)
            html.open(
                "input",
                [
                    "class": "input", "id": name, "name": name, "type": type, "autocomplete": autocomplete,
                    "required": "required", "value": value,
                ])
            if let hint { html.element("div", ["class": "hint"], hint) }
        }
    }
}
