import Dispatch

/// Runs scrypt on threads of its own, a few at a time, so that logins can't take the machine's memory or its event loops.
package actor PasswordHasher {
    struct Busy: Error {}

    private let limit: Int
    private let queueMax: Int
    private let cost: PasswordCost
    private var running = 0
    /// How many were computed or begun.
    private(set) var hashes = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private let threads = DispatchQueue(label: "ansflow.passwords", attributes: .concurrent)
    /// What an unknown user's password is compared with, so that it costs the same time.
    private var decoy: PasswordHash?

    package init(_ configuration: IdentityConfiguration) {
        limit = configuration.hashesAtOnce
        queueMax = configuration.hashQueueMax
        cost = configuration.password
    }

    /// A new stored password.
    func make(_ password: String) async throws -> String {
        let salt = Secrets.randomBytes(PasswordHash.saltBytes)
        let cost = self.cost
        return try await work { try PasswordHash(password, salt: salt, cost: cost).stored }
    }

    /// Compares; `stored` is nil for an unknown user, whose check takes as long and fails.
    ///
    /// - Returns: Whether it matches, and a new stored form where the cost has changed since.
    /// - Throws: ``Busy`` when too many wait.
    func check(_ password: String, stored: String?) async throws -> (matches: Bool, rehashed: String?) {
        let known = stored.flatMap(PasswordHash.init(stored:))
        let cost = self.cost
        let decoy = self.decoy
        let result = try await work { () -> (Bool, String?, PasswordHash?) in
            guard let known else {
                // The first decoy is made by the comparison itself, so it costs one hash like any other.
                if let decoy { return (try decoy.matches(password) && false, nil, decoy) }
                let salt = Secrets.randomBytes(PasswordHash.saltBytes)
                return (false, nil, try PasswordHash(password, salt: salt, cost: cost))
            }
            guard try known.matches(password) else { return (false, nil, nil) }
            guard known.cost != cost else { return (true, nil, nil) }
            return (true, try PasswordHash(password, salt: known.salt, cost: cost).stored, nil)
        }
        if self.decoy == nil { self.decoy = result.2 }
        return (result.0, result.1)
    }

    private func work<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        if running >= limit {
            guard waiting.count < queueMax else { throw Busy() }
            // The one that ends hands its place over, so `running` does not change.
            await withCheckedContinuation { waiting.append($0) }
        } else {
            running += 1
        }
        defer {
            if waiting.isEmpty { running -= 1 } else { waiting.removeFirst().resume() }
        }
        hashes += 1
        return try await withCheckedThrowingContinuation { continuation in
            threads.async { continuation.resume(with: Swift.Result { try body() }) }
        }
    }
}
