import Glibc

/// Keeps the logs of the local parts from growing for ever: one older file is kept beside each, with `.1` behind its name.
///
/// The parts write to a descriptor that they inherited, so their file can't be put aside under them: its bytes are copied, then it is
/// cut. The descriptor appends, so the next line stands at the new beginning. What is written between the last read and the cut, a
/// moment, is in neither file.
package enum LogRotation {
    package static let bytesMax = 16 << 20

    /// - Parameters:
    ///   - path: The log; nothing happens where it is not longer than `limit`.
    ///   - isOpen: Whether a part writes to it.
    package static func rotate(_ path: String, isOpen: Bool, limit: Int = bytesMax) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int(status.st_size) > limit else { return }
        let older = path + ".1"
        guard isOpen else {
            rename(path, older)
            return
        }
        // Where the copy fails, as on a full disk, the log stays as it is.
        guard copy(path, to: older) else {
            unlink(older)
            return
        }
        truncate(path, 0)
    }

    private static func copy(_ path: String, to older: String) -> Bool {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return false }
        defer { close(source) }
        unlink(older)
        let target = open(older, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { return false }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count == 0 { return true }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            guard FileIO.writeAll(Array(buffer[..<count]), to: target) else { return false }
        }
    }
}
