import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A stored password: `scrypt$N$r$p$salt$hash`, salt and hash in hex.
struct PasswordHash: Equatable {
    var cost: PasswordCost
    var salt: [UInt8]
    var hash: [UInt8]

    static let saltBytes = 16
    static let hashBytes = 32

    /// What the stored parameters may ask for at most; a row with more is treated as damaged.
    static let memoryBytesMax = 256 * 1024 * 1024

    /// Takes the time and memory of `cost`; call it through ``PasswordHasher``.
    init(_ password: String, salt: [UInt8], cost: PasswordCost) throws {
        let key = try KDF.Scrypt.deriveKey(
            from: Data(password.utf8), salt: Data(salt), outputByteCount: Self.hashBytes, rounds: cost.rounds,
            blockSize: cost.blockSize, parallelism: cost.parallelism)
        self.cost = cost
        self.salt = salt
        hash = key.withUnsafeBytes { Array($0) }
    }

    init?(stored: String) {
        let parts = stored.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let rounds = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Secrets.bytes(hex: String(parts[4])),
            let hash = Secrets.bytes(hex: String(parts[5])), hash.count == Self.hashBytes,
            (2...(1 << 20)).contains(rounds), rounds & (rounds - 1) == 0, (1...32).contains(blockSize),
            (1...16).contains(parallelism), 128 * rounds * blockSize <= Self.memoryBytesMax
        else { return nil }
        cost = PasswordCost(rounds: rounds, blockSize: blockSize, parallelism: parallelism)
        self.salt = salt
        self.hash = hash
    }

    var stored: String {
        "scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(Secrets.hex(salt))$\(Secrets.hex(hash))"
    }

    /// Whether `password` has this hash.
    func matches(_ password: String) throws -> Bool {
        Secrets.equal(try PasswordHash(password, salt: salt, cost: cost).hash, hash)
    }
}
