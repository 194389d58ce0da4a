package import Glibc

/// Keys, certificates and small settings on disk: read whole under a limit, replaced whole and durably.
package enum SmallFile {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    /// A file's bytes; `nil` where there is none.
    package static func read(_ path: String, max: Int = 64 * 1024) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read", path)
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: max + 1)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0 else { break }
            filled += count
        }
        guard filled <= max else { throw Failure(description: "\(path) has more than \(max) bytes.") }
        return Array(bytes[..<filled])
    }

    /// Replaces a file: after a crash it is the old one or the new one, whole.
    ///
    /// - Parameter mode: The permissions from its first moment on, such as `0o600` for a key.
    package static func write(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = failure("write", temporary)
                close(descriptor)
                throw error
            }
            written += count
        }
        let synced = fsync(descriptor) == 0
        close(descriptor)
        guard synced, rename(temporary, path) == 0 else { throw failure("write", path) }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws(Failure) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("write", directory) }
    }

    private static func failure(_ verb: String, _ path: String) -> Failure {
        Failure(description: "Can't \(verb) \(path): \(String(cString: strerror(errno))).")
    }
}
