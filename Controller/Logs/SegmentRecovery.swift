import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore
import Glibc

extension OpenSegment {
    /// Reads a segment that is on the disk, cuts it behind its last good entry, and makes what remains durable.
    ///
    /// A file whose header is torn or damaged gives an empty log: everything comes again from the spool.
    ///
    /// - Throws: ``LogStoreError/foreign(attempt:found:)`` where the header names another attempt; ``LogStoreError/io``.
    /// - Complexity: O(file): each checksum is verified, and the hash is made anew.
    static func recover(
        _ attempt: AttemptID, file: LogFile, blockBytes: Int
    ) throws(LogStoreError) -> OpenSegment {
        let segment = try read(attempt, file: file, blockBytes: blockBytes)
        guard let length = file.length else { throw .io(operation: "read", attempt: attempt, errno: errno) }
        if segment.fileEnd < length {
            let failed = file.truncate(to: segment.fileEnd)
            if failed != 0 { throw .io(operation: "cut", attempt: attempt, errno: failed) }
        }
        return segment
    }

    /// Reads a segment up to its last good entry and leaves the file as it is.
    ///
    /// - Throws: as ``recover(_:file:blockBytes:)``.
    static func read(_ attempt: AttemptID, file: LogFile, blockBytes: Int) throws(LogStoreError) -> OpenSegment {
        var segment = OpenSegment()
        segment.file = file
        guard let length = file.length, let head = file.read(LogFileHeader.size, at: 0) else {
            throw .io(operation: "read", attempt: attempt, errno: errno)
        }
        if let header = head.withUnsafeBytes({ LogFileHeader($0) }) {
            guard header.attempt == attempt.rawValue else { throw .foreign(attempt: attempt, found: header.attempt) }
            segment.fileEnd = UInt64(LogFileHeader.size)
            try segment.scan(file, length: length, attempt: attempt, blockBytes: blockBytes)
        }
        return segment
    }

    private mutating func scan(
        _ file: LogFile, length: UInt64, attempt: AttemptID, blockBytes: Int
    ) throws(LogStoreError) {
        // One byte more than a short file has, so that its end is seen.
        let window = Int(min(1024 * 1024, length + 1))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: window, alignment: 8)
        defer { buffer.deallocate() }
        while fileEnd < length {
            let start = fileEnd
            guard let got = file.read(into: buffer, at: start) else {
                throw .io(operation: "read", attempt: attempt, errno: errno)
            }
            let atEnd = got < window
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[0..<got]))
            // An entry that may reach behind the window is left to the next one.
            while reader.remaining > 0, atEnd || reader.remaining >= SegmentEntry.sizeMax {
                let position = start + UInt64(reader.position)
                guard let entry = SegmentEntry(&reader), take(entry, position: position, blockBytes: blockBytes) else {
                    return
                }
            }
            if atEnd { return }
        }
    }

    /// `false` where the entry does not follow the one before.
    private mutating func take(_ entry: SegmentEntry, position: UInt64, blockBytes: Int) -> Bool {
        switch entry {
        case .record(let record, let bytes):
            guard record.offset == next else { return false }
            absorb(record, bytes, position: position, blockBytes: blockBytes)
        case .hole(let hole):
            guard hole.offset == next else { return false }
            absorb(hole, position: position, size: SegmentEntry.encode(hole).count)
        }
        return true
    }
}
