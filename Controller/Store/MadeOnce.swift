import ControllerCore
import GRDB

/// What POSTs with an `Idempotency-Key` have made, for a day. Written in the transaction that makes it.
enum MadeOnce {
    static func find(_ db: Connection, _ key: String?, _ kind: String, now: Int64) throws -> Int64? {
        guard let key else { return nil }
        return try db.first(
            "SELECT id FROM made_once WHERE key = ? AND kind = ? AND at > ?",
            {
                $0.add(key)
                $0.add(kind)
                $0.add(now - BatchWriter.idempotencyLifeMs)
            }
        ) { $0.int64() }
    }

    static func note(_ db: Connection, _ key: String?, _ kind: String, _ id: Int64, now: Int64) throws {
        guard let key else { return }
        try db.run("DELETE FROM made_once WHERE at <= ?") { $0.add(now - BatchWriter.idempotencyLifeMs) }
        try db.run("INSERT OR REPLACE INTO made_once (key, kind, id, at) VALUES (?, ?, ?, ?)") {
            $0.add(key)
            $0.add(kind)
            $0.add(id)
            $0.add(now)
        }
    }
}
