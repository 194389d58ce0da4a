/// Where a line stands among the bytes of a log.
enum LinePlace {
    /// The bytes of a line with its line feed, as long as it is.
    ///
    /// - Returns: nil where the log has no such line, or it is the marker of a hole.
    /// - Complexity: O(two blocks).
    static func range(
        _ source: LogSource, cache: BlockCache, line: Int
    ) throws(LogStoreError) -> Range<UInt64>? {
        guard let start = try start(source, cache, line) else { return nil }
        guard line < source.count.begun else { return start..<source.total }
        // Behind a line that a hole ends, the hole begins.
        let next = try self.start(source, cache, line + 1) ?? source.marks[source.block(line: line + 1)].raw
        return start..<max(start, next)
    }

    private static func start(
        _ source: LogSource, _ cache: BlockCache, _ line: Int
    ) throws(LogStoreError) -> UInt64? {
        guard line >= 1, line <= source.count.begun else { return nil }
        for index in source.block(line: line)..<source.marks.count {
            let block = try cache.block(source, index)
            guard case .text(let data, _) = block.content else { return nil }
            let found = data.withUnsafeBytes { skip(to: line, $0, block) }
            if let found { return block.start + UInt64(found) }
        }
        return nil
    }

    /// Where line `number` begins in the block.
    static func skip(to number: Int, _ buffer: UnsafeRawBufferPointer, _ block: LogBlock) -> Int? {
        var position = 0
        var current = block.before.begun + 1
        if !block.before.atStart {
            guard let end = LineCount.firstNewline(buffer, from: 0) else { return nil }
            position = end + 1
        }
        while current < number {
            guard let end = LineCount.firstNewline(buffer, from: position) else { return nil }
            position = end + 1
            current += 1
        }
        return position < buffer.count ? position : nil
    }
}
