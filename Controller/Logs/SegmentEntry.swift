import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore

/// One entry of a segment: a record as it was received, or a hole.
///
/// A hole is written where a record would stand, in the same order and under the same sync, so that it is exactly as durable as
/// the bytes around it. Layout, little-endian: 8 bytes offset, 8 bytes length of the hole, 4 bytes `0x8000_0000 | reason's
/// length` (no record has a length like that), 4 bytes CRC-32C of the 20 before and of the reason, the reason in UTF-8.
enum SegmentEntry {
    case record(LogRecord, UnsafeRawBufferPointer)
    case hole(LogHole)

    /// No entry is longer.
    static let sizeMax = LogRecord.headerSize + max(LogRecord.lengthMax, ProtocolLimits.reasonBytesMax)
    private static let holeFlag: UInt32 = 0x8000_0000

    /// Reads an entry; `nil` where it is cut off or does not match its checksum.
    init?(_ reader: inout ByteReader) {
        var peek = reader
        guard peek.slice(16) != nil, let kind = peek.integer(UInt32.self) else { return nil }
        if kind & Self.holeFlag != 0 {
            guard let hole = Self.readHole(&reader, reasonLength: Int(kind & ~Self.holeFlag)) else { return nil }
            self = .hole(hole)
        } else {
            guard let record = LogRecord(header: &reader), let bytes = reader.slice(Int(record.length)),
                record.matches(bytes)
            else { return nil }
            self = .record(record, bytes)
        }
    }

    static func encode(_ hole: LogHole) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(integer: hole.offset)
        bytes.append(integer: hole.length)
        bytes.append(integer: holeFlag | UInt32(hole.reason.utf8.count))
        let sum = CRC32C.checksum(Array(hole.reason.utf8), continuing: CRC32C.checksum(bytes))
        bytes.append(integer: sum)
        bytes.append(contentsOf: hole.reason.utf8)
        return bytes
    }

    private static func readHole(_ reader: inout ByteReader, reasonLength: Int) -> LogHole? {
        guard reasonLength <= ProtocolLimits.reasonBytesMax, let head = reader.slice(20),
            let crc = reader.integer(UInt32.self), let reason = reader.slice(reasonLength),
            CRC32C.checksum(reason, continuing: CRC32C.checksum(head)) == crc
        else { return nil }
        var fields = ByteReader(head)
        guard let offset = fields.integer(UInt64.self), let length = fields.integer(UInt64.self), length > 0,
            let text = String(validating: reason.bindMemory(to: UInt8.self), as: UTF8.self),
            offset <= UInt64(Int64.max), length <= UInt64(Int64.max) - offset
        else { return nil }
        return LogHole(kind: .missing, offset: offset, length: length, reason: text)
    }
}
