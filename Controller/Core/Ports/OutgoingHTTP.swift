/// One request to a server that somebody else named: a forge, a team chat, a hook.
package struct OutgoingRequest: Equatable, Sendable {
    package var method: String
    /// `https://host[:port]/path`, or `http://` to hosts and addresses that the operator allowed.
    package var url: String
    /// In order. `Host` and `Content-Length` come from the rest.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// How many redirects are followed, at most 3. Each target is checked like the first address; what is signed or carries a
    /// credential follows none.
    package var redirectsMax: Int
    /// For everything together: name, connection, redirects, body.
    package var timeoutMs: Int64
    /// More of the answer than this is not read.
    package var answerBytesMax: Int

    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        redirectsMax: Int = 0, timeoutMs: Int64 = 15_000, answerBytesMax: Int = 64 * 1024
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.redirectsMax = redirectsMax
        self.timeoutMs = timeoutMs
        self.answerBytesMax = answerBytesMax
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.method == right.method && left.url == right.url && left.body == right.body
            && left.redirectsMax == right.redirectsMax && left.timeoutMs == right.timeoutMs
            && left.answerBytesMax == right.answerBytesMax && left.headers.elementsEqual(right.headers, by: ==)
    }
}

/// What the server said.
package struct OutgoingAnswer: Equatable, Sendable {
    package var status: Int
    /// By name in lower case; of a header that came more than once, the first.
    package var headers: [String: String]
    /// Its beginning, where it is longer than was asked for.
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why there is no answer. Each text is a sentence.
package enum OutgoingFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The address may not be used, or is none: the same again would not help.
    case refused(String)
    /// Name, connection, TLS or answer failed: it may work later.
    case unreachable(String)
    /// Too many requests are under way.
    case busy

    package var description: String {
        switch self {
        case .refused(let text), .unreachable(let text): text
        case .busy: "Too many requests to other servers are under way."
        }
    }
}

/// Sends requests to servers that others named, and to nowhere that a stranger must not reach: addresses are checked after the name
/// is resolved, and the checked address is the one that is connected to.
package protocol OutgoingHTTP: Sendable {
    /// Any status is an answer; only what gave none throws.
    func send(_ request: OutgoingRequest) async throws(OutgoingFailure) -> OutgoingAnswer
}
