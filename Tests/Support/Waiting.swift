import Glibc

/// Why a test's own machinery gave up: a full sentence.
package struct TestFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// Waits until `condition` gives something, asking again every few milliseconds.
///
/// - Parameters:
///   - seconds: How long it may take.
///   - what: What is waited for, for the failure's text.
///   - pause: Between two looks, in milliseconds.
/// - Throws: ``TestFailure`` when the time is over; what `condition` throws.
@discardableResult
package func eventually<Value>(
    within seconds: Double, _ what: @autoclosure () -> String, pause: UInt32 = 20, _ condition: () throws -> Value?
) throws -> Value {
    let end = Clock.seconds + seconds
    while true {
        if let value = try condition() { return value }
        guard Clock.seconds < end else { throw TestFailure("Not within \(seconds) s: \(what()).") }
        usleep(pause * 1000)
    }
}

/// As above, for conditions that only hold or do not hold.
package func eventually(
    within seconds: Double, _ what: @autoclosure () -> String, pause: UInt32 = 20, holds: () throws -> Bool
) throws {
    let _: Bool = try eventually(within: seconds, what(), pause: pause) { try holds() ? true : nil }
}

/// A clock that never goes back.
package enum Clock {
    package static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Blocks for a time that is part of what is tested, such as a pause between two faults; never a wait for something.
    package static func pause(_ seconds: Double) { usleep(UInt32(max(0, seconds) * 1e6)) }
}
