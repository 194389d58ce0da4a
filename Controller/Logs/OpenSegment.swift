import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore
import Crypto

/// What the store knows of a log that is being written. Guarded by its ``AttemptLog``'s lock.
///
/// Memory: about 0.5 KiB, 40 bytes for each block of the table (256 KiB of output), and at most 16 KiB of an unfinished line.
struct OpenSegment: Sendable {
    /// `nil` before the first byte, and while the descriptor is given up to stay in its limit.
    var file: LogFile?
    /// Length of what is whole in the file; 0 where there is none.
    var fileEnd: UInt64 = 0
    /// Offset behind the last byte.
    var next: UInt64 = 0
    var count = LineCount()
    var marks: [BlockMark] = []
    var holes: [LogHole] = []
    var hash = SHA256()
    var tail = LineTail()
    /// Time of the newest record; a hole's marker gets it.
    var timeMs: UInt64 = 0

    /// Takes up a record that stands in the file at `position`.
    mutating func absorb(
        _ record: LogRecord, _ bytes: UnsafeRawBufferPointer, position: UInt64, blockBytes: Int
    ) {
        let due = marks.last.map { last in
            last.isHole || next - last.raw >= UInt64(blockBytes) || position - last.file >= UInt64(2 * blockBytes)
        }
        if due ?? true { marks.append(BlockMark(raw: next, file: position, count: count, isHole: false)) }
        hash.update(bufferPointer: bytes)
        let lastNewline = count.add(bytes)
        tail.add(bytes, lastNewline: lastNewline, timeMs: record.time)
        timeMs = record.time
        next = record.end
        fileEnd = position + UInt64(record.encodedSize)
    }

    /// Takes up a hole that stands in the file at `position`.
    mutating func absorb(_ hole: LogHole, position: UInt64, size: Int) {
        marks.append(BlockMark(raw: next, file: position, count: count, isHole: true))
        count.addHole()
        tail.clear()
        holes.append(hole)
        next = hole.offset + hole.length
        fileEnd = position + UInt64(size)
    }

    var summary: LogFacts {
        LogFacts(total: next, sha256: Array(hash.finalize()).hex, lines: count.begun, holes: holes)
    }
}
