import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database {
    /// Nothing waits longer: what seems to was stored by a clock that has been set back since, and is due.
    private static let pauseMsMax = DeliveryLifecycle.Rule().askedPauseMsMax

    package func dueStatuses(now: Int64, limit: Int) async throws -> [DueStatus] {
        try await read { db in
            try db.all(
                """
                SELECT \(ForgeConnection.qualifiedColumns), \(CommitStatus.columns), \(DeliveryLifecycle.columns("s"))
                FROM forge_statuses s JOIN forge_connections c ON c.id = s.connection
                WHERE s.state = 'waiting' AND (s.due_at <= ?1 OR s.due_at > ?1 + ?2) AND c.enabled = 1
                ORDER BY s.due_at LIMIT ?3
                """,
                {
                    $0.add(now)
                    $0.add(Self.pauseMsMax)
                    $0.add(limit)
                }
            ) {
                let connection = try ForgeConnection(&$0)
                let status = try CommitStatus(&$0)
                return DueStatus(connection: connection, status: status, delivery: try DeliveryLifecycle(&$0))
            }
        }
    }

    package func settle(_ due: DueStatus, _ delivery: DeliveryLifecycle, now: Int64) async throws {
        try await write { db in
            try db.run(
                """
                UPDATE forge_statuses SET state = ?, tries = ?, due_at = ?, error = ?, updated_at = ?
                WHERE connection = ? AND "commit" = ? AND context = ? AND run = ? AND seq = ?
                """
            ) {
                delivery.fill(&$0)
                $0.add(now)
                $0.add(due.status.connection)
                $0.add(due.status.commit)
                $0.add(due.status.context)
                $0.add(due.status.run)
                $0.add(due.status.seq)
            }
        }
    }

    package func dueDeliveries(now: Int64, limit: Int) async throws -> [DueDelivery] {
        try await read { db in
            try db.all(
                """
                SELECT d.id, \(NotificationTarget.qualifiedColumns), d.notice, \(DeliveryLifecycle.columns("d")),
                    d.created_at
                FROM notice_deliveries d JOIN notification_targets t ON t.id = d.target
                WHERE d.id IN (SELECT min(id) FROM notice_deliveries WHERE state = 'waiting' GROUP BY target)
                    AND (d.due_at <= ?1 OR d.due_at > ?1 + ?2) AND t.enabled = 1 ORDER BY d.id LIMIT ?3
                """,
                {
                    $0.add(now)
                    $0.add(Self.pauseMsMax)
                    $0.add(limit)
                }
            ) {
                let id = $0.int64()
                let target = try NotificationTarget(&$0)
                let notice = try Notice(stored: $0.bytes())
                let delivery = try DeliveryLifecycle(&$0)
                return DueDelivery(
                    id: id, target: target, notice: notice, delivery: delivery, createdAt: $0.int64())
            }
        }
    }

    package func settle(_ due: DueDelivery, _ delivery: DeliveryLifecycle, answer: Int?, now: Int64) async throws {
        try await write { db in
            try db.run(
                """
                UPDATE notice_deliveries SET state = ?, tries = ?, due_at = ?, error = ?, answer = ?, updated_at = ?
                WHERE id = ?
                """
            ) {
                delivery.fill(&$0)
                $0.add(answer.map { Int64($0) })
                $0.add(now)
                $0.add(due.id)
            }
        }
    }

    // MARK: Bounds

    /// Kept after the end, in milliseconds.
    private static let keptMs: Int64 = 30 * 86_400_000
    private static let noticesKeptMs: Int64 = 90 * 86_400_000
    private static let noticesMax = 10_000
    /// Of one target.
    private static let deliveriesMax = 500
    private static let waitingMax = 1_000

    package func sweepOutbox(now: Int64) async throws {
        try await write { db in
            try db.run("DELETE FROM forge_statuses WHERE updated_at < ?") {
                $0.add(now - Self.keptMs)
            }
            try db.run("DELETE FROM notice_deliveries WHERE state <> 'waiting' AND updated_at < ?") {
                $0.add(now - Self.keptMs)
            }
            let targets = try db.all("SELECT DISTINCT target FROM notice_deliveries") { $0.int64() }
            for target in targets {
                try db.run(
                    """
                    DELETE FROM notice_deliveries WHERE target = ?1 AND state <> 'waiting' AND id <
                        (SELECT id FROM notice_deliveries WHERE target = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                    """
                ) {
                    $0.add(target)
                    $0.add(Self.deliveriesMax - 1)
                }
                try db.run(
                    """
                    UPDATE notice_deliveries SET state = 'gave_up', updated_at = ?3,
                        error = 'More than \(Self.waitingMax) wait for this target, so the oldest are not sent.'
                    WHERE target = ?1 AND state = 'waiting' AND id <
                        (SELECT id FROM notice_deliveries WHERE target = ?1 AND state = 'waiting'
                         ORDER BY id DESC LIMIT 1 OFFSET ?2)
                    """
                ) {
                    $0.add(target)
                    $0.add(Self.waitingMax - 1)
                    $0.add(now)
                }
            }
            try db.run(
                """
                DELETE FROM notices WHERE at < ? OR id <
                    (SELECT id FROM notices ORDER BY id DESC LIMIT 1 OFFSET \(Self.noticesMax - 1))
                """
            ) { $0.add(now - Self.noticesKeptMs) }
        }
    }
}
