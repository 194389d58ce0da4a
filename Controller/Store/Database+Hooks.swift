import AnsFlowProtocol
package import ControllerCore
import GRDB
import Synchronization

// Hooks and their secrets.
extension Database {
    package var hooksVersion: UInt64 { stamps.hooks.load(ordering: .acquiring) }

    private func changed() { stamps.hooks.add(1, ordering: .releasing) }

    package func allHooks() async throws -> [(row: HookRow, secrets: [HookSecretRow])] {
        try await read { db in
            let secrets = Dictionary(grouping: try Self.secrets(db, hook: nil), by: \.hook)
            return try db.all("\(HookRow.select) WHERE h.deleted_at IS NULL ORDER BY h.id") { columns in
                let row = try HookRow(&columns)
                return (row, secrets[row.id] ?? [])
            }
        }
    }

    package func hooks(of project: ProjectID) async throws -> [HookRow] {
        try await read { db in
            try db.all(
                "\(HookRow.select) WHERE h.project = ? AND h.deleted_at IS NULL ORDER BY h.name", { $0.add(project) }
            ) { try HookRow(&$0) }
        }
    }

    package func hook(_ id: HookID) async throws -> (row: HookRow, secrets: [HookSecretRow])? {
        try await read { db in
            guard let row = try Self.hook(db, id) else { return nil }
            return (row, try Self.secrets(db, hook: id))
        }
    }

    package func createHook(
        _ row: HookRow, seal: @escaping @Sendable (HookSecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> HookRow {
        let made = try await write { db in
            let known = try db.first("SELECT count(*) FROM projects WHERE id = ?", { $0.add(row.project) }) { $0.int() }
            guard known == 1 else { throw HookChange.noProject }
            let count = try db.first(
                "SELECT count(*) FROM hooks WHERE project = ? AND deleted_at IS NULL", { $0.add(row.project) }
            ) { $0.int() }
            guard (count ?? 0) < WebhookLimits.hooksPerProjectMax else { throw HookChange.tooMany }
            try Self.checkName(db, row)
            var row = row
            try db.run(
                """
                INSERT INTO hooks (project, source, name, enabled, repository_id, repository_url, pipelines, catch_up,
                    mirrors_builds, created_by, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            ) {
                $0.add(row.project)
                $0.add(row.source)
                $0.add(row.name)
                $0.add(row.enabled)
                $0.add(row.repositoryID)
                $0.add(row.repositoryURL)
                $0.add(row.pipelines.map(\.description))
                $0.add(row.catchUp)
                $0.add(row.mirrorsBuilds)
                $0.add(row.createdBy)
                $0.add(row.createdAt)
                $0.add(row.updatedAt)
            }
            row.id = HookID(db.lastInsertedRowID)
            try Self.addSecret(db, row, by: row.createdBy, at: row.createdAt, seal)
            return row
        }
        changed()
        return made
    }

    package func updateHook(_ row: HookRow) async throws -> HookRow {
        try await write { db in
            try Self.checkName(db, row)
            try db.run(
                """
                UPDATE hooks SET name = ?, enabled = ?, repository_id = ?, repository_url = ?, pipelines = ?,
                    catch_up = ?, mirrors_builds = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL
                """
            ) {
                $0.add(row.name)
                $0.add(row.enabled)
                $0.add(row.repositoryID)
                $0.add(row.repositoryURL)
                $0.add(row.pipelines.map(\.description))
                $0.add(row.catchUp)
                $0.add(row.mirrorsBuilds)
                $0.add(row.updatedAt)
                $0.add(row.id)
            }
            guard db.changesCount == 1 else { throw HookChange.notFound }
        }
        changed()
        return row
    }

    package func deleteHook(_ id: HookID, by actor: String, at: Int64) async throws {
        try await write { db in
            try db.run("UPDATE hooks SET deleted_at = ?, deleted_by = ? WHERE id = ? AND deleted_at IS NULL") {
                $0.add(at)
                $0.add(actor)
                $0.add(id)
            }
            guard db.changesCount == 1 else { throw HookChange.notFound }
            // Nothing is signed with them any more.
            try db.run("DELETE FROM hook_secrets WHERE hook = ?") { $0.add(id) }
            try db.run("DELETE FROM hook_heads WHERE hook = ?") { $0.add(id) }
        }
        changed()
    }

    package func addHookSecret(
        _ hook: HookID, by actor: String, at: Int64,
        seal: @escaping @Sendable (HookSecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> HookSecretRow {
        let row = try await write { db in
            guard let row = try Self.hook(db, hook) else { throw HookChange.notFound }
            guard try Self.secrets(db, hook: hook).count < WebhookLimits.secretsMax else {
                throw HookChange.tooManySecrets
            }
            return try Self.addSecret(db, row, by: actor, at: at, seal)
        }
        changed()
        return row
    }

    package func deleteHookSecret(_ id: Int64, of hook: HookID) async throws {
        try await write { db in
            let secrets = try Self.secrets(db, hook: hook)
            guard secrets.contains(where: { $0.id == id }) else { throw HookChange.notFound }
            guard secrets.count > 1 else { throw HookChange.lastSecret }
            try db.run("DELETE FROM hook_secrets WHERE id = ?") { $0.add(id) }
        }
        changed()
    }

    package func bindHook(_ id: HookID, repository: String, url: String) async throws {
        try await write { db in
            try db.run(
                """
                UPDATE hooks SET repository_id = ?1, repository_url = iif(repository_url = '', ?2, repository_url)
                WHERE id = ?3 AND repository_id = ''
                """
            ) {
                $0.add(repository)
                $0.add(url)
                $0.add(id)
            }
        }
        changed()
    }

    // MARK: Parts

    private static func hook(_ db: Connection, _ id: HookID) throws -> HookRow? {
        try db.first("\(HookRow.select) WHERE h.id = ? AND h.deleted_at IS NULL", { $0.add(id) }) { try HookRow(&$0) }
    }

    private static func secrets(_ db: Connection, hook: HookID?) throws -> [HookSecretRow] {
        try db.all(
            """
            SELECT s.id, s.hook, h.project, s.key_id, s.sealed, s.created_by, s.created_at
            FROM hook_secrets s JOIN hooks h ON h.id = s.hook \(hook == nil ? "" : "WHERE s.hook = ?") ORDER BY s.id
            """, { if let hook { $0.add(hook) } }
        ) {
            HookSecretRow(
                id: $0.int64(), hook: $0.id(), project: $0.id(), keyID: $0.text(), sealed: $0.bytes(),
                createdBy: $0.text(), createdAt: $0.int64())
        }
    }

    private static func checkName(_ db: Connection, _ row: HookRow) throws {
        let holder = try db.first(
            "SELECT id FROM hooks WHERE project = ? AND name = ? AND deleted_at IS NULL",
            {
                $0.add(row.project)
                $0.add(row.name)
            }
        ) { $0.int64() }
        if let holder, holder != row.id.rawValue { throw HookChange.nameTaken }
    }

    @discardableResult
    private static func addSecret(
        _ db: Connection, _ hook: HookRow, by actor: String, at: Int64,
        _ seal: (HookSecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) throws -> HookSecretRow {
        var row = HookSecretRow(hook: hook.id, project: hook.project, createdBy: actor, createdAt: at)
        try db.run(
            "INSERT INTO hook_secrets (hook, key_id, sealed, created_by, created_at) VALUES (?, '', x'', ?, ?)"
        ) {
            $0.add(hook.id)
            $0.add(actor)
            $0.add(at)
        }
        row.id = db.lastInsertedRowID
        (row.keyID, row.sealed) = try seal(row)
        let (keyID, sealed, id) = (row.keyID, row.sealed, row.id)
        try db.run("UPDATE hook_secrets SET key_id = ?, sealed = ? WHERE id = ?") {
            $0.add(keyID)
            $0.add(sealed)
            $0.add(id)
        }
        return row
    }
}

extension HookRow {
    static let select = """
        SELECT h.id, h.project, h.source, h.name, h.enabled, h.repository_id, h.repository_url, h.pipelines, h.catch_up,
            h.mirrors_builds, h.created_by, h.created_at, h.updated_at,
            (SELECT received_at FROM deliveries WHERE hook = h.id ORDER BY id DESC LIMIT 1)
        FROM hooks h
        """

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), project: columns.id(), source: try columns.word(), name: columns.text(),
            enabled: columns.bool(), repositoryID: columns.text(), repositoryURL: columns.text(),
            pipelines: try columns.list().compactMap { Int64($0).map { PipelineID($0) } }, catchUp: try columns.word(),
            mirrorsBuilds: columns.bool(), createdBy: columns.text(), createdAt: columns.int64(),
            updatedAt: columns.int64(),
            lastDeliveryAt: columns.int64OrNil())
    }
}
