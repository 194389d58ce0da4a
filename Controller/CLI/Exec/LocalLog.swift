import AnsFlowProtocol
import AnsFlowRecords

/// One attempt's output, cut into lines as it comes. Pure; it holds the unfinished last line and no more.
package struct LocalLog: Sendable {
    /// A longer line is shown in pieces of this many bytes.
    private static let lineBytesMax = 64 * 1024

    /// The byte that comes next.
    package private(set) var next: UInt64 = 0
    private var count: Int64 = 0
    private var rest: [UInt8] = []
    private var time: UInt64 = 0

    package init() {}

    /// Takes the records of one LOG message; bytes that came before are skipped.
    package mutating func take(_ records: [UInt8]) -> [LogLineModel] {
        var lines: [LogLineModel] = []
        records.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            while let record = LogRecord(header: &reader), let bytes = reader.slice(Int(record.length)) {
                guard record.end > next, record.offset <= next else { continue }
                time = record.time
                add(bytes.dropFirst(Int(next - record.offset)), to: &lines)
                next = record.end
            }
        }
        return lines
    }

    /// Bytes that nobody can supply.
    package mutating func skip(from offset: UInt64, _ length: UInt64) {
        next = max(next, offset + length)
    }

    /// The last line, where it has no line feed.
    package mutating func finish() -> [LogLineModel] {
        guard !rest.isEmpty else { return [] }
        defer { rest = [] }
        return [line(rest)]
    }

    private mutating func add(_ bytes: Slice<UnsafeRawBufferPointer>, to lines: inout [LogLineModel]) {
        var left = bytes[...]
        while let end = left.firstIndex(of: UInt8(ascii: "\n")) {
            rest += left[..<end]
            lines.append(line(rest))
            rest.removeAll(keepingCapacity: true)
            left = left[left.index(after: end)...]
        }
        rest += left
        while rest.count > Self.lineBytesMax {
            lines.append(line(Array(rest.prefix(Self.lineBytesMax))))
            rest.removeFirst(Self.lineBytesMax)
        }
    }

    private mutating func line(_ bytes: [UInt8]) -> LogLineModel {
        count += 1
        return LogLineModel(n: count, tMs: Int64(clamping: time), text: String(decoding: bytes, as: UTF8.self))
    }
}
