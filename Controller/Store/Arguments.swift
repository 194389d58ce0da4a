import AnsFlowProtocol
import Foundation
import GRDB

typealias Connection = GRDB.Database

/// The values of one statement, in the order of its question marks.
struct Arguments {
    private(set) var values: [DatabaseValue] = []

    mutating func add(_ value: Int64?) { values.append(value?.databaseValue ?? .null) }
    mutating func add(_ value: Int) { values.append(Int64(value).databaseValue) }
    mutating func add(_ value: Int32?) { values.append(value.map { Int64($0).databaseValue } ?? .null) }
    mutating func add(_ value: String?) { values.append(value?.databaseValue ?? .null) }
    mutating func add(_ value: Bool) { values.append((value ? 1 : 0).databaseValue) }
    mutating func add(_ value: [UInt8]) { values.append(Data(value).databaseValue) }
    mutating func add(_ value: (some Identifier)?) { values.append(value?.rawValue.databaseValue ?? .null) }
    mutating func add(_ value: (some RawRepresentable<String>)?) {
        values.append(value?.rawValue.databaseValue ?? .null)
    }
    /// SQLite knows signed numbers only: the bits are kept, so that any value comes back as it was.
    mutating func add(_ value: UInt64?) {
        values.append(value.map { Int64(bitPattern: $0).databaseValue } ?? .null)
    }
    mutating func add(_ value: [String: String]) { values.append(StoredJSON.text(value).databaseValue) }
    mutating func add(_ value: [String]) { values.append(StoredJSON.text(value).databaseValue) }
}

extension Connection {
    /// Runs a statement that is prepared once per connection.
    func run(_ sql: String, _ fill: (inout Arguments) -> Void) throws {
        var arguments = Arguments()
        fill(&arguments)
        let statement = try cachedStatement(sql: sql)
        statement.setUncheckedArguments(StatementArguments(arguments.values))
        try statement.execute()
    }

    /// Calls `body` with each row, which is valid during the call only.
    func each(_ sql: String, _ fill: (inout Arguments) -> Void = { _ in }, _ body: (inout Columns) throws -> Void)
        throws
    {
        var arguments = Arguments()
        fill(&arguments)
        let statement = try cachedStatement(sql: sql)
        let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments.values))
        while let row = try cursor.next() {
            var columns = Columns(row)
            try body(&columns)
        }
    }

    func all<Item>(
        _ sql: String, _ fill: (inout Arguments) -> Void = { _ in }, _ read: (inout Columns) throws -> Item
    ) throws -> [Item] {
        var items: [Item] = []
        try each(sql, fill) { columns in items.append(try read(&columns)) }
        return items
    }

    func first<Item>(
        _ sql: String, _ fill: (inout Arguments) -> Void = { _ in }, _ read: (inout Columns) throws -> Item
    ) throws -> Item? {
        var arguments = Arguments()
        fill(&arguments)
        let statement = try cachedStatement(sql: sql)
        let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments.values))
        guard let row = try cursor.next() else { return nil }
        var columns = Columns(row)
        return try read(&columns)
    }
}
