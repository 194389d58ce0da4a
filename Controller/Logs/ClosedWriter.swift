import AnsFlowProtocol
import ControllerCore
import Glibc

/// Writes a closed log from a segment.
struct ClosedWriter {
    private let source: LogSource
    private let file: LogFile
    private var position: UInt64 = 0
    private var index = ClosedIndex()

    private init(_ source: LogSource, _ file: LogFile) {
        self.source = source
        self.file = file
    }

    /// Writes everything, not yet synced. A block of the segment that does not match its checksum becomes a hole that says so.
    ///
    /// - Parameter sha256: The hash to keep, in hex.
    /// - Complexity: O(log); memory for one block, packed and unpacked, and the compressor's 1.5 MiB.
    static func write(
        _ source: LogSource, sha256: String, to file: LogFile, level: Int32
    ) throws(LogStoreError) -> ClosedIndex {
        guard let compressor = Zstd.Compressor(level: level) else {
            throw .io(operation: "compress", attempt: source.attempt, errno: ENOMEM)
        }
        var writer = ClosedWriter(source, file)
        writer.index.total = source.total
        writer.index.count = source.count
        writer.index.sha256 = [UInt8](hex: sha256) ?? writer.index.sha256
        try writer.put(ClosedIndex.header(source.attempt))
        for block in source.marks.indices { try writer.put(block: block, compressor) }
        try writer.put(writer.index.encoded(source.attempt, at: writer.position))
        return writer.index
    }

    private mutating func put(_ bytes: [UInt8]) throws(LogStoreError) {
        let failed = file.write(bytes, at: position)
        guard failed == 0 else { throw .io(operation: "write", attempt: source.attempt, errno: failed) }
        position += UInt64(bytes.count)
    }

    private mutating func put(block number: Int, _ compressor: Zstd.Compressor) throws(LogStoreError) {
        var mark = source.marks[number]
        mark.file = position
        switch try source.load(number).content {
        case .hole(let hole):
            mark.isHole = true
            index.marks.append(mark)
            index.extents.append(ClosedIndex.Extent())
            index.holes.append(hole)
        case .text(let data, let runs):
            let payload = ClosedBlock.encode(data, runs)
            guard let packed = compressor.compress(payload) else {
                throw .io(operation: "compress", attempt: source.attempt, errno: ENOMEM)
            }
            try put(packed)
            let crc = ClosedBlock.checksum(payload, attempt: source.attempt, offset: mark.raw)
            index.marks.append(mark)
            index.extents.append(
                ClosedIndex.Extent(
                    fileLength: UInt32(packed.count), payloadLength: UInt32(payload.count), crc: crc))
        }
    }
}

extension [UInt8] {
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// `nil` where the text is not pairs of hexadecimal digits.
    init?(hex: String) {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == hex.utf8.count, digits.count % 2 == 0 else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
