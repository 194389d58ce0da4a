/// Finds which of many byte strings begins at a place of a text.
///
/// A bitmap over a hash of four bytes rules nearly every place out with one look; the rest goes through a table from the first
/// four bytes to the strings that share them.
struct PatternIndex: Sendable {
    /// What begins at a place.
    enum Match: Equatable {
        case nothing
        /// The longest string that is there whole.
        case whole(Int)
        /// The text ends inside a string that could still become whole.
        case cut
    }

    private static let keySize = 4
    /// Sorted; each has at least ``keySize`` bytes.
    private let patterns: [[UInt8]]
    private let buckets: [UInt32: Range<Int>]
    private let bitmap: [UInt64]

    init(_ strings: Set<[UInt8]>) {
        patterns = strings.sorted { $0.lexicographicallyPrecedes($1) }
        var bitmap = [UInt64](repeating: 0, count: strings.isEmpty ? 0 : 1024)
        var buckets: [UInt32: Range<Int>] = [:]
        for (index, pattern) in patterns.enumerated() {
            precondition(pattern.count >= Self.keySize, "a masked string has at least \(Self.keySize) bytes")
            let key = pattern.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
            let slot = Self.slot(key)
            bitmap[slot >> 6] |= 1 << UInt64(slot & 63)
            buckets[key] = (buckets[key]?.lowerBound ?? index)..<index + 1
        }
        self.bitmap = bitmap
        self.buckets = buckets
    }

    var isEmpty: Bool { patterns.isEmpty }

    @inline(__always)
    private static func slot(_ key: UInt32) -> Int { Int((key &* 0x9E37_79B1) >> 16) }

    /// The first place from `start` on where a string could begin; the end where there is none.
    func nextCandidate(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
        let count = text.count
        guard count >= Self.keySize, let base = text.baseAddress else { return start }
        // Fewer than four bytes are left behind this place: they are looked at one by one.
        let last = count - Self.keySize
        return bitmap.withUnsafeBufferPointer { bits in
            guard let words = bits.baseAddress else { return count }
            var at = start
            while at <= last {
                let slot = Self.slot(base.loadUnaligned(fromByteOffset: at, as: UInt32.self))
                if words[slot >> 6] >> UInt64(truncatingIfNeeded: slot & 63) & 1 != 0 { return at }
                at &+= 1
            }
            return at
        }
    }

    /// - Parameter isEnd: Whether no more text will come, so that nothing is ``Match/cut``.
    func match(_ text: UnsafeRawBufferPointer, at place: Int, isEnd: Bool) -> Match {
        let rest = UnsafeRawBufferPointer(rebasing: text[place...])
        guard rest.count >= Self.keySize else { return !isEnd && isPrefix(rest) ? .cut : .nothing }
        guard let bucket = buckets[rest.loadUnaligned(as: UInt32.self)] else { return .nothing }
        var longest = 0
        for pattern in patterns[bucket] {
            let common = min(pattern.count, rest.count)
            guard pattern.count > longest, pattern.prefix(common).elementsEqualRaw(rest, common) else { continue }
            if pattern.count <= rest.count {
                longest = pattern.count
            } else if !isEnd {
                return .cut
            }
        }
        return longest > 0 ? .whole(longest) : .nothing
    }

    /// Whether some string begins with the few bytes of `rest`.
    private func isPrefix(_ rest: UnsafeRawBufferPointer) -> Bool {
        var low = 0
        var high = patterns.count
        while low < high {
            let middle = (low + high) / 2
            if patterns[middle].lexicographicallyPrecedes(rest) { low = middle + 1 } else { high = middle }
        }
        return low < patterns.count && patterns[low].starts(with: rest)
    }
}

extension ArraySlice<UInt8> {
    /// Whether the first `count` bytes are those of `other`.
    fileprivate func elementsEqualRaw(_ other: UnsafeRawBufferPointer, _ count: Int) -> Bool {
        withUnsafeBytes { own in
            var at = 0
            while at + 8 <= count {
                if own.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                    != other.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                {
                    return false
                }
                at += 8
            }
            while at < count {
                if own[at] != other[at] { return false }
                at += 1
            }
            return true
        }
    }
}
