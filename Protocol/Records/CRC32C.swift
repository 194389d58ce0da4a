import CChecksum

/// CRC-32C (Castagnoli), the checksum of every log record and journal entry.
///
/// Source: RFC 3720, appendix B.4.
package enum CRC32C {
    /// The checksum of `bytes`, continued from `crc`.
    ///
    /// - Parameters:
    ///   - bytes: What to add.
    ///   - crc: The checksum so far; 0 to begin.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        ansflow_crc32c(crc, bytes.baseAddress, bytes.count)
    }

    package static func checksum(_ bytes: some Collection<UInt8>, continuing crc: UInt32 = 0) -> UInt32 {
        if let sum = bytes.withContiguousStorageIfAvailable({ checksum(UnsafeRawBufferPointer($0), continuing: crc) }) {
            return sum
        }
        return Array(bytes).withUnsafeBytes { checksum($0, continuing: crc) }
    }

    /// The same by table; the tests' oracle for the processor's instruction.
    package static func portable(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { ansflow_crc32c_portable(crc, $0.baseAddress, $0.count) }
    }
}
