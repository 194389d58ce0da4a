import GRDB

/// Rows of other tables that belong to one row, as the schema's references say: whoever adds a table need not tell this.
struct OwnedRows {
    /// Rows of one table, by a condition with one question mark for the owner's id.
    struct Part: Equatable {
        let table: String
        /// Columns that tell a row.
        let key: String
        let condition: String
    }

    /// In an order in which they can be deleted: what refers comes before what it refers to.
    private(set) var parts: [Part] = []

    /// - Parameters:
    ///   - table: the owner's.
    ///   - except: tables whose rows are removed in another way.
    init(_ db: Connection, of table: String, except: Set<String>) throws {
        try add(db, table, "\(table.quotedDatabaseIdentifier).id = ?", except.union([table]))
    }

    private mutating func add(_ db: Connection, _ table: String, _ condition: String, _ passed: Set<String>) throws {
        let references = try db.all(
            """
            SELECT m.name, f."from", coalesce(f."to", 'id') FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
            WHERE m.type = 'table' AND f."table" = ? ORDER BY m.name, f."from"
            """, { $0.add(table) }
        ) { ($0.text(), $0.text().quotedDatabaseIdentifier, $0.text().quotedDatabaseIdentifier) }
        for (child, column, parent) in references where !passed.contains(child) {
            let name = child.quotedDatabaseIdentifier
            let owners = "SELECT \(parent) FROM \(table.quotedDatabaseIdentifier) WHERE \(condition)"
            let owned = "\(name).\(column) IN (\(owners))"
            try add(db, child, owned, passed.union([child]))
            let keys = try db.all(
                "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", { $0.add(child) }
            ) { $0.text().quotedDatabaseIdentifier }
            let part = Part(
                table: name, key: keys.isEmpty ? "rowid" : keys.joined(separator: ", "), condition: owned)
            if !parts.contains(part) { parts.append(part) }
        }
    }

    /// Keeps the rows of one table.
    mutating func leave(_ table: String) { parts.removeAll { $0.table == table.quotedDatabaseIdentifier } }

    /// Deletes at most `limit` rows. Gives how many that were.
    func delete(_ db: Connection, owner: Int64, limit: Int) throws -> Int {
        var left = limit
        for part in parts {
            try db.run(
                """
                DELETE FROM \(part.table) WHERE (\(part.key)) IN
                    (SELECT \(part.key) FROM \(part.table) WHERE \(part.condition) LIMIT ?)
                """
            ) {
                $0.add(owner)
                $0.add(left)
            }
            left -= db.changesCount
            if left <= 0 { break }
        }
        return limit - left
    }
}
