/// A request that its caller may send again: what tells it from others.
package struct IdempotentRequest: Equatable, Sendable {
    /// Whose key it is: callers' keys have nothing to do with each other.
    package var caller: String
    package var key: String
    /// SHA-256 over method, path, query and body, lower-case hex: the same key for anything else is a mistake.
    package var digest: String

    package init(caller: String, key: String, digest: String) {
        self.caller = caller
        self.key = key
        self.digest = digest
    }
}

/// An answer as it was given.
package struct KeptAnswer: Equatable, Sendable {
    package var status: Int
    package var location: String?
    package var contentType: String?
    /// Empty where the body is not to be kept.
    package var body: [UInt8]

    package init(status: Int, location: String?, contentType: String?, body: [UInt8]) {
        self.status = status
        self.location = location
        self.contentType = contentType
        self.body = body
    }
}

package enum IdempotencyClaim: Equatable, Sendable {
    /// Nobody has used the key: whoever gets this does the work, and finishes or releases.
    case new
    /// The work goes on, or was cut off: nobody knows whether it was done.
    case unfinished
    /// The key was used for another request.
    case different
    case answered(KeptAnswer)
}

/// Which requests were answered, and how. Each method is one durable transaction.
package protocol IdempotencyRepository: Sendable {
    /// Takes the key, unless somebody has it. Forgets what is older than `since`, and all but the newest
    /// ``IdempotencyLimits/keysMax`` of the caller.
    func claim(_ request: IdempotentRequest, at: Int64, since: Int64) async throws -> IdempotencyClaim
    /// Keeps the answer to a claimed request.
    func finish(_ request: IdempotentRequest, _ answer: KeptAnswer) async throws
    /// Gives the key back: nothing was done.
    func release(_ request: IdempotentRequest) async throws
}

package enum IdempotencyLimits {
    /// Of one caller.
    package static let keysMax = 200
    package static let ageMsMax: Int64 = 24 * 3_600_000
}
