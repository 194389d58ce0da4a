import ControllerCore

/// Cuts a page of lines out of a log's blocks.
///
/// At most one block and the page itself are in memory; a line that is longer than ``LogViewLimits/lineBytesMax`` is cut, and
/// the table of blocks leads to the line behind it.
struct LinePager {
    let source: LogSource
    let cache: BlockCache
    private let countMax: Int
    private let bytesMax: Int

    /// The next line to give.
    private var want: Int
    private var bytes = 0
    private var lines: [LogLine] = []
    /// A line whose end was not met in the blocks so far.
    private var open: LogLine?

    private init(source: LogSource, cache: BlockCache, from: Int, count: Int, bytesMax: Int) {
        self.source = source
        self.cache = cache
        want = from
        countMax = count
        self.bytesMax = bytesMax
    }

    /// - Complexity: O(page + one block).
    static func page(
        _ source: LogSource, cache: BlockCache, from: Int, count: Int, maxBytes: Int
    ) throws(LogStoreError) -> LinePage {
        let first = max(1, from)
        var pager = LinePager(
            source: source, cache: cache, from: first, count: max(0, count), bytesMax: max(1, maxBytes))
        try pager.collect()
        let next = pager.lines.last.map { $0.isPartial ? $0.number : pager.want } ?? first
        return LinePage(
            firstLine: first, lines: pager.lines, nextLine: next, totalLines: source.count.begun,
            complete: source.info.complete)
    }

    private var isFull: Bool { lines.count >= countMax || bytes >= bytesMax }

    private mutating func collect() throws(LogStoreError) {
        guard want <= source.count.begun, !source.marks.isEmpty else { return }
        var index = source.block(line: want)
        reading: while index < source.marks.count, !isFull {
            let block = try cache.block(source, index)
            index += 1
            switch block.content {
            case .hole(let hole): take(hole, block)
            case .text(let data, let runs):
                if let jump = take(data, runs, block) {
                    guard jump <= source.count.begun else { break reading }
                    let target = source.block(line: jump)
                    // The line behind a long one may begin in this very block.
                    index = max(target, index - 1)
                }
            }
        }
        if !isFull, var last = open {
            last.isPartial = !source.info.complete && !source.count.atStart && last.number == source.count.begun
            give(last)
        }
    }

    private mutating func give(_ line: LogLine) {
        lines.append(line)
        bytes += line.text.count
        want = line.number + 1
        open = nil
    }

    private mutating func take(_ hole: LogHole, _ block: LogBlock) {
        if var line = open {
            // At a missing part the line has ended; how it went on in a damaged one nobody can know.
            line.isCut = line.isCut || hole.kind == .damaged
            give(line)
        }
        let last = block.after.begun
        guard !isFull, want <= max(last, block.before.begun + 1) else { return }
        // A damaged block that lies inside a line has no number of its own and shows as the cut of that line.
        guard last > block.before.begun else {
            if let line = lines.last, line.number == block.before.begun { lines[lines.count - 1].isCut = true }
            return
        }
        let text = Array(hole.marker.utf8)
        let kind: LogLine.Kind = hole.kind == .missing ? .missing : .damaged
        give(LogLine(number: want, timeMs: 0, text: text[...], kind: kind))
        want = last + 1
    }

    /// - Returns: The line to look up next, where one was cut and its end is not known.
    private mutating func take(_ data: [UInt8], _ runs: [LogBlock.Run], _ block: LogBlock) -> Int? {
        data.withUnsafeBytes { buffer in
            var position = 0
            if var line = open {
                let end = LineCount.firstNewline(buffer, from: 0)
                let more = end ?? data.count
                let room = LogViewLimits.lineBytesMax - line.text.count
                line.text.append(contentsOf: data[0..<min(more, room)])
                line.isCut = more > room
                open = line
                if let end {
                    give(line)
                    position = end + 1
                } else {
                    return line.isCut ? giveCut() : nil
                }
            } else {
                guard let start = LinePlace.skip(to: want, buffer, block) else { return nil }
                position = start
            }
            return takeLines(data, buffer, runs, from: position)
        }
    }

    private mutating func takeLines(
        _ data: [UInt8], _ buffer: UnsafeRawBufferPointer, _ runs: [LogBlock.Run], from start: Int
    ) -> Int? {
        var position = start
        while position < data.count, !isFull {
            let end = LineCount.firstNewline(buffer, from: position)
            let stop = end ?? data.count
            let shown = min(stop, position + LogViewLimits.lineBytesMax)
            let line = LogLine(
                number: want, timeMs: runs.time(at: position), text: data[position..<shown], isCut: shown < stop)
            guard let end else {
                open = line
                return line.isCut ? giveCut() : nil
            }
            give(line)
            position = end + 1
        }
        return nil
    }

    /// Gives the open line, of which more is not shown.
    private mutating func giveCut() -> Int? {
        guard var line = open else { return nil }
        line.isPartial = !source.info.complete && !source.count.atStart && line.number == source.count.begun
        give(line)
        return want
    }
}
