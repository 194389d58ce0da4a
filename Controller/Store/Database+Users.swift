import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: UserRepository {
    package func users(
        text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<UserRow> {
        let range = PageRange(page: page, perPage: perPage)
        let part = LikePattern.part(text ?? "")
        return try await read { db in
            let match = "name LIKE ? ESCAPE '\\'"
            let total = try db.first("SELECT count(*) FROM users WHERE \(match)", { $0.add(part) }) { $0.int() } ?? 0
            let items = try db.all(
                "SELECT \(UserRow.columns) FROM users WHERE \(match) ORDER BY \(order.sql) LIMIT ? OFFSET ?",
                {
                    $0.add(part)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { UserRow(&$0) }
            return Page(items: items, total: total)
        }
    }

    package func createUser(_ row: UserRow, key: String?) async throws -> UserRow {
        let made = try await write { db in
            if let known = try MadeOnce.find(db, key, "user", now: row.createdAt),
                let user = try Self.user(db, UserID(known))
            {
                return user
            }
            let holder = try db.first("SELECT 1 FROM users WHERE name = ? COLLATE NOCASE", { $0.add(row.name) }) {
                $0.bool()
            }
            guard holder == nil else { throw PeopleChange.nameTaken }
            let user = try Self.insert(db, row)
            try MadeOnce.note(db, key, "user", user.id.rawValue, now: row.createdAt)
            return user
        }
        accessChanged()
        return made
    }

    package func changeUser(
        _ id: UserID, _ edit: UserEdit, passwordHash: String?, expected: Int?, at: Int64
    ) async throws -> UserRow {
        let changed = try await write { db in
            var row = try Self.known(db, id, expected)
            row.isAdministrator = edit.isAdministrator ?? row.isAdministrator
            row.disabled = edit.disabled ?? row.disabled
            row.passwordHash = passwordHash ?? row.passwordHash
            row.version += 1
            row.updatedAt = at
            try db.run(
                """
                UPDATE users SET is_administrator = ?, disabled = ?, password_hash = ?, version = ?, updated_at = ?
                WHERE id = ?
                """
            ) {
                $0.add(row.isAdministrator)
                $0.add(row.disabled)
                $0.add(row.passwordHash)
                $0.add(row.version)
                $0.add(at)
                $0.add(id)
            }
            if row.disabled || passwordHash != nil { try Self.endSessions(db, of: id, keep: nil) }
            try Self.checkAdministrators(db)
            return row
        }
        accessChanged()
        return changed
    }

    package func deleteUser(_ id: UserID, expected: Int?) async throws {
        try await write { db in
            _ = try Self.known(db, id, expected)
            for statement in [
                "DELETE FROM spent_refreshes WHERE session IN (SELECT id FROM login_sessions WHERE user = ?)",
                "DELETE FROM login_sessions WHERE user = ?", "DELETE FROM api_keys WHERE user = ?",
                "DELETE FROM members WHERE user = ?", "DELETE FROM users WHERE id = ?",
            ] {
                try db.run(statement) { $0.add(id) }
            }
            try Self.checkAdministrators(db)
        }
        accessChanged()
    }

    package func changePassword(_ hash: String, of user: UserID, keep: Int64?, at: Int64) async throws {
        try await write { db in
            _ = try Self.known(db, user, nil)
            try db.run("UPDATE users SET password_hash = ?, version = version + 1, updated_at = ? WHERE id = ?") {
                $0.add(hash)
                $0.add(at)
                $0.add(user)
            }
            try Self.endSessions(db, of: user, keep: keep)
        }
        accessChanged()
    }

    package func liveSessions(of user: UserID, now: Int64) async throws -> [LoginSessionRow] {
        try await read { db in
            try db.all(
                """
                SELECT \(LoginSessionRow.columns) FROM login_sessions
                WHERE user = ? AND revoked = 0 AND expires_at > ? ORDER BY id DESC LIMIT 1000
                """,
                {
                    $0.add(user)
                    $0.add(now)
                }
            ) { try LoginSessionRow(&$0) }
        }
    }

    package func endSession(_ id: Int64, of user: UserID) async throws -> Bool {
        let ended = try await write { db in
            try db.run("UPDATE login_sessions SET revoked = 1 WHERE id = ? AND user = ? AND revoked = 0") {
                $0.add(id)
                $0.add(user)
            }
            return db.changesCount == 1
        }
        if ended { accessChanged() }
        return ended
    }

    package func allKeys() async throws -> [OwnedKey] {
        try await read { db in
            try db.all(
                """
                SELECT \(APIKeyRow.columns), (SELECT name FROM users WHERE id = api_keys.user)
                FROM api_keys ORDER BY id LIMIT 10000
                """
            ) { columns in
                let row = try APIKeyRow(&columns)
                return OwnedKey(row: row, userName: columns.text())
            }
        }
    }

    private static func user(_ db: Connection, _ id: UserID) throws -> UserRow? {
        try db.first("SELECT \(UserRow.columns) FROM users WHERE id = ?", { $0.add(id) }) { UserRow(&$0) }
    }

    private static func known(_ db: Connection, _ id: UserID, _ expected: Int?) throws -> UserRow {
        guard let row = try user(db, id) else { throw PeopleChange.notFound }
        if let expected, expected != row.version { throw PeopleChange.stale(current: row.version) }
        return row
    }

    private static func endSessions(_ db: Connection, of user: UserID, keep: Int64?) throws {
        try db.run("UPDATE login_sessions SET revoked = 1 WHERE user = ? AND revoked = 0 AND id IS NOT ?") {
            $0.add(user)
            $0.add(keep)
        }
    }

    /// Somebody must be left who can log in and do everything.
    private static func checkAdministrators(_ db: Connection) throws {
        let left = try db.first("SELECT 1 FROM users WHERE is_administrator = 1 AND disabled = 0 LIMIT 1") { $0.bool() }
        guard left != nil else { throw PeopleChange.lastAdministrator }
    }
}
