import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore

/// The index of a closed log.
///
/// File, little-endian: a header of 24 bytes (`ANSFLOGZ`, attempt, version, CRC-32C of the 20 before); the blocks, each a zstd
/// frame of its own (see ``ClosedBlock``); the index; a footer of 32 bytes (attempt, the index's offset in the file, its length
/// (32 bits), its CRC-32C, version, CRC-32C of the footer's 28 before).
///
/// The index: total, lines begun, whether the last one ended, SHA-256 of the stored bytes (32 bytes), holes (count; each kind,
/// offset, length, reason), blocks (count; each flags, offset, lines begun before it, place, length, unpacked length, CRC-32C).
struct ClosedIndex: Equatable, Sendable {
    struct Extent: Equatable, Sendable {
        var fileLength: UInt32 = 0
        var payloadLength: UInt32 = 0
        var crc: UInt32 = 0
    }

    static let version: UInt32 = 1
    static let headerSize = 24
    static let footerSize = 32
    /// Bytes of the longest index that is read: 1 GiB in blocks and 1,000 holes need less than 3 MiB.
    static let sizeMax = 64 * 1024 * 1024
    private static let magic = Array("ANSFLOGZ".utf8)
    /// Most unpacked bytes of a block: far more than any is written with.
    private static let payloadMax: UInt32 = 64 * 1024 * 1024

    var total: UInt64 = 0
    var count = LineCount()
    var sha256: [UInt8] = Array(repeating: 0, count: 32)
    var holes: [LogHole] = []
    var marks: [BlockMark] = []
    var extents: [Extent] = []

    static func header(_ attempt: AttemptID) -> [UInt8] {
        var bytes = magic
        bytes.append(integer: attempt.rawValue)
        bytes.append(integer: version)
        bytes.append(integer: CRC32C.checksum(bytes))
        return bytes
    }

    /// Index and footer, to stand at `offset`.
    func encoded(_ attempt: AttemptID, at offset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(integer: total)
        bytes.append(integer: UInt64(count.begun))
        bytes.append(count.atStart ? 1 : 0)
        bytes.append(contentsOf: sha256)
        bytes.append(integer: UInt32(holes.count))
        for hole in holes {
            bytes.append(hole.kind == .missing ? 0 : 1)
            bytes.append(integer: hole.offset)
            bytes.append(integer: hole.length)
            bytes.append(text: hole.reason)
        }
        bytes.append(integer: UInt32(marks.count))
        for (mark, extent) in zip(marks, extents) {
            bytes.append((mark.count.atStart ? 1 : 0) | (mark.isHole ? 2 : 0))
            bytes.append(integer: mark.raw)
            bytes.append(integer: UInt64(mark.count.begun))
            bytes.append(integer: mark.file)
            bytes.append(integer: extent.fileLength)
            bytes.append(integer: extent.payloadLength)
            bytes.append(integer: extent.crc)
        }
        var footer: [UInt8] = []
        footer.append(integer: attempt.rawValue)
        footer.append(integer: offset)
        footer.append(integer: UInt32(bytes.count))
        footer.append(integer: CRC32C.checksum(bytes))
        footer.append(integer: Self.version)
        footer.append(integer: CRC32C.checksum(footer))
        return bytes + footer
    }
}

extension ClosedIndex {
    /// Reads a closed log's index.
    ///
    /// - Throws: ``LogStoreError/unreadable(attempt:_:)``, ``LogStoreError/foreign(attempt:found:)``, ``LogStoreError/io``.
    static func read(_ attempt: AttemptID, _ file: LogFile) throws(LogStoreError) -> ClosedIndex {
        guard let length = file.length, length >= UInt64(headerSize + footerSize),
            let header = file.read(headerSize, at: 0),
            let footer = file.read(footerSize, at: length - UInt64(footerSize))
        else { throw .unreadable(attempt: attempt, "it is too short") }
        guard header.prefix(8).elementsEqual(magic) else { throw .unreadable(attempt: attempt, "it is no closed log") }
        guard header.withUnsafeBytes({ crcFits($0) }), footer.withUnsafeBytes({ crcFits($0) }) else {
            throw .unreadable(attempt: attempt, "its header or footer is damaged")
        }
        let place = try footer.withUnsafeBytes { raw in
            Result { () throws(LogStoreError) in try readFooter(attempt, ByteReader(raw), fileLength: length) }
        }.get()
        guard let bytes = file.read(place.size, at: place.offset), CRC32C.checksum(bytes) == place.crc,
            let index = bytes.withUnsafeBytes({ decode($0) })
        else { throw .unreadable(attempt: attempt, "its index is damaged") }
        return index
    }

    /// The last 4 bytes are the checksum of those before.
    private static func crcFits(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let body = UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: body.count, as: UInt32.self))
            == CRC32C.checksum(body)
    }

    private static func readFooter(
        _ attempt: AttemptID, _ start: ByteReader, fileLength: UInt64
    ) throws(LogStoreError) -> (offset: UInt64, size: Int, crc: UInt32) {
        var reader = start
        guard let found = reader.integer(Int64.self), let offset = reader.integer(UInt64.self),
            let size = reader.integer(UInt32.self), let crc = reader.integer(UInt32.self),
            let version = reader.integer(UInt32.self)
        else { throw .unreadable(attempt: attempt, "its footer is cut off") }
        guard version == Self.version else {
            throw .unreadable(attempt: attempt, "its format \(version) needs a newer controller")
        }
        guard found == attempt.rawValue else { throw .foreign(attempt: attempt, found: found) }
        guard size <= sizeMax, offset <= fileLength, UInt64(size) + UInt64(footerSize) == fileLength - offset else {
            throw .unreadable(attempt: attempt, "its footer points nowhere")
        }
        return (offset, Int(size), crc)
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) -> ClosedIndex? {
        var reader = ByteReader(bytes)
        var index = ClosedIndex()
        guard let total = reader.integer(UInt64.self), let begun = reader.integer(UInt64.self),
            let ended = reader.integer(UInt8.self), let sha = reader.slice(32),
            let holes = reader.integer(UInt32.self), begun <= UInt64(Int64.max)
        else { return nil }
        index.total = total
        index.count = LineCount(begun: Int(begun), atStart: ended == 1)
        index.sha256 = Array(sha)
        for _ in 0..<holes {
            guard let kind = reader.integer(UInt8.self), let offset = reader.integer(UInt64.self),
                let length = reader.integer(UInt64.self),
                let reason = reader.text(limit: ProtocolLimits.reasonBytesMax)
            else { return nil }
            index.holes.append(
                LogHole(kind: kind == 0 ? .missing : .damaged, offset: offset, length: length, reason: reason))
        }
        guard let blocks = reader.integer(UInt32.self) else { return nil }
        for _ in 0..<blocks {
            guard index.decodeBlock(&reader) else { return nil }
        }
        return reader.remaining == 0 ? index : nil
    }

    private mutating func decodeBlock(_ reader: inout ByteReader) -> Bool {
        guard let flags = reader.integer(UInt8.self), let raw = reader.integer(UInt64.self),
            let begun = reader.integer(UInt64.self), let place = reader.integer(UInt64.self),
            let fileLength = reader.integer(UInt32.self), let payload = reader.integer(UInt32.self),
            let crc = reader.integer(UInt32.self), begun <= UInt64(Int64.max), payload <= Self.payloadMax,
            fileLength <= Self.payloadMax, raw >= (marks.last?.raw ?? 0), raw <= total
        else { return false }
        let count = LineCount(begun: Int(begun), atStart: flags & 1 != 0)
        marks.append(BlockMark(raw: raw, file: place, count: count, isHole: flags & 2 != 0))
        extents.append(Extent(fileLength: fileLength, payloadLength: payload, crc: crc))
        return true
    }
}
