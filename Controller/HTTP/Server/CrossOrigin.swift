import HTTPTypes
import Hummingbird

/// Which other sites' pages may read this interface's answers (CORS). Cookies are never let through: such pages send a token.
struct CrossOrigin: Sendable {
    /// Origins as browsers send them; `*` for all.
    let allowed: Set<String>

    init(_ origins: [String]) {
        allowed = Set(origins)
    }

    /// What the answer's `Access-Control-Allow-Origin` is to be; nil where the page may not read it.
    private func answer(to origin: String?) -> String? {
        guard let origin, !allowed.isEmpty else { return nil }
        if allowed.contains("*") { return "*" }
        return allowed.contains(origin) ? origin : nil
    }

    /// The answer to a browser's question before a request; nil where it is no such question, or the origin is not allowed.
    func preflight(_ request: Request, allow: (HTTPRequest.Method) -> Bool) -> Reply? {
        guard request.method == .options, let text = request.headers[.accessControlRequestMethod],
            let method = HTTPRequest.Method(text), let origin = answer(to: request.headers[.origin]), allow(method)
        else { return nil }
        var reply = Reply.noContent
        reply.headers[.accessControlAllowOrigin] = origin
        reply.headers[.accessControlAllowMethods] = method.rawValue
        reply.headers[.accessControlAllowHeaders] = Self.requestHeaders
        reply.headers[.accessControlMaxAge] = "600"
        reply.headers[.vary] = "Origin"
        return reply
    }

    func write(_ headers: inout HTTPFields, to request: Request) {
        guard !allowed.isEmpty else { return }
        if !allowed.contains("*") {
            let others = headers[.vary] ?? ""
            if !others.contains("Origin") { headers[.vary] = others.isEmpty ? "Origin" : "\(others), Origin" }
        }
        guard headers[.accessControlAllowOrigin] == nil, let origin = answer(to: request.headers[.origin]) else {
            return
        }
        headers[.accessControlAllowOrigin] = origin
        headers[.accessControlExposeHeaders] = Self.answerHeaders
    }

    private static let requestHeaders =
        "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Range, X-API-Key, X-Request-ID, traceparent"
    private static let answerHeaders =
        """
        ETag, Link, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Idempotency-Replayed, Allow, \
        Accept-Ranges, Content-Range, Content-Disposition, X-Request-ID, traceparent
        """
}
