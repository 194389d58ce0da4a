/// How many values fell into each of a few hundred ranges, each 4 % wider than the one before: quantiles are right to 2 %, two sketches
/// of different times add up to that of both, and the size does not grow with what is counted. (The idea of DDSketch, Masson, Rim, Lee
/// 2019, with whole numbers.)
package struct DurationSketch: Equatable, Sendable {
    /// Upper bounds, inclusive: 0, 1, 2 and so on one by one, then each 4 % above the last. The greatest is above three years of
    /// milliseconds; what is more counts as it.
    static let bounds: [Int64] = {
        var bounds: [Int64] = [0]
        while let last = bounds.last, last < 100_000_000_000 { bounds.append(max(last + 1, last + last * 4 / 100)) }
        return bounds
    }()

    /// Counts by range; ranges that are empty are missing.
    private var counts: [Int: UInt64] = [:]
    package private(set) var count: UInt64 = 0
    package private(set) var sum: Int64 = 0

    package init() {}

    package mutating func add(_ value: Int64) {
        counts[Self.range(of: value), default: 0] += 1
        count += 1
        sum = sum.addingReportingOverflow(max(0, value)).partialValue
    }

    package mutating func merge(_ other: DurationSketch) {
        for (range, count) in other.counts { counts[range, default: 0] += count }
        count += other.count
        sum = sum.addingReportingOverflow(other.sum).partialValue
    }

    /// The value of rank ⌈q·n⌉, right to 2 %; nil where nothing was counted.
    ///
    /// - Parameter q: from 0 to 1.
    package func quantile(_ q: Double) -> Int64? {
        guard count > 0 else { return nil }
        let rank = max(1, min(count, UInt64((q * Double(count)).rounded(.up))))
        var seen: UInt64 = 0
        for range in counts.keys.sorted() {
            seen += counts[range] ?? 0
            if seen >= rank { return Self.middle(of: range) }
        }
        return nil
    }

    package var mean: Int64? { count > 0 ? sum / Int64(count) : nil }

    static func range(of value: Int64) -> Int {
        let value = max(0, value)
        var low = 0
        var high = bounds.count - 1
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func middle(of range: Int) -> Int64 {
        range == 0 ? 0 : (bounds[range - 1] + 1 + bounds[range]) / 2
    }
}

extension DurationSketch {
    /// Sum, then ranges and counts, each as a number of 7 bits a byte: usually under 100 bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        add(UInt64(max(0, sum)))
        var last = 0
        for range in counts.keys.sorted() {
            add(UInt64(range - last))
            add(counts[range] ?? 0)
            last = range
        }
        return bytes
    }

    /// - Returns: nil where the bytes are no sketch.
    package init?(bytes: [UInt8]) {
        var rest = bytes[...]
        func next() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = rest.popFirst() {
                guard shift < 64 else { return nil }
                value |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return value }
                shift += 7
            }
            return nil
        }
        if bytes.isEmpty { return }
        guard let sum = next(), sum <= UInt64(Int64.max) else { return nil }
        self.sum = Int64(sum)
        var range = 0
        while !rest.isEmpty {
            guard let step = next(), let n = next(), step < UInt64(Self.bounds.count) else { return nil }
            range += Int(step)
            guard range < Self.bounds.count else { return nil }
            counts[range, default: 0] += n
            count += n
        }
    }
}
