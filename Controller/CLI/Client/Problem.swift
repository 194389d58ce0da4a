import FoundationEssentials

/// An error as the controller sends it: RFC 9457 `application/problem+json`.
package struct Problem: Decodable, Equatable, Sendable {
    package struct Field: Decodable, Equatable, Sendable {
        package var path: String?
        package var message: String?
    }

    package var title: String?
    package var status: Int?
    package var detail: String?
    package var errors: [Field]?
    package var requestId: String?

    /// Turns an answer that is not 2xx into what the user reads.
    ///
    /// - Parameters:
    ///   - status: the HTTP status
    ///   - body: the body, which need not be a problem document: a proxy in between may have answered
    ///   - url: the controller's address, for the cure
    ///   - thing: what was asked for, such as `run 7`
    package static func failure(status: Int, body: [UInt8], url: String, thing: String) -> ClientFailure {
        let problem = try? JSON.decode(Problem.self, from: body)
        let message = problem?.detail ?? problem?.title ?? "the controller answered with status \(status)"
        // The sentence often has the first of them already.
        let fields = (problem?.errors ?? []).filter { field in
            field.message.map { $0.isEmpty || !message.contains($0) } ?? true
        }
        let details = fields.prefix(50).map { field in
            [field.path, field.message].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ": ")
        }
        let kind: ClientFailure.Kind
        var cure = ""
        switch status {
        case 401:
            kind = .notAllowed
            cure = "Log in with `ansflow login --url \(url)`, or set ANSFLOW_TOKEN to an API key or access token."
        case 403:
            kind = .notAllowed
            cure = "The login or API key in use has no permission for this: use another one, or ask an administrator."
        case 404:
            kind = .notFound
            if problem == nil { cure = "Is \(url) the address of an AnsFlow controller?" }
            return ClientFailure(
                kind, thing.isEmpty ? message : "\(thing) was not found.", cure: cure, details: Array(details))
        case 429:
            kind = .refused
            cure = "Wait a little and try again."
        case 500...:
            kind = .serverFailed
            if status == 503 { cure = "Try again; `ansflow status` says whether the controller can write." }
        default:
            kind = .refused
        }
        var failure = ClientFailure(
            kind, message, cure: cure, details: Array(details), requestID: problem?.requestId)
        failure.isStale = status == 412
        return failure
    }
}
