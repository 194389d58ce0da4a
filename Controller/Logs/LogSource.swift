import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore
import Glibc

/// A log as it was at one moment, to read from: a table of blocks and where their bytes are.
struct LogSource: Sendable {
    enum Storage: Sendable {
        case none
        /// An open segment, whole up to `end`.
        case segment(LogFile, end: UInt64)
        case closed(LogFile, [ClosedIndex.Extent])
    }

    var attempt: AttemptID
    /// Tells apart what had the same attempt and offsets: it changes when a log is begun anew or closed.
    var generation: UInt64
    var marks: [BlockMark]
    var count: LineCount
    var info: LogInfo
    var storage: Storage

    var total: UInt64 { info.bytes }

    func end(_ index: Int) -> UInt64 { index + 1 < marks.count ? marks[index + 1].raw : total }
    func after(_ index: Int) -> LineCount { index + 1 < marks.count ? marks[index + 1].count : count }

    /// The block that holds the byte at `offset`.
    func block(offset: UInt64) -> Int {
        max(0, partition { $0.raw <= offset } - 1)
    }

    /// The block in which line `number` begins.
    func block(line number: Int) -> Int {
        max(0, partition { $0.count.begun < number } - 1)
    }

    /// How many marks at the front fulfil a condition that only marks at the front fulfil.
    private func partition(_ holds: (BlockMark) -> Bool) -> Int {
        var low = 0
        var high = marks.count
        while low < high {
            let middle = (low + high) / 2
            if holds(marks[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Reads and checks a block. A damaged one comes as a hole, never as wrong bytes.
    ///
    /// - Throws: ``LogStoreError/io`` where the disk gives nothing.
    func load(_ index: Int) throws(LogStoreError) -> LogBlock {
        let mark = marks[index]
        let content: LogBlock.Content
        if mark.isHole {
            content = .hole(hole(at: mark.raw) ?? damaged(index, "the hole's description is lost"))
        } else {
            switch storage {
            case .none: content = .hole(damaged(index, "not stored"))
            case .segment(let file, let end):
                let fileEnd = index + 1 < marks.count ? marks[index + 1].file : end
                content = try loadSegment(file, mark.file..<fileEnd, index)
            case .closed(let file, let extents):
                content = try loadClosed(file, extents[index], index)
            }
        }
        return LogBlock(
            start: mark.raw, end: end(index), before: mark.count, after: after(index), content: content)
    }

    private func hole(at offset: UInt64) -> LogHole? { info.holes.first { $0.offset == offset } }

    private func damaged(_ index: Int, _ reason: String) -> LogHole {
        LogHole(kind: .damaged, offset: marks[index].raw, length: end(index) - marks[index].raw, reason: reason)
    }

    private func loadSegment(
        _ file: LogFile, _ range: Range<UInt64>, _ index: Int
    ) throws(LogStoreError) -> LogBlock.Content {
        guard let raw = file.read(range.count, at: range.lowerBound) else {
            throw .io(operation: "read", attempt: attempt, errno: errno)
        }
        var data: [UInt8] = []
        data.reserveCapacity(Int(end(index) - marks[index].raw))
        var runs: [LogBlock.Run] = []
        var next = marks[index].raw
        let whole = raw.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            while reader.remaining > 0 {
                guard case .record(let record, let bytes) = SegmentEntry(&reader), record.offset == next else {
                    return false
                }
                if runs.last?.timeMs != record.time {
                    runs.append(LogBlock.Run(start: data.count, timeMs: record.time))
                }
                data.append(contentsOf: bytes)
                next = record.end
            }
            return true
        }
        guard whole, next == end(index) else { return .hole(damaged(index, "checksum does not match")) }
        return .text(data, runs)
    }

    private func loadClosed(
        _ file: LogFile, _ extent: ClosedIndex.Extent, _ index: Int
    ) throws(LogStoreError) -> LogBlock.Content {
        let mark = marks[index]
        guard let packed = file.read(Int(extent.fileLength), at: mark.file) else {
            throw .io(operation: "read", attempt: attempt, errno: errno)
        }
        guard packed.count == Int(extent.fileLength),
            let payload = Zstd.decompress(packed, size: Int(extent.payloadLength)),
            ClosedBlock.checksum(payload, attempt: attempt, offset: mark.raw) == extent.crc,
            let (data, runs) = ClosedBlock.decode(payload), UInt64(data.count) == end(index) - mark.raw
        else { return .hole(damaged(index, "checksum does not match")) }
        return .text(data, runs)
    }
}
