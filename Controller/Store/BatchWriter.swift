import AnsFlowProtocol
import ControllerCore
import GRDB

/// Writes one batch inside a transaction.
struct BatchWriter {
    /// How long an idempotency key stands, in milliseconds.
    static let idempotencyLifeMs: Int64 = 24 * 3_600_000

    let db: Connection
    let batch: CommitBatch

    func write(_ plans: [(RunID, [UInt8])]) throws {
        try checkCounters()
        for row in batch.runs { try upsert(RunRow.upsert, "run \(row.id)", row.fill) }
        for (run, plan) in plans { try insert(plan, of: run) }
        for row in batch.jobs { try upsert(JobRow.upsert, "job \(row.id)", row.fill) }
        // What has ended goes first: of one job or step at most one may be without an end.
        for row in batch.jobAttempts where row.outcome != nil { try write(row) }
        for row in batch.jobAttempts where row.outcome == nil { try write(row) }
        for row in batch.steps { try upsert(StepRow.upsert, "step \(row.id)", row.fill) }
        for row in batch.attempts where row.outcome != nil { try write(row) }
        for row in batch.attempts where row.outcome == nil { try write(row) }
        for row in batch.approvals {
            try upsert(ApprovalRow.upsert, "approval of run \(row.run)", row.fill)
        }
        for row in batch.agents { try upsert(AgentRow.update, "agent \(row.id)", row.fillUpdate) }
        for row in batch.events { try db.run(EventRow.insert, row.fill) }
        for row in batch.idempotency { try write(row) }
        try AuditWriter.append(batch.audit, db)
        for judgement in batch.judgements { try judgement.write(db) }
        try writeMeta()
    }

    private func write(_ row: JobAttemptRow) throws {
        try upsert(JobAttemptRow.upsert, "job attempt \(row.id)", row.fill)
    }

    private func write(_ row: AttemptRow) throws {
        try upsert(AttemptRow.upsert, "attempt \(row.id)", row.fill)
    }

    /// A statement that touches nothing met a row that differs in what never changes.
    private func upsert(_ sql: String, _ what: String, _ fill: (inout Arguments) -> Void) throws {
        try db.run(sql, fill)
        guard db.changesCount == 1 else {
            throw CommitFailure.refused("The \(what) is unknown, or its place or owner differs from what is stored.")
        }
    }

    private func insert(_ plan: [UInt8], of run: RunID) throws {
        try db.run("INSERT INTO run_plans (run, plan) VALUES (?, ?) ON CONFLICT (run) DO NOTHING") {
            $0.add(run)
            $0.add(plan)
        }
    }

    private func write(_ row: IdempotencyRow) throws {
        try db.run(
            """
            DELETE FROM idempotency WHERE key IN
                (SELECT key FROM idempotency WHERE at <= ? ORDER BY at LIMIT 100)
            """
        ) { $0.add(row.at - Self.idempotencyLifeMs) }
        try db.run(
            """
            INSERT INTO idempotency (key, run, at) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET run = excluded.run, at = excluded.at
            WHERE run = excluded.run OR at <= excluded.at - \(Self.idempotencyLifeMs)
            """
        ) {
            $0.add(row.key)
            $0.add(row.run)
            $0.add(row.at)
        }
        guard db.changesCount == 1 else {
            throw CommitFailure.refused("The idempotency key of run \(row.run) belongs to another run.")
        }
        try ScheduleSlot(idempotencyKey: row.key)?.note(row.run, db)
        try MirroredBuild(idempotencyKey: row.key)?.note(row.run, db)
    }

    /// No row may hold a number that its counter would give out again.
    private func checkCounters() throws {
        let counters = batch.counters
        let covered =
            batch.runs.allSatisfy { $0.id.rawValue < counters.run }
            && batch.jobs.allSatisfy { $0.id.rawValue < counters.job }
            && batch.steps.allSatisfy { $0.id.rawValue < counters.step }
            && batch.jobAttempts.allSatisfy { $0.id.rawValue < counters.jobAttempt }
            && batch.attempts.allSatisfy { $0.id.rawValue < counters.attempt }
            && batch.events.allSatisfy { $0.id < counters.event }
        guard covered else { throw CommitFailure.refused("A row's id is not below its counter.") }
    }

    private func writeMeta() throws {
        let counters = batch.counters
        try db.run(
            """
            UPDATE meta SET clock = ?, next_run = ?, next_job = ?, next_step = ?, next_job_attempt = ?,
                next_attempt = ?, next_event = ?
            """
        ) {
            $0.add(batch.clock)
            $0.add(counters.run)
            $0.add(counters.job)
            $0.add(counters.step)
            $0.add(counters.jobAttempt)
            $0.add(counters.attempt)
            $0.add(counters.event)
        }
    }
}
