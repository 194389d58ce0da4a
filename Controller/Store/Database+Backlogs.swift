package import ControllerCore
import GRDB

// What waits to be judged or sent.
extension Database {
    package func waitingDeliveries() async throws -> Backlog {
        try await read { db in
            let (count, first) =
                try db.first(
                    """
                    SELECT count(*), min(id) FROM deliveries
                    WHERE state IN ('received', 'judging') OR state = 'failed' AND retry_at IS NOT NULL
                    """
                ) { ($0.int(), $0.int64OrNil()) } ?? (0, nil)
            guard let first else { return Backlog() }
            let oldest = try db.first("SELECT received_at FROM deliveries WHERE id = ?", { $0.add(first) }) {
                $0.int64()
            }
            return Backlog(count: count, oldestAt: oldest)
        }
    }

    /// Of forges and targets that are enabled: what others hold is not meant to go out.
    package func waitingOutbox() async throws -> (statuses: Backlog, notices: Backlog) {
        try await read { db in
            func backlog(_ sql: String) throws -> Backlog {
                try db.first(sql) { Backlog(count: $0.int(), oldestAt: $0.int64OrNil()) } ?? Backlog()
            }
            return (
                try backlog(
                    """
                    SELECT count(*), min(s.waits_since) FROM forge_statuses s
                    JOIN forge_connections c ON c.id = s.connection WHERE s.state = 'waiting' AND c.enabled = 1
                    """),
                try backlog(
                    """
                    SELECT count(*), min(d.created_at) FROM notice_deliveries d
                    JOIN notification_targets t ON t.id = d.target WHERE d.state = 'waiting' AND t.enabled = 1
                    """)
            )
        }
    }
}
