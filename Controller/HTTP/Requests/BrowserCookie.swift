import ControllerCore
import HTTPTypes
import NIOHTTP1

/// The cookie of a browser's session, and what must come beside it.
struct BrowserCookie: Sendable {
    let configuration: HTTPConfiguration

    private var isSecure: Bool {
        configuration.certificate != nil || configuration.publicURL.lowercased().hasPrefix("https://")
    }

    /// A browser takes one with this prefix over TLS only, from this host only.
    var name: String { isSecure ? "__Host-ansflow" : "ansflow" }

    /// The cookie's text in a `Cookie` header; nil where there is none, or more than one.
    func text(_ header: String?) -> String? {
        guard let header else { return nil }
        let found = header.split(separator: ";").compactMap { part -> String? in
            let sides = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            return sides.count == 2 && sides[0] == name ? String(sides[1]) : nil
        }
        return found.count == 1 ? found[0] : nil
    }

    func set(_ text: String, seconds: Int64) -> String {
        "\(name)=\(text); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Lax\(isSecure ? "; Secure" : "")"
    }

    var cleared: String { self.set("", seconds: 0) }

    /// Whether a page of `origin` is one of ours.
    ///
    /// - Parameter host: what the request's `Host` says.
    func isOurs(origin: String, host: String?) -> Bool {
        var allowed: [String] = []
        if !configuration.publicURL.isEmpty { allowed.append(Self.origin(of: configuration.publicURL)) }
        if let host { allowed += ["http://\(host)", "https://\(host)"] }
        return allowed.contains { $0.lowercased() == origin.lowercased() }
    }

    /// A browser adds its cookie to whatever any page sends: a write must also carry what only our pages know.
    func checkWrite(_ request: HTTPRequest, _ principal: Principal, _ logins: any BrowserLogins) throws {
        if let origin = request.headerFields[.origin], !isOurs(origin: origin, host: request.authority) {
            throw Problem.forbidden("A page from another origin may not do this.")
        }
        guard let token = request.headerFields[.forgeryToken], logins.isForgeryToken(token, of: principal) else {
            throw Problem.forbidden(
                "The header X-CSRF-Token is missing or wrong. Read it from `csrf_token` of GET /api/v1/auth/me.")
        }
    }

    /// Scheme, host and port of an address.
    private static func origin(of address: String) -> String {
        let parts = address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count >= 3 ? parts[0...2].joined(separator: "/") : address
    }
}

extension HTTPField.Name {
    static let forgeryToken = Self("X-CSRF-Token")!
}
