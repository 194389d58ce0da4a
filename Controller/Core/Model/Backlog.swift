/// How much waits, and since when.
package struct Backlog: Equatable, Sendable {
    package var count: Int
    /// Milliseconds since 1970; `nil` where nothing waits.
    package var oldestAt: Int64?

    package init(count: Int = 0, oldestAt: Int64? = nil) {
        self.count = count
        self.oldestAt = oldestAt
    }

    /// How long the oldest has waited; 0 where nothing waits, or where the clock was set back.
    package func ageMs(now: Int64) -> Int64 { oldestAt.map { max(0, now - $0) } ?? 0 }
}
