package import ControllerCore
import GRDB

extension Database: SecretRepository {
    package func secrets(of project: ProjectID, environment: String?) async throws -> [SecretRow] {
        let match = environment == nil ? "" : "AND environment = ?"
        return try await read { db in
            try db.all(
                """
                SELECT \(SecretRow.columns), x'' FROM secrets WHERE project = ? \(match) ORDER BY environment, name
                """,
                {
                    $0.add(project)
                    if let environment { $0.add(environment) }
                }
            ) { SecretRow(&$0) }
        }
    }

    package func sealedSecrets(
        of project: ProjectID, environment: String, names: Set<String>
    ) async throws -> [SecretRow] {
        try await read { db in
            var rows: [SecretRow] = []
            for name in names.sorted() {
                rows += try db.all(
                    """
                    SELECT \(SecretRow.columns), sealed FROM secrets
                    WHERE project = ? AND environment IN ('', ?) AND name = ?
                    """,
                    {
                        $0.add(project)
                        $0.add(environment)
                        $0.add(name)
                    }
                ) { SecretRow(&$0) }
            }
            return rows
        }
    }

    package func putSecret(
        _ row: SecretRow, mode: SecretPut,
        seal: @escaping @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> SecretRow {
        try await write { db in
            var stored = row
            if let old = try Self.secret(db, row) {
                if case .create = mode { throw SecretChange.exists }
                if case .replaceVersion(let expected) = mode, expected != old.version {
                    throw SecretChange.stale(current: old.version)
                }
                stored.id = old.id
                stored.version = old.version + 1
                stored.createdAt = old.createdAt
            } else {
                if case .replace = mode { throw SecretChange.notFound }
                if case .replaceVersion = mode { throw SecretChange.stale(current: 0) }
                try Self.checkRoom(db, row.project)
                stored.version = 1
                try Self.insert(db, &stored)
            }
            (stored.keyID, stored.sealed) = try seal(stored)
            try db.run(
                """
                UPDATE secrets SET version = ?, key_id = ?, sealed = ?, updated_by = ?, updated_at = ? WHERE id = ?
                """
            ) {
                $0.add(stored.version)
                $0.add(stored.keyID)
                $0.add(stored.sealed)
                $0.add(stored.updatedBy)
                $0.add(stored.updatedAt)
                $0.add(stored.id)
            }
            return stored
        }
    }

    package func deleteSecret(
        _ name: String, of project: ProjectID, environment: String, expected: Int?
    ) async throws -> Bool {
        try await write { db in
            if let expected {
                let current = try db.first(
                    "SELECT version FROM secrets WHERE project = ? AND environment = ? AND name = ?",
                    {
                        $0.add(project)
                        $0.add(environment)
                        $0.add(name)
                    }
                ) { $0.int() }
                if let current, current != expected { throw SecretChange.stale(current: current) }
            }
            try db.run("DELETE FROM secrets WHERE project = ? AND environment = ? AND name = ?") {
                $0.add(project)
                $0.add(environment)
                $0.add(name)
            }
            return db.changesCount == 1
        }
    }

    package func secretsByKey() async throws -> [String: Int] {
        try await read { db in
            let pairs = try db.all("SELECT key_id, count(*) FROM secrets GROUP BY key_id") { ($0.text(), $0.int()) }
            return Dictionary(uniqueKeysWithValues: pairs)
        }
    }

    package func resealSecrets(
        _ kind: SealedKind, notOf keyID: String, after: Int64, limit: Int,
        seal: @escaping @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8])?
    ) async throws -> (count: Int, last: Int64) {
        let (query, table) =
            switch kind {
            case .secrets:
                (
                    "SELECT \(SecretRow.columns), sealed FROM secrets WHERE id > ? AND key_id <> ? ORDER BY id LIMIT ?",
                    "secrets"
                )
            case .hooks:
                (
                    """
                    SELECT s.id, h.project, '', 'hook:' || s.hook, 1, s.key_id, '', 0, 0, s.sealed
                    FROM hook_secrets s JOIN hooks h ON h.id = s.hook WHERE s.id > ? AND s.key_id <> ? ORDER BY s.id LIMIT ?
                    """, "hook_secrets"
                )
            }
        return try await write { db in
            let rows = try db.all(
                query,
                {
                    $0.add(after)
                    $0.add(keyID)
                    $0.add(max(0, limit))
                }
            ) { SecretRow(&$0) }
            for row in rows {
                guard let fresh = try seal(row) else { continue }
                try db.run("UPDATE \(table) SET key_id = ?, sealed = ? WHERE id = ?") {
                    $0.add(fresh.keyID)
                    $0.add(fresh.sealed)
                    $0.add(row.id)
                }
            }
            return (rows.count, rows.last?.id ?? after)
        }
    }

    private static func secret(_ db: Connection, _ row: SecretRow) throws -> (
        id: Int64, version: Int, createdAt: Int64
    )? {
        try db.first(
            "SELECT id, version, created_at FROM secrets WHERE project = ? AND environment = ? AND name = ?",
            {
                $0.add(row.project)
                $0.add(row.environment)
                $0.add(row.name)
            }
        ) { ($0.int64(), $0.int(), $0.int64()) }
    }

    private static func checkRoom(_ db: Connection, _ project: ProjectID) throws {
        let known = try db.first("SELECT count(*) FROM projects WHERE id = ?", { $0.add(project) }) { $0.int() } ?? 0
        guard known == 1 else { throw SecretChange.noProject }
        let count = try db.first("SELECT count(*) FROM secrets WHERE project = ?", { $0.add(project) }) { $0.int() }
        guard (count ?? 0) < SecretLimits.perProjectMax else { throw SecretChange.tooMany }
    }

    private static func insert(_ db: Connection, _ row: inout SecretRow) throws {
        let (project, environment, name, by, at) = (
            row.project, row.environment, row.name, row.updatedBy, row.createdAt
        )
        try db.run(
            """
            INSERT INTO secrets
                (project, environment, name, version, key_id, sealed, updated_by, created_at, updated_at)
            VALUES (?, ?, ?, 1, '', x'', ?, ?, ?)
            """
        ) {
            $0.add(project)
            $0.add(environment)
            $0.add(name)
            $0.add(by)
            $0.add(at)
            $0.add(at)
        }
        row.id = db.lastInsertedRowID
    }
}

extension SecretRow {
    static let columns = "id, project, environment, name, version, key_id, updated_by, created_at, updated_at"

    init(_ columns: inout Columns) {
        let (id, project, environment, name) = (columns.int64(), columns.int64(), columns.text(), columns.text())
        let (version, keyID, by) = (columns.int(), columns.text(), columns.text())
        self.init(
            id: id, project: ProjectID(rawValue: project), environment: environment, name: name, version: version,
            keyID: keyID, updatedBy: by, createdAt: columns.int64(), updatedAt: columns.int64())
        sealed = columns.bytes()
    }
}
