/// Decides how much of a step's output is stored. Stored is always a prefix of what the step wrote, dropped is exact.
///
/// Once it stops, at the limit or because the disk refused, it never stores again.
package struct SpoolLimiter: Equatable, Sendable {
    package let limit: UInt64
    package private(set) var stored: UInt64 = 0
    package private(set) var dropped: UInt64 = 0
    package private(set) var isRecording = true

    /// - Parameter limit: Stored bytes at most.
    package init(limit: UInt64) {
        self.limit = limit
    }

    /// Output came.
    ///
    /// - Returns: How many bytes from its beginning to store; the rest counts as dropped.
    package mutating func offer(_ count: Int) -> Int {
        precondition(count >= 0, "a count of bytes is not negative")
        guard isRecording else {
            dropped += UInt64(count)
            return 0
        }
        let kept = min(UInt64(count), limit - stored)
        stored += kept
        dropped += UInt64(count) - kept
        if kept < count { isRecording = false }
        return Int(kept)
    }

    /// The last `lost` bytes that were to be stored could not be: recording ends for good.
    package mutating func writeFailed(lost: Int) {
        precondition(lost >= 0 && UInt64(lost) <= stored, "no more can be lost than was to be stored")
        stored -= UInt64(lost)
        dropped += UInt64(lost)
        isRecording = false
    }
}
