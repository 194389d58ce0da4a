package import ControllerCore
import GRDB

// What commands on the controller's own host ask for.
extension Database {
    /// All users, by id.
    package func userRows() async throws -> [UserRow] {
        try await read { db in
            try db.all("SELECT \(UserRow.columns) FROM users ORDER BY id LIMIT 10000") { UserRow(&$0) }
        }
    }

    /// The library that this program uses.
    package static func sqliteVersion() throws -> String {
        let queue = try DatabaseQueue()
        return try queue.read { db in try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "unknown" }
    }
}
