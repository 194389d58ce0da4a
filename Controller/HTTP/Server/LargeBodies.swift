import Synchronization

/// Memory for bodies beyond the usual size, of all requests together: strangers may send those, and each is held whole.
final class LargeBodies: Sendable {
    private let held = Atomic<Int>(0)
    private static let bytesMax = 256 << 20

    /// False where no more is to be had for now.
    func take(_ bytes: Int) -> Bool {
        guard held.add(bytes, ordering: .relaxed).newValue <= Self.bytesMax else {
            held.subtract(bytes, ordering: .relaxed)
            return false
        }
        return true
    }

    func giveBack(_ bytes: Int) { held.subtract(bytes, ordering: .relaxed) }
}
