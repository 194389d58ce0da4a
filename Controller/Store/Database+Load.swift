package import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database {
    package func load() async throws -> EngineSnapshot {
        let since = now() - BatchWriter.idempotencyLifeMs
        return try await read { db in
            let meta = try Self.meta(db)
            return EngineSnapshot(
                clock: meta.clock, generation: meta.generation, counters: meta.counters,
                runNumbers: try Self.runNumbers(db), runs: try Self.unfinished(db),
                agents: try db.all("SELECT \(AgentRow.columns) FROM agents ORDER BY id") { try AgentRow(&$0) },
                idempotency: try db.all(
                    "SELECT key, run, at FROM idempotency WHERE at > ? ORDER BY at, key", { $0.add(since) }
                ) { IdempotencyRow(key: $0.text(), run: $0.id(), at: $0.int64()) },
                forgottenAttempts: try Self.forgottenAttempts(db))
        }
    }

    package func attempt(_ id: AttemptID) async throws -> AttemptRow? {
        try await read { db in
            try db.first("SELECT \(AttemptRow.columns) FROM attempts a WHERE a.id = ?", { $0.add(id) }) {
                try AttemptRow(&$0)
            }
        }
    }

    private struct Meta {
        var clock: Int64
        var generation: Int64
        var counters: Counters
    }

    private static func meta(_ db: Connection) throws -> Meta {
        let meta = try db.first(
            """
            SELECT clock, generation, next_run, next_job, next_step, next_job_attempt, next_attempt, next_event
            FROM meta
            """
        ) { columns in
            var meta = Meta(clock: columns.int64(), generation: columns.int64(), counters: Counters())
            meta.counters.run = columns.int64()
            meta.counters.job = columns.int64()
            meta.counters.step = columns.int64()
            meta.counters.jobAttempt = columns.int64()
            meta.counters.attempt = columns.int64()
            meta.counters.event = columns.int64()
            return meta
        }
        guard let meta else { throw StoreFailure.damaged("The database has lost its counters. Restore a backup.") }
        return meta
    }

    private static func runNumbers(_ db: Connection) throws -> [PipelineID: Int64] {
        var numbers: [PipelineID: Int64] = [:]
        try db.each(
            """
            SELECT id, max(coalesce((SELECT max(number) FROM runs WHERE pipeline = pipelines.id), 0),
                coalesce((SELECT number FROM run_numbers WHERE pipeline = pipelines.id), 0)) FROM pipelines
            """
        ) {
            let pipeline: PipelineID = $0.id()
            let number = $0.int64()
            if number > 0 { numbers[pipeline] = number }
        }
        return numbers
    }

    private static func unfinished(_ db: Connection) throws -> [EngineSnapshot.Run] {
        let runs = try db.all(
            """
            SELECT \(RunRow.columns) FROM runs
            WHERE status IN ('pending', 'blocked', 'running') ORDER BY id
            """
        ) { try RunRow(&$0) }
        return try runs.map { row in
            EngineSnapshot.Run(
                row: row, plan: try plan(db, row.id), jobs: try jobs(db, row.id), steps: try steps(db, row.id),
                jobAttempts: try jobAttempts(db, row.id, newest: true),
                attempts: try attempts(db, row.id, newest: true), approvals: try approvals(db, row.id))
        }
    }

    static func plan(_ db: Connection, _ run: RunID) throws -> RunPlan {
        let bytes = try db.first("SELECT plan FROM run_plans WHERE run = ?", { $0.add(run) }) { $0.bytes() }
        guard let bytes else { throw StoreFailure.damaged("Run \(run) has lost its plan. Restore a backup.") }
        return try StoredJSON.plan(bytes, of: run)
    }

    static func jobs(_ db: Connection, _ run: RunID) throws -> [JobRow] {
        try db.all("SELECT \(JobRow.columns) FROM jobs j WHERE j.run = ? ORDER BY j.place", { $0.add(run) }) {
            try JobRow(&$0)
        }
    }

    static func steps(_ db: Connection, _ run: RunID) throws -> [StepRow] {
        try db.all(
            """
            SELECT \(StepRow.columns) FROM jobs j JOIN steps s ON s.job = j.id WHERE j.run = ?
            ORDER BY j.place, s.place
            """, { $0.add(run) }
        ) { try StepRow(&$0) }
    }

    /// By id; with `newest` only the last one of each job.
    static func jobAttempts(_ db: Connection, _ run: RunID, newest: Bool) throws -> [JobAttemptRow] {
        let match = newest ? "a.number = (SELECT max(number) FROM job_attempts WHERE job = j.id)" : "1"
        return try db.all(
            """
            SELECT \(JobAttemptRow.columns) FROM jobs j JOIN job_attempts a ON a.job = j.id
            WHERE j.run = ? AND \(match) ORDER BY a.id
            """, { $0.add(run) }
        ) { try JobAttemptRow(&$0) }
    }

    /// By id; with `newest` only the last one of each step.
    static func attempts(_ db: Connection, _ run: RunID, newest: Bool) throws -> [AttemptRow] {
        let match = newest ? "a.number = (SELECT max(number) FROM attempts WHERE step = s.id)" : "1"
        return try db.all(
            """
            SELECT \(AttemptRow.columns) FROM jobs j JOIN steps s ON s.job = j.id JOIN attempts a ON a.step = s.id
            WHERE j.run = ? AND \(match) ORDER BY a.id
            """, { $0.add(run) }
        ) { try AttemptRow(&$0) }
    }
}
