/// The first bytes of a spool or segment file: they bind the file to one attempt, so that a log can't be read as another's.
///
/// Layout, little-endian: 8 bytes magic `ANSFLOG1`, 8 bytes attempt, 4 bytes reserved (0), 4 bytes CRC-32C of the 20 before.
package struct LogFileHeader: Equatable, Sendable {
    package static let size = 24
    private static let magic = Array("ANSFLOG1".utf8)

    package var attempt: Int64

    package init(attempt: Int64) {
        self.attempt = attempt
    }

    /// `nil` where the bytes are not a whole, undamaged header.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size, bytes.prefix(8).elementsEqual(Self.magic) else { return nil }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[8..<Self.size]))
        guard let attempt = reader.integer(Int64.self), reader.integer(UInt32.self) == 0,
            reader.integer(UInt32.self) == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<20]))
        else { return nil }
        self.attempt = attempt
    }

    package func encoded() -> [UInt8] {
        var buffer = Self.magic
        buffer.append(integer: attempt)
        buffer.append(integer: UInt32(0))
        buffer.append(integer: CRC32C.checksum(buffer))
        return buffer
    }
}
