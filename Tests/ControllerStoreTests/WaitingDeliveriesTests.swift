import GRDB
import Testing

@testable import ControllerStore

@Suite struct WaitingDeliveriesTests {
    private func insert(_ db: Connection, _ number: Int, bytes: Int) throws {
        try db.execute(
            sql: """
                INSERT INTO deliveries (hook, project, source, source_name, delivery, event, headers, content_type, remote, proof,
                    body_hash, body_bytes, body, stored_bytes, compressed, received_at, state, tries, message, duplicates)
                VALUES (1, 1, 'github', '', ?, 'push', '[]', '', '', '', x'00', ?, NULL, ?, 0, 1, 'received', 0, '', 0)
                """, arguments: ["d\(number)", bytes, bytes])
    }

    /// With bodies before the state in each row, a walk over all reads the whole file: 30,000 deliveries were judged at 100 a second.
    @Test func nothingWalksAllDeliveries() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        let plans = try await database.read { db in
            try [DeliverySQL.due, DeliverySQL.waiting, DeliverySQL.sweep, DeliverySQL.dropBodies].map { sql in
                let count = sql.contains("?3") ? 3 : sql.count { $0 == "?" }
                let steps = try Row.fetchAll(
                    db, sql: "EXPLAIN QUERY PLAN " + sql,
                    arguments: StatementArguments(Array(repeating: 1, count: count)))
                return steps.map { $0["detail"] as String }
            }
        }
        #expect(plans.joined().contains { $0.contains("deliveries_retry") })
        for plan in plans {
            #expect(
                plan.contains { $0.hasPrefix("SEARCH deliveries USING COVERING INDEX deliveries_state") }, "\(plan)")
            #expect(!plan.contains { $0.hasPrefix("SCAN deliveries") && !$0.contains("deliveries_retry") }, "\(plan)")
        }
        try database.close()
    }

    @Test func isFullAtItsBoundsAndHasRoomOnceSomeWereJudged() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO hooks (id, project, source, name, enabled, repository_id, repository_url, pipelines, catch_up, created_by,
                        created_at, updated_at)
                    VALUES (1, 1, 'github', 'hook', 1, '', '', '[]', 'off', '', 1, 1)
                    """)
        }
        try await database.write { db in
            let byCount = WaitingDeliveries(countMax: 3, bytesMax: 1_000_000)
            let byBytes = WaitingDeliveries(countMax: 1000, bytesMax: 300)
            for number in 0..<3 {
                #expect(try byCount.hasRoom(db, now: 1) && byBytes.hasRoom(db, now: 1))
                try insert(db, number, bytes: 100)
                byCount.added(bytes: 100)
                byBytes.added(bytes: 100)
            }
            #expect(try !byCount.hasRoom(db, now: 1) && !byBytes.hasRoom(db, now: 1))
            try db.execute(sql: "UPDATE deliveries SET state = 'judged', judged_at = 2 WHERE id = 1")
            // It is seen with the next count, which is made once a second.
            #expect(try !byCount.hasRoom(db, now: 900) && !byBytes.hasRoom(db, now: 900))
            #expect(try byCount.hasRoom(db, now: 1001) && byBytes.hasRoom(db, now: 1001))
            // Another start knows nothing and counts at once.
            let new = WaitingDeliveries(countMax: 2, bytesMax: 1_000_000)
            #expect(try !new.hasRoom(db, now: 1001))
            // A clock that was set back does not keep the door shut.
            try db.execute(sql: "UPDATE deliveries SET state = 'judged', judged_at = 2 WHERE id = 2")
            #expect(try new.hasRoom(db, now: -5000))
        }
        try database.close()
    }
}
