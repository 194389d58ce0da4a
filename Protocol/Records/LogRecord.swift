/// One record of a step's output: the format of the agent's spool, of a LOG message and of the controller's segment.
///
/// Layout, little-endian:
///
/// | bytes | field |
/// |---|---|
/// | 8 | `offset`: where in the attempt's output these bytes begin |
/// | 8 | `time`: milliseconds since the attempt's child was started |
/// | 4 | `length` of the bytes, 1 to ``lengthMax`` |
/// | 4 | CRC-32C of the 20 bytes before and of the bytes behind |
/// | n | the bytes, after masking |
package struct LogRecord: Equatable, Sendable {
    package static let headerSize = 24
    /// Most bytes in a record.
    package static let lengthMax = 64 * 1024

    package var offset: UInt64
    /// Milliseconds since the attempt's child was started, by the agent host's boot clock.
    package var time: UInt64
    package var length: UInt32
    package var crc: UInt32

    /// Offset behind the last byte.
    package var end: UInt64 { offset + UInt64(length) }
    package var encodedSize: Int { Self.headerSize + Int(length) }

    package init(offset: UInt64, time: UInt64, bytes: UnsafeRawBufferPointer) {
        precondition(
            !bytes.isEmpty && bytes.count <= Self.lengthMax, "a log record holds 1 to \(Self.lengthMax) bytes")
        self.offset = offset
        self.time = time
        length = UInt32(bytes.count)
        crc = 0
        crc = expectedCRC(bytes)
    }

    /// Reads a header; `nil` where it is cut off or its length is not allowed. The bytes are not looked at: see ``matches(_:)``.
    package init?(header reader: inout ByteReader) {
        guard let offset = reader.integer(UInt64.self), let time = reader.integer(UInt64.self),
            let length = reader.integer(UInt32.self), let crc = reader.integer(UInt32.self),
            length > 0, length <= Self.lengthMax, offset <= UInt64(Int64.max) - UInt64(length)
        else { return nil }
        self.offset = offset
        self.time = time
        self.length = length
        self.crc = crc
    }

    /// Whether `bytes` are what the checksum was made of.
    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count == Int(length) && expectedCRC(bytes) == crc
    }

    /// Appends the header; the record's bytes follow it.
    package func appendHeader(to buffer: inout [UInt8]) {
        buffer.append(integer: offset)
        buffer.append(integer: time)
        buffer.append(integer: length)
        buffer.append(integer: crc)
    }

    /// A whole record, header and bytes.
    package static func encode(offset: UInt64, time: UInt64, bytes: [UInt8]) -> [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(headerSize + bytes.count)
        bytes.withUnsafeBytes { LogRecord(offset: offset, time: time, bytes: $0).appendHeader(to: &buffer) }
        buffer.append(contentsOf: bytes)
        return buffer
    }

    private func expectedCRC(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let head = (offset.littleEndian, time.littleEndian, length.littleEndian)
        let begun = withUnsafeBytes(of: head) { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[0..<20])) }
        return CRC32C.checksum(bytes, continuing: begun)
    }
}
