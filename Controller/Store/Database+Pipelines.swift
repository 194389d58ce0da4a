package import ControllerCore
import GRDB
import Synchronization

extension Database: PipelineRepository {
    /// `perPage` is brought into 1...100; `text` is a part of the name.
    package func pipelines(
        project: ProjectID?, visible: Visibility, text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<PipelineRow> {
        let range = PageRange(page: page, perPage: perPage)
        var match = "deleted_at IS NULL"
        var arguments = Arguments()
        if let seen = visible.condition("project", project: project, &arguments) { match += " AND " + seen }
        if let text, !text.isEmpty {
            match += " AND name LIKE ? ESCAPE '\\'"
            arguments.add(LikePattern.part(text))
        }
        let (narrowed, given) = (match, arguments)
        return try await read { db in
            let total =
                try db.first("SELECT count(*) FROM pipelines WHERE \(narrowed)", { $0 = given }) { $0.int() } ?? 0
            let items = try db.all(
                """
                SELECT \(PipelineRow.columns) FROM pipelines WHERE \(narrowed) ORDER BY \(order.sql) LIMIT ? OFFSET ?
                """,
                {
                    $0 = given
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { PipelineRow(&$0) }
            return Page(items: items, total: total)
        }
    }

    package func pipeline(_ id: PipelineID) async throws -> PipelineRow? {
        try await read { db in try Self.pipeline(db, id) }
    }

    /// Where two projects have one of that name, the older project's.
    package func pipeline(named name: String) async throws -> PipelineRow? {
        try await read { db in
            try db.first(
                """
                SELECT \(PipelineRow.columns) FROM pipelines WHERE name = ? AND deleted_at IS NULL
                ORDER BY project LIMIT 1
                """, { $0.add(name) }
            ) { PipelineRow(&$0) }
        }
    }

    /// At most the newest 1,000.
    package func versions(of id: PipelineID) async throws -> [PipelineVersion] {
        try await read { db in
            try db.all(
                """
                SELECT version, definition, saved_by, saved_at FROM pipeline_versions WHERE pipeline = ?
                ORDER BY version DESC LIMIT 1000
                """, { $0.add(id) }
            ) { PipelineVersion(version: $0.int(), definition: $0.text(), savedBy: $0.text(), savedAt: $0.int64()) }
        }
    }

    package func create(_ draft: PipelineDraft, by actor: String, at: Int64) async throws -> PipelineRow {
        let row = try await write { db in
            try Self.checkName(db, draft.name, project: draft.project, except: nil)
            try db.run(
                """
                INSERT INTO pipelines (project, name, definition, repository_url, ref, path, credential, enabled,
                    version, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
                """
            ) {
                $0.add(draft.project)
                $0.add(draft.name)
                $0.add(draft.definition)
                $0.add(draft.repositoryURL)
                $0.add(draft.ref)
                $0.add(draft.path)
                $0.add(draft.credential)
                $0.add(draft.enabled)
                $0.add(at)
                $0.add(at)
            }
            let id = PipelineID(rawValue: db.lastInsertedRowID)
            try Self.save(db, id, version: 1, draft.definition, by: actor, at: at)
            return PipelineRow(
                id: id, project: draft.project, name: draft.name, definition: draft.definition,
                repositoryURL: draft.repositoryURL, ref: draft.ref, path: draft.path, credential: draft.credential,
                enabled: draft.enabled, version: 1, createdAt: at, updatedAt: at)
        }
        stamps.pipelines.add(1, ordering: .releasing)
        return row
    }

    /// The pipeline stays in its project, whatever the draft says.
    package func update(_ id: PipelineID, _ draft: PipelineDraft, expected: Int?, by actor: String, at: Int64)
        async throws -> PipelineRow
    {
        let row = try await write { db in
            guard var row = try Self.pipeline(db, id) else { throw PipelineChange.notFound }
            if let expected, expected != row.version { throw PipelineChange.stale(current: row.version) }
            try Self.checkName(db, draft.name, project: row.project, except: id)
            let changed = draft.definition != row.definition
            if changed {
                row.version += 1
                try Self.save(db, id, version: row.version, draft.definition, by: actor, at: at)
            }
            row.name = draft.name
            row.definition = draft.definition
            row.repositoryURL = draft.repositoryURL
            row.ref = draft.ref
            row.path = draft.path
            row.credential = draft.credential
            row.enabled = draft.enabled
            row.updatedAt = at
            try Self.store(db, row)
            return row
        }
        stamps.pipelines.add(1, ordering: .releasing)
        return row
    }

    package func delete(_ id: PipelineID, by actor: String, at: Int64) async throws {
        try await write { db in
            try db.run("UPDATE pipelines SET deleted_at = ?, deleted_by = ? WHERE id = ? AND deleted_at IS NULL") {
                $0.add(at)
                $0.add(actor)
                $0.add(id)
            }
            guard db.changesCount == 1 else { throw PipelineChange.notFound }
            try Self.removeRules(db, of: id)
        }
        stamps.pipelines.add(1, ordering: .releasing)
    }

    private static func pipeline(_ db: Connection, _ id: PipelineID) throws -> PipelineRow? {
        try db.first(
            "SELECT \(PipelineRow.columns) FROM pipelines WHERE id = ? AND deleted_at IS NULL", { $0.add(id) }
        ) { PipelineRow(&$0) }
    }

    private static func checkName(_ db: Connection, _ name: String, project: ProjectID, except: PipelineID?) throws {
        let holder = try db.first(
            "SELECT id FROM pipelines WHERE project = ? AND name = ? AND deleted_at IS NULL",
            {
                $0.add(project)
                $0.add(name)
            }
        ) { (columns) -> PipelineID in columns.id() }
        if let holder, holder != except { throw PipelineChange.nameTaken }
    }

    private static func save(
        _ db: Connection, _ id: PipelineID, version: Int, _ definition: String, by actor: String, at: Int64
    ) throws {
        try db.run(
            "INSERT INTO pipeline_versions (pipeline, version, definition, saved_by, saved_at) VALUES (?, ?, ?, ?, ?)"
        ) {
            $0.add(id)
            $0.add(version)
            $0.add(definition)
            $0.add(actor)
            $0.add(at)
        }
    }

    private static func store(_ db: Connection, _ row: PipelineRow) throws {
        try db.run(
            """
            UPDATE pipelines SET name = ?, definition = ?, repository_url = ?, ref = ?, path = ?, credential = ?,
                enabled = ?, version = ?, updated_at = ?
            WHERE id = ?
            """
        ) {
            $0.add(row.name)
            $0.add(row.definition)
            $0.add(row.repositoryURL)
            $0.add(row.ref)
            $0.add(row.path)
            $0.add(row.credential)
            $0.add(row.enabled)
            $0.add(row.version)
            $0.add(row.updatedAt)
            $0.add(row.id)
        }
    }
}

extension PipelineRow {
    static let columns =
        """
        id, project, name, definition, repository_url, ref, path, credential,
        enabled AND (SELECT state FROM projects WHERE id = pipelines.project) = 'active', version, created_at, updated_at
        """

    init(_ columns: inout Columns) {
        self.init(
            id: columns.id(), project: columns.id(), name: columns.text(), definition: columns.text(),
            repositoryURL: columns.text(), ref: columns.text(), path: columns.text(), credential: columns.text(),
            enabled: columns.bool(), version: columns.int(),
            createdAt: columns.int64(), updatedAt: columns.int64())
    }
}
