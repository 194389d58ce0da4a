import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: ApprovalQueries {
    package func waitingApprovals(
        project: ProjectID?, visible: Visibility, page: Int, perPage: Int
    ) async throws -> Page<ApprovalView> {
        let range = PageRange(page: page, perPage: perPage)
        var arguments = Arguments()
        let match =
            visible.condition("(SELECT project FROM runs WHERE id = p.run)", project: project, &arguments) ?? "1"
        let given = arguments
        return try await read { db in
            let from = "FROM approvals p WHERE p.state = 'waiting' AND \(match)"
            let total = try db.first("SELECT count(*) \(from)", { $0 = given }) { $0.int() } ?? 0
            let rows = try db.all(
                "SELECT \(ApprovalRow.columns) \(from) ORDER BY p.run, p.job LIMIT ? OFFSET ?",
                {
                    $0 = given
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try ApprovalRow(&$0) }
            return Page(items: try rows.map { try Self.view(db, $0) }, total: total)
        }
    }

    package func engineClock() async throws -> Int64 {
        try await read { db in try db.first("SELECT clock FROM meta") { $0.int64() } ?? 0 }
    }

    private static func view(_ db: Connection, _ row: ApprovalRow) throws -> ApprovalView {
        guard let run = try run(db, row.run) else {
            throw StoreFailure.damaged("An approval belongs to run \(row.run), which is gone. Restore a backup.")
        }
        guard let id = row.job else { return ApprovalView(row: row, run: run) }
        let job = try db.first("SELECT \(JobRow.columns) FROM jobs j WHERE j.id = ?", { $0.add(id) }) {
            try JobRow(&$0)
        }
        let jobs = try plan(db, row.run).jobs
        let plan = job.flatMap { jobs.indices.contains($0.index) ? jobs[$0.index].approval : nil }
        return ApprovalView(row: row, run: run, job: job, plan: plan)
    }

    /// All of a run, the whole run's first.
    static func approvals(_ db: Connection, _ run: RunID) throws -> [ApprovalRow] {
        try db.all("SELECT \(ApprovalRow.columns) FROM approvals p WHERE p.run = ? ORDER BY p.job", { $0.add(run) }) {
            try ApprovalRow(&$0)
        }
    }
}
