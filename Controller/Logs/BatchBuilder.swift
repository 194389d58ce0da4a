import AnsFlowProtocol
import AnsFlowRecords

/// Cuts the lines out of a message that was just stored, for those who follow.
struct BatchBuilder {
    private var lines: [LogLine] = []
    /// The line that the next byte belongs to.
    private var number: Int
    private let first: Int
    private var tail: LineTail

    /// - Parameters:
    ///   - count: Lines before the message.
    ///   - tail: The unfinished line before the message.
    init(count: LineCount, tail: LineTail) {
        number = count.current
        first = number
        self.tail = tail
    }

    mutating func add(_ item: FrameRecords.Item, _ message: [UInt8]) {
        let start = item.position + LogRecord.headerSize
        let end = start + Int(item.record.length)
        message.withUnsafeBytes { raw in
            let payload = UnsafeRawBufferPointer(rebasing: raw[0..<end])
            var position = start
            while let newline = LineCount.firstNewline(payload, from: position) {
                finishLine(message, position..<newline, item.record.time)
                position = newline + 1
            }
            let rest = UnsafeRawBufferPointer(rebasing: payload[position...])
            tail.add(rest, lastNewline: nil, timeMs: item.record.time)
        }
    }

    /// A line ends: its bytes stay in the message where all of them are there.
    private mutating func finishLine(_ message: [UInt8], _ range: Range<Int>, _ timeMs: UInt64) {
        var line: LogLine
        if tail.isEmpty {
            let shown = range.prefix(LogViewLimits.lineBytesMax)
            line = LogLine(
                number: number, timeMs: timeMs, text: message[shown], isCut: shown.count < range.count)
        } else {
            let room = LogViewLimits.lineBytesMax - tail.bytes.count
            let text = tail.bytes + message[range].prefix(room)
            line = LogLine(
                number: number, timeMs: tail.timeMs, text: text[...], isCut: tail.isCut || range.count > room)
            tail.clear()
        }
        lines.append(line)
        number += 1
    }

    /// - Parameter unfinished: The unfinished line to show, if any.
    mutating func batch(_ attempt: AttemptID, unfinished: LineTail?) -> LogBatch? {
        if let unfinished {
            lines.append(
                LogLine(
                    number: number, timeMs: unfinished.timeMs, text: unfinished.bytes[...], isPartial: true,
                    isCut: unfinished.isCut))
        }
        guard !lines.isEmpty else { return nil }
        return LogBatch(attempt: attempt, firstLine: first, nextLine: number, lines: lines)
    }
}
