import Glibc

/// The shim's own errors: a small file that can't grow without bound.
struct Diagnostics {
    private static let bytesMax = 64 * 1024
    private let descriptor: Int32
    private var written = 0

    /// - Parameter path: Appended to; where it can't be opened, nothing is kept.
    init(path: String) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }

    mutating func note(_ text: String) {
        guard descriptor >= 0, written < Self.bytesMax else { return }
        let line = Array("\(text)\n".utf8)
        written += line.count
        _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    /// What `errno` means, in words.
    static func text(of errno: Int32) -> String { String(cString: strerror(errno)) }

    static func print(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
