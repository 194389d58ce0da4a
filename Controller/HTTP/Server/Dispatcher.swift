import ControllerCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Takes a request through the one route table: path, method, caller, permission, query, body, handler. Whatever is not
/// expressly allowed is refused.
struct Dispatcher: Sendable {
    let table: RouteTable
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let metrics: RouteMetrics
    let accessLog: AccessLog
    let trail: AuditTrail
    let limits: RateLimits
    let crossOrigin: CrossOrigin
    let pages: ProblemPages
    let logger: Logger
    let largeBodies = LargeBodies()
    let writes: GuardedWrites

    func respond(_ request: Request, _ connection: ConnectionContext) async -> Response {
        let began = ContinuousClock.now
        let requestID = RequestIdentity.id(request.headers)
        let trace = RequestIdentity.trace(request.headers)
        let remote = configuration.proxies.client(peer: connection.remote, request.headers)
        var seen = Seen()
        var reply: Reply
        var title: String?
        do {
            reply = try await handle(
                request, connection, remote, RequestMark(requestID: requestID, trace: trace), began, &seen)
        } catch let problem as Problem {
            let isPage = seen.route.map { table.routes[$0].isPage }
            let wantsPage = ProblemPages.wantsPage(request.head, isPage: isPage)
            reply =
                wantsPage
                ? await pages.reply(problem, request.head, requestID: requestID) : problem.reply(requestID: requestID)
            title = problem.title
        } catch is CancellationError {
            reply = Problem.unavailable("The controller stops.").reply(requestID: requestID)
        } catch {
            logger.error(
                "a request failed",
                metadata: ["request_id": "\(requestID)", "operation": "\(operation(seen.route))", "error": "\(error)"])
            reply = Problem.internalError.reply(requestID: requestID)
        }
        if let audit = seen.audit, let call = seen.call(remote, requestID, table) {
            let location = reply.headers[.location]
            let answer = AuditTrail.Answer(status: reply.status.code, title: title, location: location)
            if await !trail.write(audit, call, answer), answer.status < 400 { reply = untold(requestID) }
        }
        seen.standing?.write(&reply.headers)
        crossOrigin.write(&reply.headers, to: request)
        let response = Self.response(to: request, reply, requestID, trace)
        let elapsed = ContinuousClock.now - began
        let microseconds = elapsed.components.seconds * 1_000_000 + elapsed.components.attoseconds / 1_000_000_000_000
        metrics.note(seen.route ?? table.routes.count, status: response.status.code, microseconds: microseconds)
        accessLog.note(
            AccessLog.Entry(
                at: configuration.now(), method: request.method.rawValue,
                path: String(request.head.path?.prefix { $0 != "?" } ?? ""), operation: operation(seen.route),
                status: response.status.code, microseconds: microseconds, remote: remote,
                caller: seen.caller, requestID: requestID, trace: trace))
        return response
    }

    /// What is known of a request by the time it is answered.
    private struct Seen {
        var route: Int?
        var caller: String?
        var parameters: [String] = []
        var principal: Principal?
        var standing: RateLimits.Standing?
        /// Where it is to be told.
        var audit: AuditDraft?

        func call(_ remote: String, _ requestID: String, _ table: RouteTable) -> AuditTrail.Caller? {
            route.map {
                AuditTrail.Caller(
                    principal: principal, remote: remote, requestID: requestID, route: table.routes[$0],
                    parameters: parameters)
            }
        }
    }

    /// It was done, and nobody will find out who did it.
    private func untold(_ requestID: String) -> Reply {
        Problem.unavailable(
            "This was done, but it could not be written to the audit log. See the controller's log and its disk."
        ).reply(requestID: requestID)
    }

    private func operation(_ route: Int?) -> String { route.map { table.routes[$0].operation } ?? "none" }

    private func handle(
        _ request: Request, _ connection: ConnectionContext, _ remote: String, _ mark: RequestMark,
        _ began: ContinuousClock.Instant,
        _ seen: inout Seen
    ) async throws -> Reply {
        if connection.isStranger {
            throw Problem.forbidden(
                "Plain HTTP is answered here to this controller's proxies alone. Come through them.")
        }
        if !RateLimits.isLoopback(remote) {
            // A forge sends from few addresses, and much at a time.
            let kind =
                request.head.path?.hasPrefix(WebhookRoutes.root + "/") == true ? RateLimits.Kind.webhook : .address
            try limits.take(kind, RateLimits.addressKey(remote), at: began)
        }
        let target = request.head.path ?? ""
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path: RequestPath
        do throws(RequestPath.Refusal) {
            path = try RequestPath(parts.first ?? "")
        } catch {
            guard case .malformed(let text) = error else { throw error }
            throw Problem.malformed(text)
        }
        if let preflight = crossOrigin.preflight(request, allow: { table.allows($0, path) }) { return preflight }
        let index: Int
        let parameters: [String]
        switch table.match(request.method, path) {
        case .route(let found, let values): (index, parameters) = (found, values)
        case .notFound: throw Problem.notFound()
        case .wrongMethod(let allow):
            var problem = Problem(405, "Method not allowed", "This address takes: \(allow).")
            problem.allow = allow
            throw problem
        }
        seen.route = index
        seen.parameters = parameters
        let route = table.routes[index]
        if AuditTrail.tells(route) { seen.audit = AuditDraft(operation: route.operation, at: configuration.now()) }
        if route.isLogin { try limits.take(.login, RateLimits.addressKey(remote), at: began) }
        let refusal = connection.takeRefusal()
        if let refusal { throw refusal }
        let principal = route.permission == .public ? nil : try await principal(route, request.head)
        // Known from here on, also where the rest refuses it.
        (seen.principal, seen.caller) = (principal, principal?.name)
        try Self.authorize(route, principal)
        try Self.check(parameters, of: route)
        if let principal { seen.standing = try limit(principal, began) }
        let text = parts.count == 2 ? parts[1] : ""
        // A page's query is its script's own. Programs are told of what they misspell, here as elsewhere.
        let takesAny = ProblemPages.wantsPage(request.head, isPage: route.isPage)
        let query = try takesAny ? Query(any: text) : Query(text, known: route.query)
        var held = 0
        defer { largeBodies.giveBack(held) }
        let body = try await body(of: request, route, &held)
        var call = Call(
            method: request.method, parameters: parameters, query: query, headers: request.headers, body: body,
            requestID: mark.requestID, remote: remote, caller: principal, audit: seen.audit,
            trace: mark.trace)
        call.role = route.role
        call.authority = request.head.authority
        call.segments = path.segments
        if let principal { call.access = try await services.access.access(of: principal) }
        let asked = call
        let keys = Idempotency(services.idempotency, for: route, asked, now: configuration.now)
        let reply = try await RequestMark.$current.withValue(mark) {
            guard let keys else { return try await guarded(route, asked, path) }
            return try await keys.answer(route, asked, target: target)
        }
        guard route.role == nil || call.grants.wereAsked else {
            logger.critical("a route answered without asking for a role", metadata: ["operation": "\(route.operation)"])
            throw Problem.internalError
        }
        return reply
    }

    private func limit(_ principal: Principal, _ now: ContinuousClock.Instant) throws -> RateLimits.Standing? {
        switch principal.kind {
        case .session: try limits.take(.user, String(principal.user.rawValue), at: now)
        case .apiKey(let id): try limits.take(.key, String(id), at: now)
        }
    }

    private static func check(_ parameters: [String], of route: Route) throws {
        for (name, value) in zip(route.parameterNames, parameters) {
            guard let refusal = route.kind(of: name).refusal(of: value) else { continue }
            throw Problem.malformed(
                "The `\(name)` in the path is wrong. \(refusal)",
                errors: [.init(path: "path.\(name)", message: refusal)])
        }
    }

    private static func authorize(_ route: Route, _ principal: Principal?) throws {
        if route.permission == .public { return }
        guard let principal else { throw Problem.unauthenticated }
        if let scope = route.permission.scope, !principal.scopes.contains(scope) {
            throw Problem.forbidden("This needs the permission `\(scope.rawValue)`, which you do not have.")
        }
    }

    private func principal(_ route: Route, _ request: HTTPRequest) async throws -> Principal? {
        if let bearer = Credentials.bearer(request.headerFields) {
            return try await services.authentication.authenticate(bearer: bearer)
        }
        let cookie = BrowserCookie(configuration: configuration)
        guard let browsers = services.browsers, let text = cookie.text(request.headerFields[.cookie]),
            let principal = try await browsers.authenticate(cookie: text)
        else { return nil }
        if route.method != .get { try cookie.checkWrite(request, principal, browsers) }
        return principal
    }

    /// - Parameter held: what the body takes of ``largeBodies``.
    private func body(of request: Request, _ route: Route, _ held: inout Int) async throws -> ByteBuffer {
        if route.body.isEmpty { return try await noBody(of: request, route) }
        let bytesMax = route.bodyBytesMax ?? configuration.bodyBytesMax
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bytesMax {
            throw tooLarge(bytesMax)
        }
        var collected = ByteBuffer()
        do {
            for try await part in request.body {
                guard collected.readableBytes + part.readableBytes <= bytesMax else { throw tooLarge(bytesMax) }
                if route.bodyBytesMax != nil {
                    guard largeBodies.take(part.readableBytes) else {
                        throw Problem.unavailable("Too many large requests are being read.", retryAfter: 5)
                    }
                    held += part.readableBytes
                }
                collected.writeImmutableBuffer(part)
            }
        } catch let problem as Problem {
            throw problem
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // The other side has closed, or sent what is no HTTP, in the middle of it.
            throw Problem.malformed("The body ended before it was complete.")
        }
        guard collected.readableBytes > 0 else { return collected }
        // No request is decompressed: a small one must not become a large one.
        guard request.headers[.contentEncoding] == nil else {
            throw Problem(415, "Unsupported media type", "The body must not be compressed.")
        }
        if route.body == [Route.anyBody] { return collected }
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard let type, route.body.contains(type) else {
            throw Problem(
                415, "Unsupported media type", "The Content-Type must be \(route.body.joined(separator: " or ")).")
        }
        return collected
    }

    /// What nobody reads could mean something to who sends it, as `{"dry_run":true}` does: it is refused before anything is done.
    private func noBody(of request: Request, _ route: Route) async throws -> ByteBuffer {
        if route.method == .get { return ByteBuffer() }
        var text: [UInt8] = []
        do {
            for try await part in request.body where text.count <= 64 { text += part.readableBytesView.prefix(65) }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Problem.malformed("The body ended before it was complete.")
        }
        text.removeAll { [0x09, 0x0A, 0x0D, 0x20].contains($0) }
        guard text.isEmpty || text == Array("{}".utf8) else {
            throw Problem.malformed("This address takes no body. What can be said here stands in the query.")
        }
        return ByteBuffer()
    }

    private func tooLarge(_ bytesMax: Int) -> Problem {
        Problem(413, "Body too large", "The body may have at most \(bytesMax) bytes.")
    }

    private static func response(
        to request: Request, _ given: Reply, _ requestID: String, _ trace: String?
    ) -> Response {
        var reply = given
        let isRead = request.method == .get || request.method == .head
        if isRead, reply.status == .ok, let tag = reply.etag ?? reply.buffer.map(EntityTag.of) {
            reply.headers[.eTag] = tag
            if reply.headers[.cacheControl] == nil { reply.headers[.cacheControl] = "private, no-cache" }
            if let header = request.headers[.ifNoneMatch], EntityTag.matches(header, tag) {
                reply.status = .notModified
                reply.body = ResponseBody()
                reply.contentType = nil
            }
        }
        var headers = reply.headers
        if let type = reply.contentType { headers[.contentType] = type }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        headers.append(HTTPField(name: .xContentTypeOptions, value: "nosniff"))
        if headers[.contentSecurityPolicy] == nil {
            headers.append(HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; frame-ancestors 'none'"))
        }
        if headers[.referrerPolicy] == nil { headers[.referrerPolicy] = "no-referrer" }
        headers.append(HTTPField(name: .xRequestID, value: requestID))
        if let trace { headers.append(HTTPField(name: .traceparent, value: trace)) }
        if request.method == .head {
            if let length = reply.body.contentLength { headers[.contentLength] = String(length) }
            return Response(status: reply.status, headers: headers)
        }
        return Response(status: reply.status, headers: headers, body: reply.body)
    }
}

/// Where a caller's token may stand.
enum Credentials {
    static func bearer(_ headers: HTTPFields) -> String? {
        if let header = headers[.authorization] {
            let parts = header.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
            return String(parts[1])
        }
        return headers[.xAPIKey]
    }
}
