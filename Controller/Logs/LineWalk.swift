import CLogText
import ControllerCore

/// Goes through the lines of a log, block by block, without making pages of them.
struct LineWalk {
    struct Line {
        var number: Int
        /// Without its newline; the first ``LogViewLimits/lineBytesMax`` bytes of it.
        var bytes: UnsafeRawBufferPointer
        var timeMs: UInt64
        /// It has not ended yet.
        var isPartial = false
    }

    /// The beginning of a line that goes on in the next block.
    private struct Carry {
        var number: Int
        var bytes: [UInt8]
        var timeMs: UInt64
    }

    let source: LogSource
    let cache: BlockCache
    /// Raw bytes after which the walk stops at a line's end.
    var bytesMax = Int.max
    /// Whether nothing that is looked for can be in these whole lines, so that they need not be gone through.
    var skips: (UnsafeRawBufferPointer) -> Bool = { _ in false }

    private var carry: Carry?

    init(source: LogSource, cache: BlockCache) {
        self.source = source
        self.cache = cache
    }

    /// - Parameter body: Called for each line from `first` on; false ends the walk.
    /// - Returns: The line to go on with; nil where the log's end was reached.
    mutating func run(from first: Int, _ body: (Line) throws(LogStoreError) -> Bool) throws(LogStoreError) -> Int? {
        guard first <= source.count.begun, !source.marks.isEmpty else { return nil }
        var walked = 0
        carry = nil
        for index in source.block(line: first)..<source.marks.count {
            let block = try cache.block(source, index, keeps: index + 1 == source.marks.count)
            switch block.content {
            case .hole:
                if let next = try give(nil, body) { return next }
            case .text(let data, let runs):
                // The closure of an unsafe buffer can't throw a typed error on.
                let result = data.withUnsafeBytes { buffer -> Result<Int?, LogStoreError> in
                    do throws(LogStoreError) {
                        return .success(try lines(buffer, runs, block, from: first, body))
                    } catch {
                        return .failure(error)
                    }
                }
                if let next = try result.get() { return next }
                walked += data.count
                if walked >= bytesMax, index + 1 < source.marks.count {
                    return max(first, carry?.number ?? block.after.begun + 1)
                }
            }
        }
        let isPartial = !source.info.complete && !source.count.atStart
        return try give(nil, isPartial: isPartial, body)
    }

    /// Gives the line that was carried over; what it lacked is `rest`.
    private mutating func give(
        _ rest: UnsafeRawBufferPointer?, isPartial: Bool = false, _ body: (Line) throws(LogStoreError) -> Bool
    ) throws(LogStoreError) -> Int? {
        guard var line = carry else { return nil }
        carry = nil
        if let rest { line.bytes.append(contentsOf: rest.prefix(LogViewLimits.lineBytesMax - line.bytes.count)) }
        let (number, timeMs) = (line.number, line.timeMs)
        let result = line.bytes.withUnsafeBytes { bytes -> Result<Bool, LogStoreError> in
            do throws(LogStoreError) {
                return .success(
                    try body(Line(number: number, bytes: bytes, timeMs: timeMs, isPartial: isPartial)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get() ? nil : number + 1
    }

    private mutating func lines(
        _ buffer: UnsafeRawBufferPointer, _ runs: [LogBlock.Run], _ block: LogBlock, from first: Int,
        _ body: (Line) throws(LogStoreError) -> Bool
    ) throws(LogStoreError) -> Int? {
        var position = 0
        var number = block.before.begun + 1
        if !block.before.atStart {
            let end = LineCount.firstNewline(buffer, from: 0)
            let rest = UnsafeRawBufferPointer(rebasing: buffer[..<(end ?? buffer.count)])
            guard let end else {
                let room = LogViewLimits.lineBytesMax - (carry?.bytes.count ?? 0)
                carry?.bytes.append(contentsOf: rest.prefix(room))
                return nil
            }
            if let next = try give(rest, body) { return next }
            position = end + 1
        }
        guard position < buffer.count else { return nil }
        if number >= first, skips(UnsafeRawBufferPointer(rebasing: buffer[position...])) {
            guard !block.after.atStart else { return nil }
            let start = position + ansflow_behind_last_newline(buffer.baseAddress! + position, buffer.count - position)
            keep(buffer, runs, from: start, number: block.after.begun)
            return nil
        }
        while position < buffer.count {
            guard let end = LineCount.firstNewline(buffer, from: position) else {
                if number >= first { keep(buffer, runs, from: position, number: number) }
                return nil
            }
            if number >= first {
                let length = min(end - position, LogViewLimits.lineBytesMax)
                let line = UnsafeRawBufferPointer(rebasing: buffer[position..<position + length])
                let goesOn = try body(Line(number: number, bytes: line, timeMs: runs.time(at: position)))
                if !goesOn { return number + 1 }
            }
            number += 1
            position = end + 1
        }
        return nil
    }

    private mutating func keep(_ buffer: UnsafeRawBufferPointer, _ runs: [LogBlock.Run], from start: Int, number: Int) {
        carry = Carry(
            number: number, bytes: Array(buffer[start...].prefix(LogViewLimits.lineBytesMax)),
            timeMs: runs.time(at: start))
    }
}
