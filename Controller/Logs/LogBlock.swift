import ControllerCore

/// Where a block begins: an entry of the block table, which is the index of a log by offset and by line.
///
/// Blocks have about ``LogStoreConfiguration/blockBytes``, so any line or offset is found by a binary search and reading one
/// block, however long the lines are, and 1 GiB of output needs a table of some 4,000 entries.
struct BlockMark: Equatable, Sendable {
    /// Offset in the output.
    var raw: UInt64
    /// Offset in the file.
    var file: UInt64
    /// Lines begun before the block.
    var count: LineCount
    /// The block is a hole and has no bytes.
    var isHole: Bool
}

/// A part of a log in memory.
final class LogBlock: Sendable {
    /// The bytes from here on were written at this time.
    struct Run: Equatable, Sendable {
        /// Offset in the block.
        var start: Int
        var timeMs: UInt64
    }

    enum Content: Sendable {
        /// The bytes, and when they were written, ascending by start.
        case text([UInt8], [Run])
        case hole(LogHole)
    }

    let start: UInt64
    let end: UInt64
    /// Lines begun before the block, and before the next one.
    let before: LineCount
    let after: LineCount
    let content: Content

    init(start: UInt64, end: UInt64, before: LineCount, after: LineCount, content: Content) {
        self.start = start
        self.end = end
        self.before = before
        self.after = after
        self.content = content
    }
}

extension [LogBlock.Run] {
    /// When the byte at `position` was written.
    func time(at position: Int) -> UInt64 {
        // The last run that begins at or before the position.
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].start <= position { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : self[low - 1].timeMs
    }
}
