import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: RunQueries {
    /// `perPage` is brought into 1...100.
    package func runs(_ filter: RunFilter, page: Int, perPage: Int) async throws -> Page<RunRow> {
        let range = PageRange(page: page, perPage: perPage)
        return try await read { db in
            let query = RunListQuery(filter)
            let total = try query.total(db)
            guard range.offset < Int64(total) else { return Page(items: [], total: total) }
            let items = try db.all(
                query.pageSQL, { query.fillPage(&$0, limit: range.limit, offset: range.offset) }
            ) { try RunRow(&$0) }
            return Page(items: items, total: total)
        }
    }

    package func progress(of runs: [RunID]) async throws -> [RunID: RunProgress] {
        guard !runs.isEmpty else { return [:] }
        return try await read { db in
            var found: [RunID: RunProgress] = [:]
            for run in runs.prefix(100) {
                found[run] = try db.first(
                    """
                    SELECT count(*), coalesce(sum(phase = 'finished'), 0),
                        coalesce(sum(phase IN ('starting', 'running', 'unreachable', 'stopping')), 0) = 0
                            AND EXISTS (SELECT 1 FROM approvals WHERE run = ?1 AND state = 'waiting')
                    FROM jobs WHERE run = ?1
                    """, { $0.add(run) }
                ) { RunProgress(jobs: $0.int(), finished: $0.int(), awaitsApproval: $0.int() != 0) }
            }
            return found
        }
    }

    /// How many runs are kept, by status.
    package func runCounts() async throws -> [Status: Int] {
        try await read { db in
            var counts: [Status: Int] = [:]
            try db.each("SELECT status, n FROM run_counts WHERE scope = 0") { columns in
                let status: Status = try columns.word()
                counts[status] = columns.int()
            }
            return counts
        }
    }

    package func run(_ id: RunID) async throws -> RunRow? {
        try await read { db in try Self.run(db, id) }
    }

    static func run(_ db: Connection, _ id: RunID) throws -> RunRow? {
        try db.first(
            """
            SELECT \(RunRow.columns) FROM runs
            WHERE id = ? AND NOT EXISTS (SELECT 1 FROM run_deletions WHERE run = runs.id)
            """, { $0.add(id) }
        ) { try RunRow(&$0) }
    }

    package func runDetail(_ id: RunID) async throws -> RunDetail? {
        try await read { db in
            guard let run = try Self.run(db, id) else { return nil }
            let jobs = try Self.jobs(db, id)
            let jobAttempts = try Self.jobAttempts(db, id, newest: false)
            var names: [AgentID: String] = [:]
            for agent in Set(jobAttempts.map(\.agent) + jobs.compactMap(\.agent)) {
                names[agent] = try db.first("SELECT name FROM agents WHERE id = ?", { $0.add(agent) }) { $0.text() }
            }
            return RunDetail(
                run: run, plan: try Self.plan(db, id), jobs: jobs, steps: try Self.steps(db, id),
                jobAttempts: jobAttempts, attempts: try Self.attempts(db, id, newest: false),
                approvals: try Self.approvals(db, id), agentNames: names)
        }
    }

    package func events(of run: RunID, after: Int64, limit: Int) async throws -> [EventRow] {
        try await read { db in
            try db.all(
                "SELECT \(EventRow.columns) FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?",
                {
                    $0.add(run)
                    $0.add(after)
                    $0.add(max(limit, 0))
                }
            ) { try EventRow(&$0) }
        }
    }

    package func events(after: Int64, pipeline: PipelineID?, limit: Int) async throws -> [EventRow] {
        let match = pipeline == nil ? "id > ?" : "id > ? AND pipeline = ?"
        return try await read { db in
            try db.all(
                "SELECT \(EventRow.columns) FROM events WHERE \(match) ORDER BY id LIMIT ?",
                {
                    $0.add(after)
                    if let pipeline { $0.add(pipeline) }
                    $0.add(max(limit, 0))
                }
            ) { try EventRow(&$0) }
        }
    }

    package func lastNumber(of pipeline: PipelineID) async throws -> Int64 {
        try await read { db in
            try db.first(
                """
                SELECT max(coalesce((SELECT max(number) FROM runs WHERE pipeline = ?), 0),
                    coalesce((SELECT number FROM run_numbers WHERE pipeline = ?), 0))
                """,
                {
                    $0.add(pipeline)
                    $0.add(pipeline)
                }
            ) { $0.int64() } ?? 0
        }
    }

    package func lastEventID() async throws -> Int64 {
        try await read { db in try db.first("SELECT next_event - 1 FROM meta") { $0.int64() } ?? 0 }
    }

    package func generation() async throws -> Int64 {
        try await read { db in try db.first("SELECT generation FROM meta") { $0.int64() } ?? 0 }
    }

    package func idempotentRun(_ key: String) async throws -> RunID? {
        let since = now() - BatchWriter.idempotencyLifeMs
        return try await read { db in
            try db.first(
                "SELECT run FROM idempotency WHERE key = ? AND at > ?",
                {
                    $0.add(key)
                    $0.add(since)
                }
            ) { $0.id() }
        }
    }
}
