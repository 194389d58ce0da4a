import Glibc

/// Counts the lines that begin in a stream of bytes.
struct LineCount: Equatable, Sendable {
    /// Lines begun so far.
    var begun = 0
    /// Whether the next byte begins a line.
    var atStart = true

    /// The number of the line that the next byte belongs to.
    var current: Int { atStart ? begun + 1 : begun }

    /// Returns: Where the last newline of `bytes` is.
    @discardableResult
    mutating func add(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var newlines = 0
        var last: Int?
        while let found = Self.firstNewline(bytes, from: (last ?? -1) + 1) {
            newlines += 1
            last = found
        }
        guard !bytes.isEmpty else { return nil }
        let ended = last == bytes.count - 1
        begun += (atStart ? 1 : 0) + newlines - (ended ? 1 : 0)
        atStart = ended
        return last
    }

    /// A hole ends the line before it and counts as one.
    mutating func addHole() {
        begun += 1
        atStart = true
    }

    static let newline = UInt8(ascii: "\n")

    /// Where the next newline is, at or behind `position`.
    static func firstNewline(_ bytes: UnsafeRawBufferPointer, from position: Int) -> Int? {
        guard position < bytes.count, let base = bytes.baseAddress else { return nil }
        guard let found = memchr(base + position, Int32(newline), bytes.count - position) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
