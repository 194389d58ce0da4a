import AnsFlowProtocol
package import ControllerCore
import GRDB
import Synchronization

extension Database: ProjectRepository {
    package func projects(
        visible: Visibility, text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<ProjectRow> {
        let range = PageRange(page: page, perPage: perPage)
        var arguments = Arguments()
        arguments.add(LikePattern.part(text ?? ""))
        var match = "state <> 'deleting' AND name LIKE ? ESCAPE '\\'"
        if let seen = visible.condition("id", &arguments) { match += " AND " + seen }
        let (narrowed, given) = (match, arguments)
        return try await read { db in
            let total =
                try db.first("SELECT count(*) FROM projects WHERE \(narrowed)", { $0 = given }) { $0.int() } ?? 0
            let items = try db.all(
                "SELECT \(ProjectRow.columns) FROM projects WHERE \(narrowed) ORDER BY \(order.sql) LIMIT ? OFFSET ?",
                {
                    $0 = given
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try ProjectRow(&$0) }
            return Page(items: items, total: total)
        }
    }

    package func project(_ id: ProjectID) async throws -> ProjectRow? {
        try await read { db in try Self.project(db, id) }
    }

    package func createProject(
        name: String, description: String, owner: UserID?, by actor: String, key: String?, at: Int64
    ) async throws -> ProjectRow {
        let made = try await write { db in
            if let known = try MadeOnce.find(db, key, "project", now: at),
                let row = try Self.project(db, ProjectID(known))
            {
                return row
            }
            try Self.checkName(db, name, except: nil)
            try db.run("INSERT INTO projects (name, description, created_at, updated_at) VALUES (?, ?, ?, ?)") {
                $0.add(name)
                $0.add(description)
                $0.add(at)
                $0.add(at)
            }
            let id = ProjectID(db.lastInsertedRowID)
            if let owner { _ = try Self.set(db, owner, .owner, id, actor, at) }
            try MadeOnce.note(db, key, "project", id.rawValue, now: at)
            return ProjectRow(id: id, name: name, description: description, createdAt: at, updatedAt: at)
        }
        accessChanged()
        return made
    }

    package func changeProject(
        _ id: ProjectID, _ edit: ProjectEdit, expected: Int?, at: Int64
    ) async throws -> ProjectRow {
        let changed = try await write { db in
            var row = try Self.known(db, id, expected)
            row.name = edit.name ?? row.name
            row.description = edit.description ?? row.description
            row.state = edit.isArchived.map { $0 ? .archived : .active } ?? row.state
            // One that stays archived is not changed otherwise.
            if row.state == .archived, edit.isArchived != true { throw PeopleChange.archived }
            try Self.checkName(db, row.name, except: id)
            row.version += 1
            row.updatedAt = at
            try db.run(
                "UPDATE projects SET name = ?, description = ?, state = ?, version = ?, updated_at = ? WHERE id = ?"
            ) {
                $0.add(row.name)
                $0.add(row.description)
                $0.add(row.state)
                $0.add(row.version)
                $0.add(at)
                $0.add(id)
            }
            return row
        }
        // Pipelines of an archived project count as paused.
        stamps.pipelines.add(1, ordering: .releasing)
        accessChanged()
        return changed
    }

    // MARK: Members

    package func members(of project: ProjectID, page: Int, perPage: Int) async throws -> Page<MemberRow> {
        let range = PageRange(page: page, perPage: perPage)
        return try await read { db in
            let total =
                try db.first("SELECT count(*) FROM members WHERE project = ?", { $0.add(project) }) { $0.int() } ?? 0
            let items = try db.all(
                """
                SELECT \(MemberRow.columns) FROM members m JOIN users u ON u.id = m.user
                WHERE m.project = ? ORDER BY u.name LIMIT ? OFFSET ?
                """,
                {
                    $0.add(project)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try MemberRow(&$0) }
            return Page(items: items, total: total)
        }
    }

    package func member(_ user: UserID, of project: ProjectID) async throws -> MemberRow? {
        try await read { db in
            try db.first(
                """
                SELECT \(MemberRow.columns) FROM members m JOIN users u ON u.id = m.user
                WHERE m.project = ? AND m.user = ?
                """,
                {
                    $0.add(project)
                    $0.add(user)
                }
            ) { try MemberRow(&$0) }
        }
    }

    package func setMember(
        _ user: UserID, _ role: Role, of project: ProjectID, by actor: String, at: Int64
    ) async throws -> (row: MemberRow, isNew: Bool) {
        let result = try await write { db in
            _ = try Self.known(db, project, nil)
            return try Self.set(db, user, role, project, actor, at)
        }
        accessChanged()
        return result
    }

    package func removeMember(_ user: UserID, of project: ProjectID) async throws -> Bool {
        let removed = try await write { db in
            try db.run("DELETE FROM members WHERE project = ? AND user = ?") {
                $0.add(project)
                $0.add(user)
            }
            return db.changesCount == 1
        }
        if removed { accessChanged() }
        return removed
    }

    private static func set(
        _ db: Connection, _ user: UserID, _ role: Role, _ project: ProjectID, _ actor: String, _ at: Int64
    ) throws -> (row: MemberRow, isNew: Bool) {
        let known = try db.first("SELECT 1 FROM users WHERE id = ?", { $0.add(user) }) { $0.bool() }
        guard known != nil else { throw PeopleChange.notFound }
        try db.run(
            """
            INSERT INTO members (project, user, role, version, added_by, created_at, updated_at)
            VALUES (?1, ?2, ?3, 1, ?4, ?5, ?5)
            ON CONFLICT (project, user) DO UPDATE SET role = excluded.role, version = version + 1,
                updated_at = excluded.updated_at
            """
        ) {
            $0.add(project)
            $0.add(user)
            $0.add(role)
            $0.add(actor)
            $0.add(at)
        }
        let stored = try db.first(
            """
            SELECT \(MemberRow.columns), m.version FROM members m JOIN users u ON u.id = m.user
            WHERE m.project = ? AND m.user = ?
            """,
            {
                $0.add(project)
                $0.add(user)
            }
        ) { (columns) -> (row: MemberRow, isNew: Bool) in
            let row = try MemberRow(&columns)
            return (row, columns.int() == 1)
        }
        guard let stored else { throw PeopleChange.notFound }
        return stored
    }

    private static func project(_ db: Connection, _ id: ProjectID) throws -> ProjectRow? {
        try db.first(
            "SELECT \(ProjectRow.columns) FROM projects WHERE id = ? AND state <> 'deleting'", { $0.add(id) }
        ) { try ProjectRow(&$0) }
    }

    static func known(_ db: Connection, _ id: ProjectID, _ expected: Int?) throws -> ProjectRow {
        guard let row = try project(db, id) else { throw PeopleChange.notFound }
        if let expected, expected != row.version { throw PeopleChange.stale(current: row.version) }
        return row
    }

    private static func checkName(_ db: Connection, _ name: String, except: ProjectID?) throws {
        let holder = try db.first("SELECT id FROM projects WHERE name = ?", { $0.add(name) }) {
            (columns) -> ProjectID in columns.id()
        }
        if let holder, holder != except { throw PeopleChange.nameTaken }
    }
}

extension ProjectRow {
    static let columns = "id, name, description, state, version, created_at, updated_at"

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), name: columns.text(), description: columns.text(), state: try columns.word(),
            version: columns.int(), createdAt: columns.int64(), updatedAt: columns.int64())
    }
}

extension MemberRow {
    static let columns = "m.user, u.name, m.role, m.added_by, m.created_at, m.updated_at"

    init(_ columns: inout Columns) throws {
        self.init(
            user: columns.id(), name: columns.text(), role: try columns.word(), addedBy: columns.text(),
            createdAt: columns.int64(), updatedAt: columns.int64())
    }
}
