import AnsFlowProtocol
package import ControllerCore
import Foundation
import GRDB

extension Database: NoticeOutbox {
    package func outboxBatch(limit: Int) async throws -> OutboxBatch? {
        try await read { db in
            let from = try db.first("SELECT event FROM outbox") { $0.int64() } ?? 0
            var batch = OutboxBatch(from: from, through: from)
            var touched: Set<RunID> = []
            try db.each(
                "SELECT id, run, kind FROM events WHERE id > ? ORDER BY id LIMIT ?",
                {
                    $0.add(from)
                    $0.add(limit)
                }
            ) { columns in
                batch.through = columns.int64()
                let run: RunID = columns.id()
                let kind: EventRow.Kind = try columns.word()
                if kind == .execution { touched.insert(run) }
            }
            guard batch.through > from else { return nil }
            var projects: [ProjectID: Bool] = [:]
            for id in touched.sorted() {
                guard let row = try Self.run(db, id) else { continue }
                if projects[row.project] == nil {
                    projects[row.project] = try Self.addRouting(db, row.project, &batch)
                }
                if projects[row.project] == true { batch.runs.append(try Self.outboxRun(db, row)) }
            }
            return batch
        }
    }

    /// - Returns: whether there is anywhere to send to.
    private static func addRouting(_ db: Connection, _ project: ProjectID, _ batch: inout OutboxBatch) throws -> Bool {
        let connections = try forges(db, project).filter(\.enabled)
        let rules = try rules(db, project).filter(\.enabled)
        let targets = try targets(db, project)
        batch.connections += connections
        batch.rules += rules
        batch.targets += targets
        return !connections.isEmpty || !rules.isEmpty || !targets.isEmpty
    }

    /// Runs that are looked through for the one before on the same branch.
    private static let lookBackMax = 2_000
    /// Failed jobs that are named.
    private static let failedJobsMax = 5

    private static func outboxRun(_ db: Connection, _ row: RunRow) throws -> OutboxBatch.Run {
        var run = OutboxBatch.Run(row: row)
        run.repositoryURL =
            try db.first("SELECT repository_url FROM pipelines WHERE id = ?", { $0.add(row.pipeline) }) { $0.text() }
            ?? ""
        run.waiting = try db.all(
            """
            SELECT coalesce(j.id, 0), j.name FROM approvals p LEFT JOIN jobs j ON j.id = p.job
            WHERE p.run = ? AND p.state = 'waiting'
            """, { $0.add(row.id) }
        ) { .init(job: $0.int64(), name: $0.textOrNil()) }
        run.lost = try db.all(
            """
            SELECT t.id, j.name, a.name FROM jobs j JOIN job_attempts t ON t.job = j.id JOIN agents a ON a.id = t.agent
            WHERE j.run = ? AND t.outcome = 'lost'
            """, { $0.add(row.id) }
        ) { .init(attempt: $0.int64(), job: $0.text(), agent: $0.text()) }
        // A stranger's own definition addresses nobody.
        if row.trusted { run.notify = try notifyPlans(db, row.id) }
        guard row.phase == .finished else { return run }
        run.failedJobs = try db.all(
            """
            SELECT name FROM jobs WHERE run = ? AND outcome IN ('failed', 'timed_out', 'lost', 'error', 'invalid')
            ORDER BY place LIMIT \(failedJobsMax)
            """, { $0.add(row.id) }
        ) { $0.text() }
        run.previous = try db.first(
            """
            SELECT outcome FROM
                (SELECT id, outcome, phase, branch, tag FROM runs WHERE pipeline = ?1 AND id < ?2
                 ORDER BY id DESC LIMIT \(lookBackMax))
            WHERE branch = ?3 AND phase = 'finished' AND outcome NOT IN ('cancelled', 'skipped')
            ORDER BY id DESC LIMIT 1
            """,
            {
                $0.add(row.pipeline)
                $0.add(row.id)
                $0.add(row.branch)
            }
        ) { try $0.word() }
        return run
    }

    private static func notifyPlans(_ db: Connection, _ run: RunID) throws -> [NotifyPlan] {
        let text = try db.first(
            "SELECT json_extract(CAST(plan AS TEXT), '$.notify') FROM run_plans WHERE run = ?", { $0.add(run) }
        ) { $0.textOrNil() }
        guard let text = text ?? nil else { return [] }
        return (try? JSONDecoder().decode([NotifyPlan].self, from: Data(text.utf8))) ?? []
    }

    package func apply(_ writes: OutboxWrites, from: Int64, through: Int64, now: Int64) async throws {
        try await write { db in
            try db.run("UPDATE outbox SET event = ? WHERE event = ?") {
                $0.add(through)
                $0.add(from)
            }
            guard db.changesCount == 1 else { return }
            try Self.write(db, writes, now)
        }
    }

    package func routing() async throws -> OutboxBatch {
        try await read { db in
            var batch = OutboxBatch(from: 0, through: 0)
            batch.rules = try Self.rules(db, nil).filter(\.enabled)
            batch.targets = try Self.targets(db, nil)
            return batch
        }
    }

    package func add(_ writes: OutboxWrites, now: Int64) async throws {
        try await write { db in try Self.write(db, writes, now) }
    }

    private static func write(_ db: Connection, _ writes: OutboxWrites, _ now: Int64) throws {
        for status in writes.statuses { try put(db, status, now) }
        for item in writes.inApp { _ = try insert(db, item.notice, key: item.key) }
        for item in writes.deliveries {
            try db.run(
                """
                INSERT INTO notice_deliveries
                    (key, target, rule, notice, state, tries, due_at, error, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
                """
            ) {
                $0.add(item.key)
                $0.add(item.target)
                $0.add(item.rule)
                $0.add(item.notice.stored)
                DeliveryLifecycle(dueAt: now).fill(&$0)
                $0.add(now)
                $0.add(now)
            }
        }
    }

    /// Puts a newer status in the place of an older one.
    private static func put(_ db: Connection, _ status: CommitStatus, _ now: Int64) throws {
        let old = try db.first(
            """
            SELECT \(CommitStatus.columns), \(DeliveryLifecycle.columns("s")) FROM forge_statuses s
            WHERE s.connection = ? AND s."commit" = ? AND s.context = ?
            """,
            {
                $0.add(status.connection)
                $0.add(status.commit)
                $0.add(status.context)
            }
        ) { (try CommitStatus(&$0), try DeliveryLifecycle(&$0)) }
        var delivery = DeliveryLifecycle(dueAt: now)
        if let (before, state) = old {
            guard status.replaces(before) else { return }
            if state.state == .sent, !status.showsOther(than: before) {
                delivery = state
            } else if state.state == .waiting {
                // A pause that the forge asked for stands.
                delivery = DeliveryLifecycle(dueAt: max(now, state.dueAt))
            }
        }
        try db.run(
            """
            INSERT INTO forge_statuses
                (connection, "commit", context, run, seq, word, summary, ref, state, tries, due_at, error, waits_since,
                 updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (connection, "commit", context) DO UPDATE SET run = excluded.run, seq = excluded.seq,
                waits_since = iif(forge_statuses.state = 'waiting', forge_statuses.waits_since, excluded.waits_since),
                word = excluded.word, summary = excluded.summary, ref = excluded.ref, state = excluded.state,
                tries = excluded.tries, due_at = excluded.due_at, error = excluded.error,
                updated_at = excluded.updated_at
            """
        ) {
            $0.add(status.connection)
            $0.add(status.commit)
            $0.add(status.context)
            $0.add(status.run)
            $0.add(status.seq)
            $0.add(status.state)
            $0.add(status.summary)
            $0.add(status.ref)
            delivery.fill(&$0)
            $0.add(now)
            $0.add(now)
        }
    }

    package func ruledOut(pipeline: PipelineID, commit: String, why: String) async throws {
        guard CommitStatus.isCommit(commit) else { return }
        let now = self.now()
        try await write { db in
            let found = try db.first(
                "SELECT project, name, repository_url FROM pipelines WHERE id = ? AND deleted_at IS NULL",
                { $0.add(pipeline) }
            ) { (columns) -> (ProjectID, String, String) in (columns.id(), columns.text(), columns.text()) }
            guard let (project, name, url) = found else { return }
            for connection in try Self.forges(db, project)
            where connection.takes(pipeline, of: project, repositoryURL: url) {
                try Self.put(
                    db,
                    CommitStatus(
                        connection: connection.id, commit: commit, context: CommitStatus.context(name), run: 0, seq: 0,
                        state: .neutral, summary: RunWords.line("Not needed: \(why)"), ref: ""), now)
            }
        }
    }
}
