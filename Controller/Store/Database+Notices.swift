import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: NoticeRepository {
    package func notices(
        _ filter: NoticeFilter, reader: UserID, page: Int, perPage: Int
    ) async throws -> Page<NoticeView> {
        let range = PageRange(page: page, perPage: perPage)
        return try await read { db in
            let from = """
                FROM notices n LEFT JOIN notice_reads r ON r.notice = n.id AND r.user = ? WHERE \(Self.match(filter))
                """
            let total = try db.first(
                "SELECT count(*) \(from)",
                {
                    $0.add(reader)
                    Self.fill(filter, &$0)
                }
            ) { $0.int() }
            let items = try db.all(
                "SELECT n.id, n.notice, r.at \(from) ORDER BY n.id DESC LIMIT ? OFFSET ?",
                {
                    $0.add(reader)
                    Self.fill(filter, &$0)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) {
                let id = $0.int64()
                return NoticeView(id: id, notice: try Notice(stored: $0.bytes()), readAt: $0.int64OrNil())
            }
            return Page(items: items, total: total ?? 0)
        }
    }

    package func markRead(
        _ ids: [Int64]?, _ filter: NoticeFilter, reader: UserID, at: Int64
    ) async throws -> Int {
        try await write { db in
            let list = ids.map { " AND n.id IN (\($0.map(String.init).joined(separator: ", ")))" } ?? ""
            let unread = try db.all(
                """
                SELECT n.id FROM notices n LEFT JOIN notice_reads r ON r.notice = n.id AND r.user = ?
                WHERE r.at IS NULL AND \(Self.match(filter))\(list)
                """,
                {
                    $0.add(reader)
                    Self.fill(filter, &$0)
                }
            ) { $0.int64() }
            for id in unread {
                try db.run("INSERT INTO notice_reads (user, notice, at) VALUES (?, ?, ?)") {
                    $0.add(reader)
                    $0.add(id)
                    $0.add(at)
                }
            }
            return unread.count
        }
    }

    /// Numbers only: they can't change the statement.
    private static func match(_ filter: NoticeFilter) -> String {
        var match = "1"
        if let projects = filter.projects {
            let list = projects.map { String($0.rawValue) }.joined(separator: ", ")
            match += " AND (n.project IS NULL OR n.project IN (\(list)))"
        }
        if filter.project != nil { match += " AND n.project = ?" }
        if let after = filter.after { match += " AND n.id < \(after)" }
        if filter.unreadOnly { match += " AND r.at IS NULL" }
        return match
    }

    private static func fill(_ filter: NoticeFilter, _ arguments: inout Arguments) {
        if let project = filter.project { arguments.add(project) }
    }

    package func add(_ notice: Notice, key: String) async throws -> Int64? {
        try await write { db in try Self.insert(db, notice, key: key) }
    }

    static func insert(_ db: Connection, _ notice: Notice, key: String) throws -> Int64? {
        try db.run("INSERT INTO notices (key, project, notice, at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING") {
            $0.add(key)
            $0.add(notice.project)
            $0.add(notice.stored)
            $0.add(notice.at)
        }
        return db.changesCount == 1 ? db.lastInsertedRowID : nil
    }

    // MARK: Badges

    package func badgeAccess(_ pipeline: PipelineID) async throws -> BadgeAccess {
        try await read { db in
            let isPublic = try db.first(
                "SELECT b.public FROM badges b JOIN pipelines p ON p.project = b.project WHERE p.id = ?",
                { $0.add(pipeline) }
            ) { $0.bool() }
            let token = try db.first("SELECT token FROM badge_tokens WHERE pipeline = ?", { $0.add(pipeline) }) {
                $0.text()
            }
            return BadgeAccess(isPublic: isPublic ?? false, token: token)
        }
    }

    package func areBadgesPublic(of project: ProjectID) async throws -> Bool {
        try await read { db in
            try db.first("SELECT public FROM badges WHERE project = ?", { $0.add(project) }) { $0.bool() } ?? false
        }
    }

    package func setBadges(public isPublic: Bool, of project: ProjectID) async throws {
        try await write { db in
            let known = try db.first("SELECT 1 FROM projects WHERE id = ?", { $0.add(project) }) { $0.int() }
            guard known != nil else { throw NoticeChange.noProject }
            try db.run(
                """
                INSERT INTO badges (project, public) VALUES (?, ?)
                ON CONFLICT (project) DO UPDATE SET public = excluded.public
                """
            ) {
                $0.add(project)
                $0.add(isPublic)
            }
        }
    }

    package func setBadgeToken(_ token: String?, of pipeline: PipelineID) async throws {
        try await write { db in
            guard let token else {
                return try db.run("DELETE FROM badge_tokens WHERE pipeline = ?") { $0.add(pipeline) }
            }
            try db.run(
                """
                INSERT INTO badge_tokens (pipeline, token) VALUES (?, ?)
                ON CONFLICT (pipeline) DO UPDATE SET token = excluded.token
                """
            ) {
                $0.add(pipeline)
                $0.add(token)
            }
        }
    }

    /// Runs that are looked through for one of the branch.
    private static let badgeRunsMax = 2_000

    package func badgeRun(_ pipeline: PipelineID, branch: String?) async throws -> RunRow? {
        try await read { db in
            let id = try db.first(
                """
                SELECT id FROM (SELECT id, branch FROM runs WHERE pipeline = ?1 ORDER BY id DESC
                                LIMIT \(Self.badgeRunsMax))
                WHERE ?2 IS NULL OR branch = ?2 ORDER BY id DESC LIMIT 1
                """,
                {
                    $0.add(pipeline)
                    $0.add(branch)
                }
            ) { (columns) -> RunID in columns.id() }
            return try id.flatMap { try Self.run(db, $0) }
        }
    }
}
