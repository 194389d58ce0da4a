import FoundationEssentials
import Glibc

/// Small file work with modes, which `FileManager` sets only afterwards.
package enum FileIO {
    /// Text of the last failed call.
    package static func reason(_ code: Int32 = errno) -> String {
        String(cString: strerror(code))
    }

    /// Makes `path` and what is missing above it. Nothing happens where it is there.
    package static func makeDirectory(_ path: String, mode: UInt32) throws {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/" + part
            if mkdir(built, mode) != 0, errno != EEXIST {
                throw ClientFailure(.usage, "The directory \(built) cannot be made: \(reason()).")
            }
        }
    }

    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32) throws {
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw ClientFailure(.usage, "\(path) cannot be written: \(reason()).") }
        defer { close(descriptor) }
        guard writeAll(bytes, to: descriptor) else {
            throw ClientFailure(.usage, "\(path) cannot be written: \(reason()).")
        }
        guard fsync(descriptor) == 0 else {
            throw ClientFailure(.usage, "\(path) cannot be written: \(reason()).")
        }
    }

    /// Whether all bytes were written; `errno` says why not.
    package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { unsafeBytes in
                Glibc.write(descriptor, unsafeBytes.baseAddress! + sent, bytes.count - sent)
            }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                return false
            }
            sent += count
        }
        return true
    }

    /// At most `limit` bytes of a file, or of standard input for `-`.
    package static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let descriptor = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ClientFailure(
                errno == ENOENT ? .notFound : .usage, "\(path) cannot be read: \(reason()).",
                cure: "Give the path of an existing file, or - for standard input.")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw ClientFailure(.usage, "\(path) cannot be read: \(reason()).")
            }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw ClientFailure(.usage, "\(path) is larger than \(limit) bytes.", cure: "Give a smaller file.")
            }
        }
    }

    /// The last `count` lines of a text file, for showing why a program ended.
    package static func tail(_ path: String, lines count: Int) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        _ = lseek(descriptor, max(0, size - 65536), SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: 65536)
        let got = Glibc.read(descriptor, &buffer, buffer.count)
        guard got > 0 else { return [] }
        let text = String(decoding: buffer[..<got], as: UTF8.self)
        return text.split(separator: "\n").suffix(count).map(String.init)
    }
}
