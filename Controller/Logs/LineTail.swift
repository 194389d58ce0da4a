/// The beginning of a line that has not ended, at most ``LogViewLimits/lineBytesMax`` bytes of it.
struct LineTail: Sendable {
    var bytes: [UInt8] = []
    /// When the line's first byte was written.
    var timeMs: UInt64 = 0
    var isCut = false
    /// Length that viewers were shown last.
    var shown = 0

    var isEmpty: Bool { bytes.isEmpty }

    /// - Parameters:
    ///   - lastNewline: Where the last newline of `bytes` is.
    ///   - timeMs: When they were written.
    mutating func add(_ bytes: UnsafeRawBufferPointer, lastNewline: Int?, timeMs: UInt64) {
        var rest = bytes
        if let lastNewline {
            clear()
            rest = UnsafeRawBufferPointer(rebasing: bytes[(lastNewline + 1)...])
        }
        guard !rest.isEmpty else { return }
        if isEmpty { self.timeMs = timeMs }
        let room = LogViewLimits.lineBytesMax - self.bytes.count
        self.bytes.append(contentsOf: rest.prefix(room))
        if rest.count > room { isCut = true }
    }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        isCut = false
        shown = 0
    }

    /// Whether viewers should get the unfinished line again. A long one comes only when it has grown by a quarter: else a
    /// line that grows byte by byte would cost the square of its length.
    mutating func shouldShow() -> Bool {
        guard bytes.count > shown else { return false }
        guard bytes.count <= 1024 || bytes.count >= shown + shown / 4 else { return false }
        shown = bytes.count
        return true
    }
}
