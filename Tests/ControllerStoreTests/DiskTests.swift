import AnsFlowProtocol
import ControllerCore
import Foundation
import GRDB
import Glibc
import Logging
import Testing

@testable import ControllerStore

@Suite struct DiskTests {
    private func big(_ id: Int64) -> CommitBatch {
        var batch = batch(counters: id + 1)
        var run = bareRun(id)
        run.message = String(repeating: "x", count: 40_000)
        batch.plans = [run.id: plan()]
        batch.runs = [run]
        return batch
    }

    /// Commits until the disk says no; the number of commits that were made.
    private func fill(_ database: Database) async throws -> Int64 {
        for id in 1...5000 {
            do throws(CommitFailure) {
                try await database.commit(big(Int64(id)))
            } catch {
                guard case .disk = error else { throw error }
                return Int64(id - 1)
            }
        }
        Issue.record("the disk never became full")
        return 0
    }

    private func isWhole(_ database: Database, upTo last: Int64) async throws {
        let snapshot = try await database.load()
        #expect(snapshot.runs.map(\.row.id.rawValue) == Array(1...last))
        #expect(snapshot.counters.run == last + 1)
        let check = try await database.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
        #expect(check == ["ok"])
    }

    @Test func aFullDatabaseIsADiskFailureAndHeals() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        _ = try await database.pragma("max_page_count = 200")
        let last = try await fill(database)
        try await isWhole(database, upTo: last)
        _ = try await database.pragma("max_page_count = 100000")
        try await database.commit(big(last + 1))
        try await isWhole(database, upTo: last + 1)
    }

    @Test func aFullDiskIsADiskFailureAndHeals() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let point = scratch.path + "/disk"
        mkdir(point, 0o700)
        guard mount("tmpfs", point, "tmpfs", 0, "size=3m") == 0 else {
            try Test.cancel("mounting a small tmpfs needs root (errno \(errno))")
        }
        defer { umount2(point, Int32(MNT_DETACH)) }
        let database = try Database.open(directory: point, logger: Logger(label: "test"), now: { 1 })
        try await database.seed()
        let ballast = point + "/ballast"
        _ = FileManager.default.createFile(atPath: ballast, contents: Data(count: 1_000_000))
        let last = try await fill(database)
        try await isWhole(database, upTo: last)
        try FileManager.default.removeItem(atPath: ballast)
        try await database.commit(big(last + 1))
        try await isWhole(database, upTo: last + 1)
        try database.close()
    }

    @Test func failuresAreSortedByWhatMustBeDone() {
        func sorted(_ code: ResultCode) -> CommitFailure { CommitFailure(stopping: DatabaseError(resultCode: code)) }
        for code: ResultCode in [.SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC] {
            guard case .fsync = sorted(code) else {
                Issue.record("\(code)")
                continue
            }
        }
        for code: ResultCode in [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_IOERR_WRITE, .SQLITE_READONLY, .SQLITE_CANTOPEN] {
            guard case .disk = sorted(code) else {
                Issue.record("\(code)")
                continue
            }
        }
        for code: ResultCode in [.SQLITE_CONSTRAINT_UNIQUE, .SQLITE_BUSY, .SQLITE_CORRUPT, .SQLITE_MISUSE] {
            guard case .refused = sorted(code) else {
                Issue.record("\(code)")
                continue
            }
        }
    }
}
