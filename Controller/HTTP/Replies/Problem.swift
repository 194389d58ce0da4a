import ControllerCore
import HTTPTypes
import Hummingbird
import NIOCore

/// An error as callers get it: RFC 9457 `application/problem+json`.
package struct Problem: Error, Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        /// Where in the request: a field, a parameter, a place in a file.
        var path: String
        var message: String
    }

    package var status: Int
    package var title: String
    package var detail: String
    package var errors: [Item] = []
    /// Seconds, for 429 and 503.
    package var retryAfter: Int?
    package var allow: String?
    /// How much was allowed, for 429.
    var limit: Int?

    init(_ status: Int, _ title: String, _ detail: String, errors: [Item] = [], retryAfter: Int? = nil) {
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.retryAfter = retryAfter
    }

    /// The title that problems of this status have where nothing more exact is known.
    static func title(of status: Int) -> String {
        switch status {
        case 400: "Malformed request"
        case 401: "Not authenticated"
        case 403: "Forbidden"
        case 404: "Not found"
        case 409: "Conflict"
        case 410: "Gone"
        case 412: "Precondition failed"
        case 413: "Body too large"
        case 415: "Unsupported media type"
        case 416: "Range not satisfiable"
        case 422: "Invalid request"
        case 426: "Upgrade required"
        case 429: "Too many requests"
        case 431: "Request head too large"
        case 500: "Internal error"
        case 502: "Upstream failed"
        case 503: "Unavailable"
        default: "Problem"
        }
    }

    static func malformed(_ detail: String, errors: [Item] = []) -> Problem {
        Problem(400, "Malformed request", detail, errors: errors)
    }
    static let unauthenticated = Problem(
        401, "Not authenticated", "Log in, or send a valid access token or API key in the Authorization header.")
    static func forbidden(_ detail: String) -> Problem { Problem(403, "Forbidden", detail) }
    static func notFound(_ detail: String = "There is nothing at this address.") -> Problem {
        Problem(404, "Not found", detail)
    }
    static func conflict(_ detail: String) -> Problem { Problem(409, "Conflict", detail) }
    static func invalid(_ detail: String, errors: [Item] = []) -> Problem {
        Problem(422, "Invalid request", detail, errors: errors)
    }
    static func invalid(_ path: String, _ message: String) -> Problem {
        Problem(422, "Invalid request", message, errors: [Item(path: path, message: message)])
    }
    static func tooMany(_ detail: String, retryAfter: Int) -> Problem {
        Problem(429, "Too many requests", detail, retryAfter: max(1, retryAfter))
    }
    static func unavailable(_ detail: String, retryAfter: Int = 5) -> Problem {
        Problem(503, "Unavailable", detail, retryAfter: retryAfter)
    }
    static let internalError = Problem(
        500, "Internal error", "The controller could not do this. Its log says why, under this request's id.")

    init(_ failure: CommandFailure, what: String) {
        switch failure {
        case .notFound: self = .notFound("There is no such \(what).")
        case .conflict(let text): self = .conflict(text)
        case .invalid(let faults):
            self = .invalid(
                faults.first.map { "The field `\($0.field)` is wrong. \($0.message)" } ?? "A value is wrong.",
                errors: faults.map { Item(path: $0.field, message: $0.message) })
        case .notWritable(let text): self = .unavailable(text)
        case .overloaded: self = .unavailable("Too many commands wait. Try again in a moment.", retryAfter: 1)
        }
    }

    static let errorsMax = 100
    private static let textMax = 4096

    /// Names that a caller chose stand in it.
    private static func short(_ text: String) -> String {
        text.utf8.count <= textMax ? text : "\(text.prefix(textMax))…"
    }

    func reply(requestID: String) -> Reply {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.field("type", "about:blank")
            json.field("title", title)
            json.field("status", status)
            json.field("detail", Self.short(detail))
            json.name("errors")
            // A body can have more wrong fields than anybody reads: what they cost is bounded.
            json.array(errors.prefix(Self.errorsMax)) { json, item in
                json.object { json in
                    json.field("path", Self.short(item.path))
                    json.field("message", item.message)
                }
            }
            json.field("request_id", requestID)
        }
        let body = json.buffer
        var reply = Reply(
            HTTPResponse.Status(code: status), "application/problem+json", ResponseBody(byteBuffer: body))
        reply.buffer = body
        if let retryAfter { reply.headers[.retryAfter] = String(retryAfter) }
        if let limit {
            RateLimits.Standing(limit: limit, remaining: 0, reset: retryAfter ?? 1).write(&reply.headers)
        }
        if let allow { reply.headers[.allow] = allow }
        if status == 401 { reply.headers[.wwwAuthenticate] = "Bearer realm=\"ansflow\"" }
        return reply
    }
}
