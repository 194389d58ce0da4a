import ControllerCore
import GRDB
import Testing

@testable import ControllerStore

/// What a commit costs must not grow with what is stored.
@Suite struct WalkTests {
    /// SQLite's programs of the statements that every commit consists of, which also hold what references and triggers add.
    @Test(arguments: [
        RunRow.upsert, JobRow.upsert, StepRow.upsert, JobAttemptRow.upsert, AttemptRow.upsert, EventRow.insert,
    ])
    func noStatementOfACommitWalksATable(_ sql: String) throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try scratch.open().close()
        let queue = try DatabaseQueue(path: scratch.path + "/ansflow.db")
        let walked = try queue.read { db in
            let tables = try Row.fetchAll(db, sql: "SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
            let names = Dictionary(uniqueKeysWithValues: tables.map { ($0["rootpage"] as Int, $0["name"] as String) })
            let values = StatementArguments(repeatElement(nil as Int?, count: sql.count { $0 == "?" }))
            var cursors: [Int: String] = [:]
            var walked: Set<String> = []
            for operation in try Row.fetchAll(db, sql: "EXPLAIN " + sql, arguments: values) {
                let cursor: Int = operation["p1"]
                switch operation["opcode"] as String {
                case "OpenRead", "OpenWrite": cursors[cursor] = names[operation["p2"]]
                case "Rewind", "Last": walked.formUnion(cursors[cursor].map { [$0] } ?? [])
                default: break
                }
            }
            return walked
        }
        try queue.close()
        // It has one row.
        #expect(walked.subtracting(["meta"]) == [])
    }
}
