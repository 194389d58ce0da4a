import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The keys that open secrets, and the one that seals new ones. While keys are rotated there are two.
final class KeyRing: Sendable {
    private struct Keys {
        var sealing: SecretKey
        var others: [SecretKey]
    }

    private let keys: Mutex<Keys>

    init(_ sealing: SecretKey, others: [SecretKey] = []) {
        keys = Mutex(Keys(sealing: sealing, others: others))
    }

    var sealing: SecretKey { keys.withLock { $0.sealing } }

    func key(_ id: String) -> SecretKey? {
        keys.withLock { keys in ([keys.sealing] + keys.others).first { $0.id == id } }
    }

    /// From now on `key` seals; what was sealed before still opens.
    func add(_ key: SecretKey) {
        keys.withLock { keys in
            guard keys.sealing.id != key.id else { return }
            keys.others.append(keys.sealing)
            keys.sealing = key
        }
    }
}

extension SecretKey {
    /// A rotation that goes on has its new key here until nothing is sealed with the old one.
    private static func nextPath(_ directory: String) -> String { directory + "/secrets.key.next" }

    /// A key from a file's bytes; `nil` where they are none.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.bytesCount else { return nil }
        self.init(bytes)
    }

    /// The key of a rotation that a crash cut off; `nil` where there is none.
    static func loadNext(_ directory: String) throws(Failure) -> SecretKey? {
        guard access(nextPath(directory), F_OK) == 0 else { return nil }
        return try load(directory, name: "secrets.key.next").key
    }

    /// Makes the next key, durable before anything is sealed with it.
    static func makeNext(_ directory: String) throws(Failure) -> SecretKey {
        if let known = try loadNext(directory) { return known }
        return try load(directory, name: "secrets.key.next").key
    }

    /// The next key takes the old one's place.
    static func adoptNext(_ directory: String) throws(Failure) {
        let path = directory + "/secrets.key"
        guard rename(nextPath(directory), path) == 0 else {
            throw Failure(description: "Can't replace the secrets' key \(path): \(String(cString: strerror(errno))).")
        }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }
}
