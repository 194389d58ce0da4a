package import ControllerCore
import GRDB

extension Database: ForgeConnectionRepository {
    package func forges(of project: ProjectID) async throws -> [ForgeConnection] {
        try await read { db in try Self.forges(db, project) }
    }

    static func forges(_ db: Connection, _ project: ProjectID) throws -> [ForgeConnection] {
        try db.all(
            "SELECT \(ForgeConnection.columns) FROM forge_connections WHERE project = ? ORDER BY id",
            { $0.add(project) }
        ) { try ForgeConnection(&$0) }
    }

    package func forge(_ id: Int64, of project: ProjectID) async throws -> ForgeConnection? {
        try await read { db in
            try db.first(
                "SELECT \(ForgeConnection.columns) FROM forge_connections WHERE id = ? AND project = ?",
                {
                    $0.add(id)
                    $0.add(project)
                }
            ) { try ForgeConnection(&$0) }
        }
    }

    package func save(_ connection: ForgeConnection) async throws -> ForgeConnection? {
        try await write { db in
            try Self.check(
                db, "forge_connections", connection.project, connection.pipeline, isNew: connection.id == 0,
                max: ForgeConnection.perProjectMax)
            var stored = connection
            func fill(_ arguments: inout Arguments) {
                arguments.add(connection.pipeline)
                arguments.add(connection.kind)
                arguments.add(connection.api)
                arguments.add(connection.repository)
                arguments.add(connection.secret)
                arguments.add(connection.enabled)
                arguments.add(connection.updatedAt)
            }
            if connection.id == 0 {
                try db.run(
                    """
                    INSERT INTO forge_connections
                        (project, created_at, pipeline, kind, api, repository, secret, enabled, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
                ) {
                    $0.add(connection.project)
                    $0.add(connection.createdAt)
                    fill(&$0)
                }
                stored.id = db.lastInsertedRowID
                return stored
            }
            try db.run(
                """
                UPDATE forge_connections SET pipeline = ?, kind = ?, api = ?, repository = ?, secret = ?, enabled = ?,
                    updated_at = ? WHERE id = ? AND project = ?
                """
            ) {
                fill(&$0)
                $0.add(connection.id)
                $0.add(connection.project)
            }
            return db.changesCount == 1 ? stored : nil
        }
    }

    package func deleteForge(_ id: Int64, of project: ProjectID) async throws -> Bool {
        try await write { db in
            try db.run("DELETE FROM forge_connections WHERE id = ? AND project = ?") {
                $0.add(id)
                $0.add(project)
            }
            return db.changesCount > 0
        }
    }

    package func statuses(of connection: Int64, page: Int, perPage: Int) async throws -> Page<CommitStatusView> {
        let range = PageRange(page: page, perPage: perPage)
        return try await read { db in
            let total = try db.first(
                "SELECT count(*) FROM forge_statuses WHERE connection = ?", { $0.add(connection) }
            ) { $0.int() }
            let items = try db.all(
                """
                SELECT \(CommitStatus.columns), \(DeliveryLifecycle.columns("s")), s.updated_at FROM forge_statuses s
                WHERE s.connection = ? ORDER BY s.updated_at DESC, s."commit", s.context LIMIT ? OFFSET ?
                """,
                {
                    $0.add(connection)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) {
                let status = try CommitStatus(&$0)
                return CommitStatusView(status: status, delivery: try DeliveryLifecycle(&$0), updatedAt: $0.int64())
            }
            return Page(items: items, total: total ?? 0)
        }
    }

    /// Whether project and pipeline are there and there is room for one more.
    static func check(
        _ db: Connection, _ table: String, _ project: ProjectID, _ pipeline: PipelineID?, isNew: Bool, max: Int
    ) throws {
        let known = try db.first("SELECT 1 FROM projects WHERE id = ?", { $0.add(project) }) { $0.int() }
        guard known != nil else { throw NoticeChange.noProject }
        if let pipeline {
            let found = try db.first(
                "SELECT 1 FROM pipelines WHERE id = ? AND project = ? AND deleted_at IS NULL",
                {
                    $0.add(pipeline)
                    $0.add(project)
                }
            ) { $0.int() }
            guard found != nil else { throw NoticeChange.noPipeline }
        }
        let count = try db.first("SELECT count(*) FROM \(table) WHERE project = ?", { $0.add(project) }) { $0.int() }
        guard !isNew || (count ?? 0) < max else { throw NoticeChange.tooMany(max) }
    }
}
