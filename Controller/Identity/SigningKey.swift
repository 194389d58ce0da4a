#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The key that access tokens are signed with, in a file that only the controller's user may read.
package enum SigningKey {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    static let bytes = 32

    /// Reads the key, or makes it where there is none.
    ///
    /// - Parameter path: The file, in the data directory.
    /// - Throws: ``Failure`` where the file can't be read or written, or others may read it.
    package static func load(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            guard errno == ENOENT else { throw failure("read", path) }
            return try make(path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & 0o077 == 0 else {
            throw Failure(description: "Others may read the signing key \(path). Run: chmod 600 '\(path)'")
        }
        var key = [UInt8](repeating: 0, count: bytes + 1)
        let count = read(descriptor, &key, bytes + 1)
        guard count == bytes else {
            throw Failure(
                description:
                    "The signing key \(path) is damaged. Remove it: a new one is made, and everybody logs in again.")
        }
        return Array(key[0..<bytes])
    }

    private static func make(_ path: String) throws(Failure) -> [UInt8] {
        let key = Secrets.randomBytes(bytes)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("write", path) }
        defer { close(descriptor) }
        guard write(descriptor, key, bytes) == bytes, fsync(descriptor) == 0 else { throw failure("write", path) }
        return key
    }

    private static func failure(_ what: String, _ path: String) -> Failure {
        Failure(description: "Can't \(what) the signing key \(path): \(String(cString: strerror(errno))).")
    }
}
