import Crypto

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The key that seals secrets: in a file of the data directory that only the controller's user may read, never in the database.
package struct SecretKey: Sendable {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    static let bytesCount = 32

    /// Tells keys apart and says nothing about them; stored with each secret.
    package let id: String
    let key: SymmetricKey

    /// - Parameter bytes: 32 random bytes.
    init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.bytesCount, "a key has \(Self.bytesCount) bytes")
        key = SymmetricKey(data: bytes)
        id = Secrets.hex(SHA256.hash(data: Array("ansflow secret key".utf8) + bytes).prefix(8))
    }

    /// Reads the key, or makes it where there is none.
    ///
    /// - Parameter directory: The data directory; the file is `secrets.key`.
    /// - Returns: The key, and whether it was made just now.
    /// - Throws: ``Failure`` where the file can't be read or written, is damaged, or others may read it.
    package static func load(_ directory: String) throws(Failure) -> (key: SecretKey, isNew: Bool) {
        try load(directory, name: "secrets.key")
    }

    /// As above, from another file of the directory.
    static func load(_ directory: String, name: String) throws(Failure) -> (key: SecretKey, isNew: Bool) {
        let path = directory + "/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            guard errno == ENOENT else { throw failure("read", path) }
            return (SecretKey(try make(path, in: directory)), true)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & 0o077 == 0 else {
            throw Failure(description: "Others may read the secrets' key \(path). Run: chmod 600 '\(path)'")
        }
        var bytes = [UInt8](repeating: 0, count: bytesCount + 1)
        let count = read(descriptor, &bytes, bytesCount + 1)
        guard count == bytesCount else {
            throw Failure(
                description: "The secrets' key \(path) is damaged. Restore it from a backup; without it every secret "
                    + "must be set again, after the file is removed.")
        }
        return (SecretKey(Array(bytes[0..<bytesCount])), false)
    }

    /// The whole key is on the disk under another name before the file appears: a crash leaves no half of one.
    private static func make(_ path: String, in directory: String) throws(Failure) -> [UInt8] {
        let key = Secrets.randomBytes(bytesCount)
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        let isWritten = write(descriptor, key, bytesCount) == bytesCount && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else { throw failure("write", path) }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("write", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("write", path) }
        return key
    }

    private static func failure(_ what: String, _ path: String) -> Failure {
        Failure(description: "Can't \(what) the secrets' key \(path): \(String(cString: strerror(errno))).")
    }
}
