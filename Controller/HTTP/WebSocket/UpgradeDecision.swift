import ControllerCore
import ControllerRealtime
import HTTPTypes
import NIOHTTP1

/// Decides whether a request may become a viewer's WebSocket.
struct UpgradeDecision: Sendable {
    /// What an allowed viewer starts with.
    struct Grant: Sendable {
        var principal: Principal
        /// Nil on `/ws`, where the viewer names its topics itself.
        var first: Subscribe?
    }

    let services: HTTPServices
    let configuration: HTTPConfiguration

    func decide(_ head: HTTPRequestHead) async throws -> Grant {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path: RequestPath
        do throws(RequestPath.Refusal) {
            path = try RequestPath(parts.first ?? "")
        } catch {
            throw Problem.malformed("The path is malformed.")
        }
        let (isKnown, topic) = LiveRoutes.topic(path.segments)
        guard isKnown, !path.hasEncodedSlash else { throw Problem.notFound() }
        guard head.method == .GET else { throw Problem.malformed("A WebSocket is asked for with GET.") }
        try checkOrigin(head.headers)
        let query = try Query(parts.count == 2 ? parts[1] : "", known: LiveRoutes.query)
        guard let principal = try await principal(head.headers, query) else { throw Problem.unauthenticated }
        guard principal.scopes.contains(.read) else {
            throw Problem.forbidden("This needs the permission `read`, which you do not have.")
        }
        if path.segments.count == 1 { return Grant(principal: principal, first: nil) }
        let rights = Rights(services: services, principal: principal)
        guard let topic, try await rights.visibility(of: topic) != nil else {
            throw Problem.notFound("There is no such run, pipeline or project.")
        }
        let logs = try Self.logs(query.text("logs"), isDefault: path.segments[1] == "executions")
        return Grant(
            principal: principal,
            first: Subscribe(
                topic, after: try query.integer("after", 0...Int64.max),
                generation: try query.integer("generation", 0...Int64.max), wantsLogs: logs.wanted, logs: logs.lines))
    }

    /// A browser always says where its page is from; another page must not read with this one's credentials.
    private func checkOrigin(_ headers: HTTPHeaders) throws {
        let origins = headers["origin"]
        guard !origins.isEmpty else { return }
        guard origins.count == 1 else { throw Problem.forbidden("There is more than one Origin.") }
        var allowed: [String] = []
        if !configuration.publicURL.isEmpty {
            allowed.append(Self.origin(of: configuration.publicURL))
        }
        let hosts = headers["host"]
        if hosts.count == 1 { allowed += ["http://\(hosts[0])", "https://\(hosts[0])"] }
        guard allowed.contains(where: { $0.lowercased() == origins[0].lowercased() }) else {
            throw Problem.forbidden("A page from another origin may not open this WebSocket.")
        }
    }

    /// Scheme, host and port of an address.
    private static func origin(of address: String) -> String {
        guard let scheme = address.range(of: "://") else { return address }
        return String(address[..<scheme.upperBound] + address[scheme.upperBound...].prefix { $0 != "/" })
    }

    private func principal(_ headers: HTTPHeaders, _ query: Query) async throws -> Principal? {
        var fields = HTTPFields()
        fields[.authorization] = headers["authorization"].first
        fields[.xAPIKey] = headers["x-api-key"].first
        if let bearer = Credentials.bearer(fields) {
            return try await services.authentication.authenticate(bearer: bearer)
        }
        let cookie = BrowserCookie(configuration: configuration)
        if let browsers = services.browsers, let text = cookie.text(headers["cookie"].first),
            let principal = try await browsers.authenticate(cookie: text)
        {
            // A browser sends its cookie for every page's sockets, and says which page it is.
            guard !headers["origin"].isEmpty else {
                throw Problem.forbidden("A WebSocket with a cookie needs the header Origin.")
            }
            return principal
        }
        guard let ticket = query.text("token") else { return nil }
        // Its owner may have been shut out since it was made.
        guard let principal = services.tickets.redeemTicket(ticket),
            await services.authentication.isStillValid(principal)
        else { return nil }
        return principal
    }

    private static func logs(_ text: String?, isDefault: Bool) throws -> (wanted: Bool, lines: [String: UInt64]) {
        switch text {
        case nil: return (isDefault, [:])
        case "1", "true": return (true, [:])
        case "0", "false": return (false, [:])
        case let text?:
            guard let value = try? JSONParser.parse(Array(text.utf8)), let lines = LiveCommand.lines(value) else {
                throw Query.wrong("logs", "It must be `1`, `0`, or an object such as {\"build/test/1\": 120}.")
            }
            return (true, lines)
        }
    }
}

extension String {
    /// Where `part` first stands.
    fileprivate func range(of part: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
