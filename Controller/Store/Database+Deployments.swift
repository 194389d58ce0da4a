import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: DeploymentQueries {
    /// What was skipped or taken over has deployed nothing.
    private static let counts = "j.outcome IS NOT 'skipped' AND j.carried_from IS NULL"
    private static let from = "FROM jobs j JOIN runs r ON r.id = j.run"

    package func environments(of project: ProjectID) async throws -> [EnvironmentView] {
        try await read { db in
            // From name to name through the index, however many deployments each has.
            let names = try db.all(
                """
                WITH RECURSIVE names (name) AS (
                    SELECT min(environment) FROM jobs WHERE environment IS NOT NULL
                    UNION ALL
                    SELECT (SELECT min(environment) FROM jobs WHERE environment > names.name)
                    FROM names WHERE names.name IS NOT NULL
                ) SELECT name FROM names WHERE name IS NOT NULL ORDER BY name
                """
            ) { $0.text() }
            return try names.compactMap { name in
                guard let newest = try Self.newest(db, name, project, "1") else { return nil }
                let current = try Self.newest(db, name, project, "j.outcome IN ('success', 'warning')")
                return EnvironmentView(name: name, newest: newest, current: current)
            }
        }
    }

    package func deployments(
        to environment: String, of project: ProjectID, page: Int, perPage: Int
    ) async throws -> Page<DeploymentView> {
        let range = PageRange(page: page, perPage: perPage)
        return try await read { db in
            let match = "WHERE j.environment = ? AND r.project = ? AND \(Self.counts)"
            func fill(_ arguments: inout Arguments) {
                arguments.add(environment)
                arguments.add(project)
            }
            let total = try db.first("SELECT count(*) \(Self.from) \(match)", fill) { $0.int() } ?? 0
            let jobs = try db.all(
                "SELECT \(JobRow.columns) \(Self.from) \(match) ORDER BY j.id DESC LIMIT ? OFFSET ?",
                {
                    fill(&$0)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try JobRow(&$0) }
            return Page(items: try jobs.compactMap { try Self.view(db, $0) }, total: total)
        }
    }

    private static func newest(
        _ db: Connection, _ environment: String, _ project: ProjectID, _ match: String
    ) throws -> DeploymentView? {
        let job = try db.first(
            """
            SELECT \(JobRow.columns) \(from)
            WHERE j.environment = ? AND r.project = ? AND \(counts) AND \(match) ORDER BY j.id DESC LIMIT 1
            """,
            {
                $0.add(environment)
                $0.add(project)
            }
        ) { try JobRow(&$0) }
        return try job.flatMap { try view(db, $0) }
    }

    private static func view(_ db: Connection, _ job: JobRow) throws -> DeploymentView? {
        guard let run = try run(db, job.run) else { return nil }
        let approval = try db.first(
            "SELECT \(ApprovalRow.columns) FROM approvals p WHERE p.run = ? AND p.job = ?",
            {
                $0.add(job.run)
                $0.add(job.id)
            }
        ) { try ApprovalRow(&$0) }
        let agent = try job.agent.flatMap { id in
            try db.first("SELECT name FROM agents WHERE id = ?", { $0.add(id) }) { $0.text() }
        }
        return DeploymentView(job: job, run: run, approval: approval, agent: agent)
    }
}
