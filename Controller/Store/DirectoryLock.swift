import Glibc

/// Holds a data directory for one process, until ``release()`` or the end of the process.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``StoreFailure/locked(_:)`` where another process holds it.
    init(directory: String) throws(StoreFailure) {
        let path = directory + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = StoreFailure.reason(errno)
            throw .cannotOpen("\(path) can't be opened: \(reason). Check the directory's owner and rights.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            let who = holder.map { "process \($0)" } ?? "another process"
            throw .locked(
                "The data directory \(directory) is in use by \(who). Stop it first, or name another directory.")
        }
        // For people who meet the lock: the lock itself is what decides.
        _ = ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = pwrite(descriptor, text, text.count, 0)
        self.descriptor = descriptor
    }

    /// Once; the lock is of no use afterwards.
    func release() { close(descriptor) }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: buffer[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
