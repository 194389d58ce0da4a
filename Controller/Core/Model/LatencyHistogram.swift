import Synchronization

/// How long something took, counted by ranges.
package final class LatencyHistogram: Sendable {
    /// Upper bounds in microseconds.
    package static let bounds: [Int64] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000]

    package struct Figures: Sendable {
        /// By bound, not summed up.
        package var buckets = [UInt64](repeating: 0, count: LatencyHistogram.bounds.count)
        package var count: UInt64 = 0
        package var microseconds: Int64 = 0
    }

    private let state = Mutex(Figures())

    package init() {}

    package var figures: Figures { state.withLock { $0 } }

    package func note(_ duration: Duration) {
        let parts = duration.components
        let microseconds = parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
        state.withLock { figures in
            figures.count += 1
            figures.microseconds += microseconds
            if let index = Self.bounds.firstIndex(where: { microseconds <= $0 }) { figures.buckets[index] += 1 }
        }
    }
}
