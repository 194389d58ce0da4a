import Synchronization

/// A number that several tasks of a test count up and read.
package final class Tally: Sendable {
    private let value = Atomic<Int>(0)

    package init() {}

    package var count: Int { value.load(ordering: .acquiring) }

    /// - Returns: the number with this one.
    @discardableResult package func add() -> Int { value.add(1, ordering: .acquiringAndReleasing).newValue }
}
