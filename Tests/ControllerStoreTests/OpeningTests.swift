import ControllerCore
import Foundation
import GRDB
import Logging
import Testing

@testable import ControllerStore

@Suite struct OpeningTests {
    @Test func theWriterKeepsItsPromises() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        #expect(try await database.pragma("synchronous") == "2")
        #expect(try await database.pragma("journal_mode") == "wal")
        #expect(try await database.pragma("foreign_keys") == "1")
        #expect(try await database.pragma("wal_autocheckpoint") == "4000")
        #expect(try await database.quickCheck() == [])
        let queryOnly = try await database.read { db in try Int.fetchOne(db, sql: "PRAGMA query_only") }
        #expect(queryOnly == 1)
    }

    @Test func filesBelongToTheOwnerAlone() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        for name in ["ansflow.db", "ansflow.db-wal", "lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + "/" + name)
            #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o077 } == 0, "\(name)")
        }
    }

    @Test func whyADirectoryCannotBeUsedIsSaidInWords() throws {
        let error = #expect(throws: StoreFailure.self) {
            try Database.open(directory: "/proc/none/data", logger: Logger(label: "test"))
        }
        #expect(error.map { "\($0)" }?.contains("can't be made: No such file or directory. Check") == true)
    }

    @Test func aSecondOpenIsRefusedAndNamesTheHolder() throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let first = try scratch.open()
        let error = #expect(throws: StoreFailure.self) { try scratch.open() }
        guard case .locked(let text) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(text.contains("process \(getpid())"))
        try first.close()
        try scratch.open().close()
    }

    @Test func aNewerSchemaIsRefusedAndTheDirectoryIsFreeAgain() throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try database.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
        try database.close()
        for _ in 0..<2 {
            let error = #expect(throws: StoreFailure.self) { try scratch.open() }
            guard case .newerSchema(let text) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains("99"))
        }
    }

    @Test func whatWasCommittedIsThereAfterAnotherOpen() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        var database = try scratch.open()
        try await database.seed()
        let before = try await database.load()
        try database.close()
        database = try scratch.open()
        #expect(try await database.load() == before)
        #expect(before.generation == 1)
    }

    @Test func aMissingParentIsAnErrorThatSaysSo() {
        #expect(throws: StoreFailure.self) {
            try Database.open(directory: "/nonexistent/a/b", logger: Logger(label: "test"))
        }
    }
}
