import AnsFlowProtocol
import ControllerCore
import GRDB
import Testing

@testable import ControllerStore

@Suite struct AuditTests {
    private func entry(_ number: Int) -> AuditEntry {
        AuditEntry(
            at: Int64(1000 + number), actor: .user, name: "u\(number % 3)", actorID: 1, operation: "op\(number % 2)",
            objectType: "pipeline", objectID: "\(number)", project: number % 2 == 0 ? .main : nil,
            result: number % 4 == 0 ? .refused : .success, status: 200, fields: ["name", "ref"], detail: "d",
            remote: "192.0.2.\(number)", requestID: "r\(number)")
    }

    private func filled(_ scratch: Scratch, _ count: Int) async throws -> Database {
        let database = try scratch.open()
        for number in 1...count { try await database.record(entry(number)) }
        return database
    }

    /// Changes the file behind the program's back, as somebody with rights on the host can.
    private func tamper(_ scratch: Scratch, _ sql: String) throws {
        let queue = try DatabaseQueue(path: scratch.path + "/ansflow.db")
        try queue.writeWithoutTransaction { db in
            for trigger in ["audit_log_kept", "audit_log_whole", "audit_log_next"] {
                try db.execute(sql: "DROP TRIGGER IF EXISTS \(trigger)")
            }
            try db.execute(sql: sql)
        }
        try queue.close()
    }

    @Test func whatIsWrittenIsReadAndHolds() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try await filled(scratch, 20)
        let rows = try await database.entries(AuditFilter(), after: 0, before: nil, limit: 100)
        #expect(rows.map(\.id) == Array(1...20))
        #expect(rows.map(\.entry) == (1...20).map { entry($0) })
        let verdict = try await database.verify(nil)
        #expect(verdict.fault == nil && verdict.checked == 20 && verdict.headID == 20)
        let head = try await database.head()
        #expect(head.id == 20 && head.hash == Hex.text(rows[19].hash))
    }

    @Test func filtersAndPagesNarrow() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try await filled(scratch, 20)
        var filter = AuditFilter()
        filter.user = "u1"
        filter.operation = "op1"
        let mine = try await database.entries(filter, after: nil, before: nil, limit: 100)
        #expect(mine.map(\.id) == [19, 13, 7, 1])
        let next = try await database.entries(filter, after: 1, before: nil, limit: 2)
        #expect(next.map(\.id) == [7, 13])
        let before = try await database.entries(filter, after: nil, before: 13, limit: 1)
        #expect(before.map(\.id) == [7])
        filter = AuditFilter()
        filter.objectType = "pipeline"
        filter.objectID = "5"
        filter.since = 1005
        filter.until = 1005
        #expect(try await database.entries(filter, after: nil, before: nil, limit: 9).map(\.id) == [5])
        filter = AuditFilter()
        filter.project = .main
        filter.result = .refused
        #expect(try await database.entries(filter, after: nil, before: nil, limit: 9).map(\.id) == [20, 16, 12, 8, 4])
    }

    @Test(arguments: [
        "UPDATE audit_log SET name = 'other' WHERE id = 7", "UPDATE audit_log SET at = at + 1 WHERE id = 7",
        "UPDATE audit_log SET project = 5 WHERE id = 7", "UPDATE audit_log SET fields = '[]' WHERE id = 7",
        "UPDATE audit_log SET result = 'failed' WHERE id = 7", "UPDATE audit_log SET remote = '' WHERE id = 7",
        "DELETE FROM audit_log WHERE id = 7",
    ])
    func anAlteredRowIsNamed(_ sql: String) async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try await filled(scratch, 12).close()
        try tamper(scratch, sql)
        let database = try scratch.open()
        let verdict = try await database.verify(nil)
        #expect(verdict.brokenID == 7)
        #expect(verdict.fault?.contains("7") == true)
    }

    @Test func deletedLastRowsAreFound() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try await filled(scratch, 12).close()
        try tamper(scratch, "DELETE FROM audit_log WHERE id > 9")
        let database = try scratch.open()
        let verdict = try await database.verify(nil)
        #expect(verdict.brokenID == 10)
        #expect(verdict.headID == 12)
    }

    /// Who also changes the head is found by the hash that was noted elsewhere.
    @Test func aHeadThatWasNotedHolds() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let first = try await filled(scratch, 12)
        let noted = try await first.head()
        try first.close()
        try tamper(
            scratch,
            """
            DELETE FROM audit_log WHERE id > 9;
            UPDATE audit_head SET id = 9, hash = (SELECT hash FROM audit_log WHERE id = 9);
            """)
        let database = try scratch.open()
        #expect(try await database.verify(nil).fault == nil)
        #expect(try await database.verify(noted).brokenID == 10)
        for number in 10...12 { try await database.record(entry(number + 50)) }
        #expect(try await database.verify(nil).fault == nil)
        #expect(try await database.verify(noted).brokenID == 12)
    }

    @Test func theTableItselfRefusesChanges() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try await filled(scratch, 3)
        for sql in [
            "UPDATE audit_log SET name = 'x'", "DELETE FROM audit_log",
            """
            INSERT INTO audit_log SELECT 9, at, actor, name, actor_id, key, operation, object_type, object_id, project,
            result, status, fields, detail, remote, request, hash FROM audit_log WHERE id = 1
            """,
        ] {
            await #expect(throws: (any Error).self) { try await database.write { db in try db.execute(sql: sql) } }
        }
        #expect(try await database.verify(nil).fault == nil)
    }

    /// Many at once, beside commits of the engine: all are there, in one chain, with fewer transactions than acts.
    @Test func actsSideBySideShareTransactions() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...200 { group.addTask { try await database.record(entry(number)) } }
            for clock in 1...20 { group.addTask { try await database.commit(batch(clock: Int64(clock))) } }
            try await group.waitForAll()
        }
        let rows = try await database.entries(AuditFilter(), after: 0, before: nil, limit: 1000)
        #expect(Set(rows.map(\.entry.objectID)) == Set((1...200).map(String.init)))
        #expect(try await database.verify(nil).fault == nil)
    }

    @Test func aRunsEntryIsInItsOwnTransaction() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        var good = batch()
        good.runs = [bareRun(1_000_001)]
        good.counters.run = 1_000_002
        good.plans = [RunID(1_000_001): plan()]
        good.audit = [entry(1)]
        try await database.commit(good)
        #expect(try await database.head().id == 1)
        var bad = batch()
        bad.counters.run = 1_000_003
        bad.runs = [bareRun(1_000_009)]
        bad.audit = [entry(2)]
        await #expect(throws: CommitFailure.self) { try await database.commit(bad) }
        #expect(try await database.head().id == 1)
    }

    @Test func textsAreCut() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        var long = entry(1)
        long.name = String(repeating: "ä", count: 10_000)
        long.detail = String(repeating: "x", count: 1_000_000)
        long.fields = (0..<1000).map { "f\($0)" }
        try await database.record(long)
        let row = try #require(try await database.entries(AuditFilter(), after: 0, before: nil, limit: 1).first)
        #expect(row.entry.name.utf8.count <= AuditEntry.nameBytesMax + 3)
        #expect(row.entry.detail.utf8.count == AuditEntry.detailBytesMax)
        #expect(row.entry.fields.count == AuditEntry.fieldsMax)
        #expect(try await database.verify(nil).fault == nil)
    }
}
