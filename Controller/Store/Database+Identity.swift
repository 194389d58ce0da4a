package import ControllerCore
import GRDB

extension Database: IdentityRepository {
    package func userCount() async throws -> Int {
        try await read { db in try db.first("SELECT count(*) FROM users") { $0.int() } ?? 0 }
    }

    package func user(named name: String) async throws -> UserRow? {
        try await read { db in
            try db.first("SELECT \(UserRow.columns) FROM users WHERE name = ?", { $0.add(name) }) { UserRow(&$0) }
        }
    }

    package func user(_ id: UserID) async throws -> UserRow? {
        try await read { db in
            try db.first("SELECT \(UserRow.columns) FROM users WHERE id = ?", { $0.add(id) }) { UserRow(&$0) }
        }
    }

    /// Throws ``CommitFailure/refused(_:)`` where the name is taken.
    package func addUser(_ row: UserRow) async throws -> UserRow {
        let stored = try await write { db in try Self.insert(db, row) }
        accessChanged()
        return stored
    }

    static func insert(_ db: Connection, _ row: UserRow) throws -> UserRow {
        try db.run(
            """
            INSERT INTO users (name, password_hash, is_administrator, disabled, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """
        ) {
            $0.add(row.name)
            $0.add(row.passwordHash)
            $0.add(row.isAdministrator)
            $0.add(row.disabled)
            $0.add(row.createdAt)
            $0.add(row.createdAt)
        }
        var stored = row
        stored.id = UserID(rawValue: db.lastInsertedRowID)
        (stored.version, stored.updatedAt) = (1, row.createdAt)
        return stored
    }

    /// Throws ``CommitFailure/refused(_:)`` where there is no such user.
    package func setPasswordHash(_ hash: String, of user: UserID) async throws {
        try await write { db in
            try db.run("UPDATE users SET password_hash = ? WHERE id = ?") {
                $0.add(hash)
                $0.add(user)
            }
            guard db.changesCount == 1 else { throw CommitFailure.refused("There is no user \(user).") }
        }
    }

    package func addAPIKey(_ row: APIKeyRow) async throws -> APIKeyRow {
        try await write { db in
            try db.run(
                """
                INSERT INTO api_keys (user, name, hash, prefix, scopes, created_at, expires_at, last_used_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
            ) {
                $0.add(row.user)
                $0.add(row.name)
                $0.add(row.hash)
                $0.add(row.prefix)
                $0.add(row.scopes)
                $0.add(row.createdAt)
                $0.add(row.expiresAt)
                $0.add(row.lastUsedAt)
            }
            var stored = row
            stored.id = db.lastInsertedRowID
            return stored
        }
    }

    package func apiKey(hash: String) async throws -> APIKeyRow? {
        try await read { db in
            try db.first("SELECT \(APIKeyRow.columns) FROM api_keys WHERE hash = ?", { $0.add(hash) }) {
                try APIKeyRow(&$0)
            }
        }
    }

    package func apiKeys(of user: UserID) async throws -> [APIKeyRow] {
        try await read { db in
            try db.all("SELECT \(APIKeyRow.columns) FROM api_keys WHERE user = ? ORDER BY id", { $0.add(user) }) {
                try APIKeyRow(&$0)
            }
        }
    }

    package func deleteAPIKey(_ id: Int64, of user: UserID) async throws -> Bool {
        try await write { db in
            try db.run("DELETE FROM api_keys WHERE id = ? AND user = ?") {
                $0.add(id)
                $0.add(user)
            }
            return db.changesCount == 1
        }
    }

    /// Exact to a minute, so that a busy key does not cost a sync of the disk with each request.
    package func touchAPIKey(_ id: Int64, at: Int64) async throws {
        let stale = try await read { db in
            try db.first(
                "SELECT 1 FROM api_keys WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)",
                {
                    $0.add(id)
                    $0.add(at - 60_000)
                }
            ) { $0.bool() }
        }
        guard stale != nil else { return }
        try await write { db in
            try db.run("UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?") {
                $0.add(at)
                $0.add(id)
            }
        }
    }
}

extension UserRow {
    static let columns = "id, name, password_hash, is_administrator, disabled, created_at, version, updated_at"

    init(_ columns: inout Columns) {
        self.init(
            id: columns.id(), name: columns.text(), passwordHash: columns.text(), isAdministrator: columns.bool(),
            disabled: columns.bool(), createdAt: columns.int64(), version: columns.int(),
            updatedAt: columns.int64())
    }
}

extension APIKeyRow {
    static let columns = "id, user, name, hash, prefix, scopes, created_at, expires_at, last_used_at"

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.int64(), user: columns.id(), name: columns.text(), hash: columns.text(),
            prefix: columns.text(), scopes: try columns.list(), createdAt: columns.int64(),
            expiresAt: columns.int64OrNil(), lastUsedAt: columns.int64OrNil())
    }
}
