import ControllerCore
import GRDB
import Synchronization

/// How much waits to be judged: never less than there is. Counting takes a while where much waits, so it is done anew only where
/// it can change the answer.
///
/// Used within transactions of the writer alone; what one that fails had added is forgotten with the next count.
final class WaitingDeliveries: Sendable {
    private struct Known {
        var count = 0
        var bytes: Int64 = 0
        var added = Int.max
        var at: Int64 = 0
    }

    /// Additions between two counts: judged ones leave meanwhile.
    private static let additionsMax = 1_000
    /// Milliseconds between two counts while there is no room.
    private static let pauseMs: Int64 = 1_000

    private let known = Mutex(Known())
    private let countMax: Int
    private let bytesMax: Int64

    init(countMax: Int = WebhookLimits.waitingMax, bytesMax: Int64 = WebhookLimits.waitingBytesMax) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    /// Whether one more may wait.
    ///
    /// - Parameter now: Wall clock, milliseconds since 1970.
    func hasRoom(_ db: Connection, now: Int64) throws -> Bool {
        var seen = known.withLock { $0 }
        let isFull = { [countMax, bytesMax] (known: Known) in known.count >= countMax || known.bytes >= bytesMax }
        let isOld = seen.added >= Self.additionsMax || (isFull(seen) && abs(now - seen.at) >= Self.pauseMs)
        if isOld {
            let (count, bytes) =
                try db.first(DeliverySQL.waiting) { ($0.int(), $0.int64()) } ?? (0, 0)
            seen = Known(count: count, bytes: bytes, added: 0, at: now)
            known.withLock { [seen] in $0 = seen }
        }
        return !isFull(seen)
    }

    func added(bytes: Int) {
        known.withLock {
            $0.count += 1
            $0.bytes += Int64(bytes)
            $0.added += 1
        }
    }
}
