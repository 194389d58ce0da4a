package import ControllerCore
import GRDB

extension Database {
    package func addSession(_ row: LoginSessionRow) async throws -> LoginSessionRow {
        try await write { db in
            try db.run(
                """
                INSERT INTO login_sessions
                    (user, refresh_hash, created_at, expires_at, revoked, remote, kind, last_used_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
            ) {
                $0.add(row.user)
                $0.add(row.refreshHash)
                $0.add(row.createdAt)
                $0.add(row.expiresAt)
                $0.add(row.revoked)
                $0.add(row.remote)
                $0.add(row.kind)
                $0.add(row.lastUsedAt)
            }
            var stored = row
            stored.id = db.lastInsertedRowID
            try Self.addSpent(db, stored.id, stored.spentHashes)
            return stored
        }
    }

    package func session(_ id: Int64) async throws -> LoginSessionRow? {
        try await read { db in try Self.session(db, id) }
    }

    /// By its present hash or by one that it has spent: the caller sees which.
    package func session(refreshHash: String) async throws -> LoginSessionRow? {
        try await read { db in
            let id = try db.first(
                """
                SELECT id FROM login_sessions WHERE refresh_hash = ?1
                UNION ALL SELECT session FROM spent_refreshes WHERE hash = ?1 LIMIT 1
                """, { $0.add(refreshHash) }
            ) { $0.int64() }
            return try id.flatMap { try Self.session(db, $0) }
        }
    }

    /// Spent hashes are only ever added, and what was revoked stays so. Of two refreshes with the same hash the second
    /// throws ``CommitFailure/refused(_:)``: it does not know the hash that the first one left.
    package func updateSession(_ row: LoginSessionRow) async throws {
        try await write { db in
            guard let stored = try Self.session(db, row.id) else {
                throw CommitFailure.refused("There is no login session \(row.id).")
            }
            guard stored.refreshHash == row.refreshHash || row.spentHashes.contains(stored.refreshHash) else {
                throw CommitFailure.refused("The session was refreshed by another request meanwhile. Log in again.")
            }
            try db.run(
                """
                UPDATE login_sessions SET refresh_hash = ?, expires_at = ?, revoked = max(revoked, ?), remote = ?,
                    last_used_at = ?
                WHERE id = ?
                """
            ) {
                $0.add(row.refreshHash)
                $0.add(row.expiresAt)
                $0.add(row.revoked)
                $0.add(row.remote)
                $0.add(row.lastUsedAt)
                $0.add(row.id)
            }
            let known = Set(stored.spentHashes)
            try Self.addSpent(db, row.id, row.spentHashes.filter { !known.contains($0) })
        }
    }

    package func revokeSessions(of user: UserID) async throws {
        try await write { db in
            try db.run("UPDATE login_sessions SET revoked = 1 WHERE user = ? AND revoked = 0") { $0.add(user) }
        }
        accessChanged()
    }

    package func touchSession(_ id: Int64, at: Int64) async throws {
        try await write { db in
            try db.run("UPDATE login_sessions SET last_used_at = max(last_used_at, ?) WHERE id = ?") {
                $0.add(at)
                $0.add(id)
            }
        }
    }

    private static func session(_ db: Connection, _ id: Int64) throws -> LoginSessionRow? {
        let row = try db.first(
            """
            SELECT \(LoginSessionRow.columns) FROM login_sessions WHERE id = ?
            """, { $0.add(id) }
        ) { try LoginSessionRow(&$0) }
        guard var row else { return nil }
        row.spentHashes = try db.all(
            "SELECT hash FROM spent_refreshes WHERE session = ? ORDER BY place", { $0.add(id) }
        ) { $0.text() }
        return row
    }

    private static func addSpent(_ db: Connection, _ session: Int64, _ hashes: [String]) throws {
        for hash in hashes {
            try db.run(
                """
                INSERT INTO spent_refreshes (session, place, hash)
                VALUES (?1, (SELECT coalesce(max(place), 0) + 1 FROM spent_refreshes WHERE session = ?1), ?2)
                """
            ) {
                $0.add(session)
                $0.add(hash)
            }
        }
    }
}

extension LoginSessionRow {
    static let columns = "id, user, refresh_hash, created_at, expires_at, revoked, remote, kind, last_used_at"

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.int64(), user: columns.id(), refreshHash: columns.text(), createdAt: columns.int64(),
            expiresAt: columns.int64(), revoked: columns.bool(), remote: columns.text(), kind: try columns.word(),
            lastUsedAt: columns.int64())
    }
}
