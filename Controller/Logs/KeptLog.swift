import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore
import Glibc

/// A log that was closed as it is: its segment, with an end behind the last entry and under another name.
///
/// A packed copy of a log that fits into one block of the disk would save nothing and cost a file, four syncs and a removal. The name
/// alone says that the log is closed, and neither the name nor the end is synced: after a crash that takes them back, the segment
/// is an open one of an attempt that has ended, and is closed again.
///
/// The end, little-endian: 8 bytes `ANSFLOGE`, 8 bytes total, 32 bytes SHA-256 of the stored bytes, 4 bytes CRC-32C of the 48 before.
/// It tells what is damaged from what never came. To a recovery it is a bad record, which is cut off.
enum KeptLog {
    static let endSize = 52
    private static let magic = Array("ANSFLOGE".utf8)

    static func end(total: UInt64, sha256: String) -> [UInt8] {
        var bytes = magic
        bytes.append(integer: total)
        bytes.append(contentsOf: [UInt8](hex: sha256) ?? Array(repeating: 0, count: 32))
        bytes.append(integer: CRC32C.checksum(bytes))
        return bytes
    }

    /// Reads a kept log. What does not match its checksum, and all behind it, is a hole of kind ``LogHole/Kind/damaged``.
    ///
    /// - Throws: ``LogStoreError/unreadable(attempt:_:)``, ``LogStoreError/foreign(attempt:found:)``, ``LogStoreError/io``.
    static func read(_ attempt: AttemptID, _ file: LogFile, blockBytes: Int) throws(LogStoreError) -> ClosedLog {
        guard let length = file.length else { throw .io(operation: "read", attempt: attempt, errno: EIO) }
        var segment = try OpenSegment.read(attempt, file: file, blockBytes: blockBytes)
        guard segment.fileEnd > 0 else { throw .unreadable(attempt: attempt, "its header is damaged") }
        let entriesEnd = segment.fileEnd
        let end = readEnd(file, length: length)
        var sha256 = segment.summary.sha256
        if let end {
            sha256 = end.sha256
            if segment.next < end.total { segment.absorbDamage(upTo: end.total) }
        } else if segment.fileEnd < length {
            // Neither entry nor end: how much of it was output is not known any more.
            segment.absorbDamage(upTo: segment.next + (length - segment.fileEnd))
        }
        let summary = LogFacts(
            total: segment.next, sha256: sha256, lines: segment.count.begun, holes: segment.holes)
        return ClosedLog(
            file: file, summary: summary, marks: segment.marks, count: segment.count,
            storage: .segment(file, end: entriesEnd), keptBytes: length)
    }

    private static func readEnd(_ file: LogFile, length: UInt64) -> (total: UInt64, sha256: String)? {
        guard length >= UInt64(endSize), let bytes = file.read(endSize, at: length - UInt64(endSize)),
            bytes.count == endSize, bytes.prefix(8).elementsEqual(magic)
        else { return nil }
        return bytes.withUnsafeBytes { raw in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw[8...]))
            guard let total = reader.integer(UInt64.self), let hash = reader.slice(32),
                reader.integer(UInt32.self) == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[0..<48])),
                total <= UInt64(Int64.max)
            else { return nil }
            return (total, Array(hash).hex)
        }
    }
}

extension OpenSegment {
    /// Marks what no longer matches its checksum, up to the end of the log.
    fileprivate mutating func absorbDamage(upTo end: UInt64) {
        let hole = LogHole(kind: .damaged, offset: next, length: end - next, reason: "checksum does not match")
        absorb(hole, position: fileEnd, size: 0)
    }
}
