import AnsFlowProtocol
import AnsFlowRecords

/// A block of a closed log before compression: when its bytes were written, then the bytes.
///
/// Layout: number of runs, then for each its length and the difference of its time to the one before (zigzag), all as LEB128;
/// then the bytes.
enum ClosedBlock {
    static func encode(_ data: [UInt8], _ runs: [LogBlock.Run]) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(data.count + 8 + runs.count * 4)
        payload.append(leb128: UInt64(runs.count))
        var time: UInt64 = 0
        for (index, run) in runs.enumerated() {
            let end = index + 1 < runs.count ? runs[index + 1].start : data.count
            payload.append(leb128: UInt64(end - run.start))
            let difference = Int64(bitPattern: run.timeMs &- time)
            payload.append(leb128: UInt64(bitPattern: (difference << 1) ^ (difference >> 63)))
            time = run.timeMs
        }
        payload.append(contentsOf: data)
        return payload
    }

    /// `nil` where the payload is not what ``encode(_:_:)`` makes.
    static func decode(_ payload: [UInt8]) -> ([UInt8], [LogBlock.Run])? {
        var position = 0
        guard let count = payload.leb128(at: &position), count <= payload.count else { return nil }
        var runs: [LogBlock.Run] = []
        runs.reserveCapacity(Int(count))
        var start: UInt64 = 0
        var time: UInt64 = 0
        for _ in 0..<count {
            guard let length = payload.leb128(at: &position), let folded = payload.leb128(at: &position),
                length <= payload.count
            else { return nil }
            time = time &+ ((folded >> 1) ^ (0 &- (folded & 1)))
            runs.append(LogBlock.Run(start: Int(start), timeMs: time))
            start += length
        }
        guard start == UInt64(payload.count - position) else { return nil }
        return (Array(payload[position...]), runs)
    }

    /// Bound to attempt and offset, so that a block in the wrong place does not pass.
    static func checksum(_ payload: [UInt8], attempt: AttemptID, offset: UInt64) -> UInt32 {
        var place: [UInt8] = []
        place.append(integer: attempt.rawValue)
        place.append(integer: offset)
        return CRC32C.checksum(payload, continuing: CRC32C.checksum(place))
    }
}

extension [UInt8] {
    mutating func append(leb128 value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    func leb128(at position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < count, shift < 64 {
            let byte = self[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
