package import ControllerCore

// A new key for all secrets, while they are read and written.
extension SecretVault {
    package struct Rotation: Equatable, Sendable {
        package var keyID: String
        package var resealed: Int
        /// Sealed with a key that is not here: they stay as they are, and the old key goes none the less, since it did not open them.
        package var unreadable: Int
    }

    private static let secretsAtOnce = 100

    /// Makes a new key, seals every secret anew and removes the old key. A crash at any moment leaves both keys and all secrets
    /// readable; the next call or start goes on.
    ///
    /// Call it once at a time.
    package func rotateKey() async throws -> Rotation {
        guard let directory else { throw SecretKey.Failure(description: "This vault has no key file.") }
        let next = try SecretKey.makeNext(directory)
        // Before the first secret is sealed with it, everybody who reads must know it.
        seal.ring.add(next)
        var resealed = 0
        var unreadable = 0
        for kind in SealedKind.allCases {
            var after: Int64 = 0
            while true {
                let seal = self.seal
                let failed = FailureCount()
                let part = try await repository.resealSecrets(
                    kind, notOf: next.id, after: after, limit: Self.secretsAtOnce
                ) { row in
                    guard let value = seal.open(row) else {
                        failed.add()
                        return nil
                    }
                    return try seal.sealed(value, at: row)
                }
                unreadable += failed.count
                resealed += part.count - failed.count
                after = part.last
                if part.count < Self.secretsAtOnce { break }
            }
        }
        // In memory the old key stays until the process ends, for whoever has read a row just before.
        try SecretKey.adoptNext(directory)
        return Rotation(keyID: next.id, resealed: resealed, unreadable: unreadable)
    }

    /// Finishes a rotation that a crash cut off. False where there is none.
    package func finishRotation() async throws -> Bool {
        guard let directory, try SecretKey.loadNext(directory) != nil else { return false }
        _ = try await rotateKey()
        return true
    }

    /// Names of those of `secrets` that `key`, a key file's bytes, does not open.
    package static func unreadable(_ secrets: [SecretRow], key: [UInt8]) -> [String] {
        guard let key = SecretKey(bytes: key) else { return secrets.map(\.name) }
        let seal = SecretSeal(key: key)
        return secrets.filter { seal.open($0) == nil }.map(\.name)
    }
}

/// Counted inside a transaction, read behind it.
private final class FailureCount: @unchecked Sendable {
    private(set) var count = 0
    func add() { count += 1 }
}
