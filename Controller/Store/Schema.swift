import GRDB

/// The schema's versions. Only ever append: what was shipped is never edited, since databases out there have run it.
enum Schema {
    static let migrations: [[String]] = [
        SchemaV1.people + SchemaV1.pipelines + SchemaV1.runs + SchemaV1.attempts + SchemaV1.guards,
        SchemaV2Indexes.statements,
        SchemaV3Secrets.statements,
        SchemaV3Artifacts.statements,
        SchemaV4Life.statements,
        SchemaV5Schedules.statements,
        SchemaV6References.statements,
        SchemaV10Audit.statements,
        SchemaV6People.statements,
        SchemaV7Webhooks.statements,
        SchemaV12Idempotency.statements,
        SchemaV11Analytics.statements,
        SchemaV8Notices.statements,
        SchemaV9Operator.statements,
        SchemaV13Removals.statements,
        SchemaV14DeadRules.statements,
        SchemaV15Mirrors.statements,
        SchemaV16Actors.statements,
        SchemaV17Deliveries.statements,
    ]

    static var newest: Int { migrations.count }

    static func version(_ db: Connection) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }

    /// Brings the database to the newest version, each step in a transaction of its own: a process that is killed leaves one of the
    /// versions, whole, and the next start goes on from there.
    /// - Parameter ran: Called behind each statement and each commit, for tests.
    /// - Throws: ``StoreFailure/newerSchema(_:)`` where the file is ahead of this program.
    static func migrate(_ db: Connection, ran: () throws -> Void = {}) throws {
        let current = try version(db)
        guard current <= newest else {
            throw StoreFailure.newerSchema(
                "The database has schema \(current), this AnsFlow knows up to \(newest). Start the newer AnsFlow, or restore a backup."
            )
        }
        for version in (current..<newest).map({ $0 + 1 }) {
            try db.inTransaction(.immediate) {
                for statement in migrations[version - 1] {
                    try db.execute(sql: statement)
                    try ran()
                }
                try db.execute(sql: "PRAGMA user_version = \(version)")
                try ran()
                return .commit
            }
            try ran()
        }
    }
}
