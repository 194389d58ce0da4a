/// How long to wait before the next dial: at first at most two seconds, then at random up to a bound that doubles to thirty
/// seconds. It never gives up, and a crowd of agents never comes back all at once.
///
/// The algorithm is "full jitter", with half a second as the least from the second retry on.
package struct Backoff: Equatable, Sendable {
    package static let first = Duration.seconds(2)
    package static let least = Duration.milliseconds(500)
    package static let most = Duration.seconds(30)

    /// Waits since the last good connection.
    package private(set) var retries = 0

    package init() {}

    /// The next wait.
    ///
    /// - Parameter random: A number from 0 up to but without 1.
    package mutating func next(random: Double) -> Duration {
        precondition((0..<1).contains(random), "randomness for a back-off is in 0..<1")
        defer { retries += 1 }
        guard retries > 0 else { return Self.first * random }
        let bound = min(Self.most, Self.first * (1 << min(retries, 5)))
        return Self.least + (bound - Self.least) * random
    }

    /// A connection was good: the next failure begins anew.
    package mutating func reset() { retries = 0 }
}
