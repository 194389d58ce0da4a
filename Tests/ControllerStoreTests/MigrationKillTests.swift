import Foundation
import GRDB
import TestSupport
import Testing

@testable import ControllerStore

/// Row 38 of the fault matrix: the process dies in the middle of a migration.
@Suite struct MigrationKillTests {
    /// The files as a kill -9 leaves them: what SQLite has written is there, what it still held in memory is not.
    private static func copy(_ from: String, to: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: to, withIntermediateDirectories: true)
        for name in ["ansflow.db", "ansflow.db-wal"] where files.fileExists(atPath: "\(from)/\(name)") {
            try files.copyItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
        }
    }

    /// Behind every statement and every commit of every version.
    @Test func aKillAtEachStatementLosesNothing() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try MigrationTests.old(scratch)
        let whole = scratch.path + "/whole"
        try Self.copy(scratch.path, to: whole)
        let points = try Self.migrate(whole, copies: scratch.path)
        var versions: Set<Int> = []
        let expected = try await Self.contents(whole)
        #expect(points.count > 150, "\(points.count)")
        let step = Binaries.isFull ? 1 : 9
        for (number, point) in points.enumerated() where number % step == 0 || number == points.count - 1 {
            versions.insert(try await DatabaseQueue(path: point + "/ansflow.db").read { try Schema.version($0) })
            let found = try await Self.contents(point)
            #expect(found == expected, "statement \(number)")
            try FileManager.default.removeItem(atPath: point)
        }
        #expect(versions.count > Schema.newest / 2, "each version was left behind by some: \(versions.sorted())")
    }

    /// Migrates, and copies the files behind each statement; gives the copies.
    private static func migrate(_ directory: String, copies: String) throws -> [String] {
        var points: [String] = []
        let pool = try DatabasePool(path: directory + "/ansflow.db")
        try pool.writeWithoutTransaction { db in
            // So that a transaction that has not ended is in the file already, as a large one's would be.
            try db.execute(sql: "PRAGMA cache_size = 1")
            try Schema.migrate(db) {
                let point = "\(copies)/\(points.count)"
                try copy(directory, to: point)
                points.append(point)
            }
        }
        try pool.close()
        return points
    }

    private struct Contents: Equatable {
        var snapshot: String
        var tables: String
        var counts: [String]
    }

    /// Opens as the controller does, which brings it to the newest version, and reads everything that a version could have lost.
    private static func contents(_ directory: String) async throws -> Contents {
        let database = try Scratch.open(directory)
        #expect(try await database.quickCheck() == [])
        let snapshot = "\(try await database.load())"
        let (tables, counts) = try await database.pool.read { db -> (String, [String]) in
            let schema = try String.fetchAll(
                db, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
            let names = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL ORDER BY name")
            let counts = try names.map { name in
                "\(name) \(try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(name)\"") ?? -1)"
            }
            return (schema.joined(separator: "\n"), counts)
        }
        try database.close()
        return Contents(snapshot: snapshot, tables: tables, counts: counts)
    }

    /// The program itself, killed wherever it happens to be.
    @Test func aKilledProgramGoesOnAtItsNextStart() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try MigrationTests.old(scratch)
        try await DatabaseQueue(path: scratch.path + "/ansflow.db").write { db in
            // Enough that the newer versions' indexes take a while.
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
                    INSERT INTO runs (id, project, pipeline, pipeline_name, pipeline_version, number, event, ref, branch, tag,
                        "commit", inputs, priority, actor, created_at, seq, deadline, phase, outcome)
                    SELECT i, 1, 1, 'p1', 1, i, 'manual', '', '', '', '', '{}', 0, 'admin', i, 0, 9, 'finished', 'success'
                    FROM n;
                    UPDATE meta SET next_run = 6001;
                    """)
        }
        var versions: Set<Int> = []
        for turn in 0..<(Binaries.isFull ? 60 : 8) {
            let copy = "\(scratch.path)/copy-\(turn)"
            try Self.copy(scratch.path, to: copy)
            let arguments = ["user", "list", "--data-dir", copy]
            let program = try ChildProcess(Binaries.controller, arguments)
            usleep(UInt32.random(in: 20_000...400_000))
            program.destroy()
            try versions.insert(
                await DatabaseQueue(path: copy + "/ansflow.db").read { try Schema.version($0) })
            let again = try ChildProcess.run(Binaries.controller, arguments)
            #expect(again.code == 0, "\(again)")
            let database = try Scratch.open(copy)
            #expect(try await database.quickCheck() == [])
            #expect(try await database.pragma("user_version") == "\(Schema.newest)")
            let count = try await database.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM runs") }
            #expect(count == 5_993)
            try database.close()
            try FileManager.default.removeItem(atPath: copy)
        }
        print("killed programs left versions \(versions.sorted())")
    }
}
