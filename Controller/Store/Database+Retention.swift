package import ControllerCore
import GRDB
import Synchronization

extension Database: RetentionRepository {
    package func dueRuns(
        _ policy: RetentionPolicy, now: Int64, after: RetentionItem?, limit: Int
    ) async throws -> [RetentionItem] {
        try await read { db in
            let query = RetentionQuery(policy)
            var items: [RetentionItem] = []
            if let age = policy.runsMs, after?.reason != .count {
                items = try query.items(db, .age, "r.finished_at <= ?", [now - age], after: after, limit: limit)
            }
            guard items.count < limit, let most = policy.runsPerPipelineMax else { return items }
            // A run that is too old as well was given above.
            let young = policy.runsMs.map { "AND r.finished_at > \(now - $0)" } ?? ""
            return items
                + (try query.items(
                    db, .count,
                    """
                    r.number <= (SELECT k.number FROM runs k WHERE k.pipeline = r.pipeline
                        ORDER BY k.number DESC LIMIT 1 OFFSET ?) \(young)
                    """, [Int64(max(0, most))], after: after?.reason == .count ? after : nil,
                    limit: limit - items.count))
        }
    }

    package func dueLogs(
        _ policy: RetentionPolicy, now: Int64, after: RetentionItem?, limit: Int
    ) async throws -> [RetentionItem] {
        guard let age = policy.logsMs else { return [] }
        return try await read { db in
            try RetentionQuery(policy).items(
                db, .age, "r.finished_at <= ? AND \(RetentionQuery.hasLogs)", [now - age], after: after, limit: limit)
        }
    }

    package func oldestLogs(
        _ policy: RetentionPolicy, after: RetentionItem?, limit: Int
    ) async throws -> [RetentionItem] {
        try await read { db in
            try RetentionQuery(policy).items(db, .bytes, RetentionQuery.hasLogs, [], after: after, limit: limit)
        }
    }

    package func oldestArtifacts(
        _ policy: RetentionPolicy, after: RetentionItem?, limit: Int
    ) async throws -> [RetentionItem] {
        try await read { db in
            try RetentionQuery(policy).items(
                db, .bytes,
                """
                EXISTS (SELECT 1 FROM artifact_sets s JOIN artifact_files f ON f.attempt = s.attempt WHERE s.run = r.id)
                """, [], bytes: RetentionQuery.artifactBytes, after: after, limit: limit)
        }
    }

    package func logBytes() async throws -> UInt64 {
        try await read { db in
            try db.first(
                """
                SELECT coalesce(sum(log_bytes), 0) FROM attempts a
                WHERE NOT EXISTS (SELECT 1 FROM log_removals l WHERE l.run = a.run)
                """
            ) { $0.uint64() } ?? 0
        }
    }

    // MARK: Logs

    package func beginLogRemoval(of run: RunID, reason: RetentionReason, at: Int64) async throws {
        try await write { db in
            try db.run(
                "INSERT INTO log_removals (run, reason, at, done) VALUES (?, ?, ?, 0) ON CONFLICT (run) DO NOTHING"
            ) {
                $0.add(run)
                $0.add(reason)
                $0.add(at)
            }
        }
        retentionChanged()
    }

    package func begunLogRemovals(limit: Int) async throws -> [RunID] {
        try await read { db in
            try db.all("SELECT run FROM log_removals WHERE done = 0 ORDER BY run LIMIT ?", { $0.add(limit) }) {
                $0.id()
            }
        }
    }

    package func endLogRemoval(of run: RunID) async throws {
        try await write { db in try db.run("UPDATE log_removals SET done = 1 WHERE run = ?") { $0.add(run) } }
    }

    package func logsRemovedAt(_ run: RunID) async throws -> Int64? {
        try await read { db in
            try db.first("SELECT at FROM log_removals WHERE run = ?", { $0.add(run) }) { $0.int64() }
        }
    }

    // MARK: Artifacts

    package func deleteArtifacts(of run: RunID, limit: Int) async throws -> [String] {
        try await write { db in
            let fill: (inout Arguments) -> Void = {
                $0.add(run)
                $0.add(limit)
            }
            let rows = """
                SELECT f.attempt, f.path FROM artifact_sets s JOIN artifact_files f ON f.attempt = s.attempt
                WHERE s.run = ? ORDER BY f.attempt, f.path LIMIT ?
                """
            let digests = try db.all(
                "SELECT sha256 FROM artifact_files WHERE (attempt, path) IN (\(rows))", fill
            ) { $0.text() }
            try db.run("DELETE FROM artifact_files WHERE (attempt, path) IN (\(rows))", fill)
            return digests
        }
    }

    // MARK: Pins

    package func pin(_ run: RunID, _ pin: RunPin) async throws {
        try await write { db in
            guard try Self.run(db, run) != nil else { throw RunDeletionRefusal.notFound }
            try db.run(
                """
                INSERT INTO run_pins (run, by, note, at) VALUES (?, ?, ?, ?)
                ON CONFLICT (run) DO UPDATE SET by = excluded.by, note = excluded.note, at = excluded.at
                """
            ) {
                $0.add(run)
                $0.add(pin.by)
                $0.add(pin.note)
                $0.add(pin.at)
            }
        }
        retentionChanged()
    }

    package func unpin(_ run: RunID) async throws {
        try await write { db in try db.run("DELETE FROM run_pins WHERE run = ?") { $0.add(run) } }
        retentionChanged()
    }

    package func pin(of run: RunID) async throws -> RunPin? {
        try await read { db in
            try db.first("SELECT by, note, at FROM run_pins WHERE run = ?", { $0.add(run) }) {
                RunPin(by: $0.text(), note: $0.textOrNil(), at: $0.int64())
            }
        }
    }

    /// Who shows runs reads again.
    func retentionChanged() { stamps.runs.add(1, ordering: .releasing) }
}

/// The SQL of what may go. Only fixed text is put together.
struct RetentionQuery {
    private let kept: Int

    init(_ policy: RetentionPolicy) {
        kept = max(0, policy.keptPerPipeline)
    }

    static let hasLogs = """
        NOT EXISTS (SELECT 1 FROM log_removals l WHERE l.run = r.id)
        AND EXISTS (SELECT 1 FROM jobs j JOIN steps s ON s.job = j.id JOIN attempts a ON a.step = s.id
            WHERE j.run = r.id AND a.log_bytes > 0)
        """
    private static let logBytes = """
        (SELECT coalesce(sum(a.log_bytes), 0) FROM jobs j JOIN steps s ON s.job = j.id JOIN attempts a ON a.step = s.id
            WHERE j.run = r.id AND NOT EXISTS (SELECT 1 FROM log_removals l WHERE l.run = r.id))
        """
    static let artifactBytes = """
        (SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT f.sha256, f.size
            FROM artifact_sets s JOIN artifact_files f ON f.attempt = s.attempt WHERE s.run = r.id))
        """

    /// What never goes by itself. The newest are told by number, which an index has in order.
    private static let free = """
        r.phase = 'finished'
        AND NOT EXISTS (SELECT 1 FROM run_deletions d WHERE d.run = r.id)
        AND NOT EXISTS (SELECT 1 FROM run_pins p WHERE p.run = r.id)
        AND r.number <= (SELECT k.number FROM runs k WHERE k.pipeline = r.pipeline ORDER BY k.number DESC LIMIT 1 OFFSET ?)
        AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.run = r.id AND j.environment IS NOT NULL
            AND j.carried_from IS NULL AND j.outcome IN ('success', 'warning')
            AND NOT EXISTS (SELECT 1 FROM jobs n JOIN runs nr ON nr.id = n.run
                WHERE n.environment = j.environment AND n.id > j.id AND n.carried_from IS NULL
                AND n.outcome IN ('success', 'warning') AND nr.project = r.project))
        AND NOT \(carriedByLive)
        """

    /// A rerun that goes on has taken over what a job of run `r` gave.
    static let carriedByLive = """
        EXISTS (SELECT 1 FROM jobs j JOIN job_attempts a ON a.job = j.id JOIN jobs c ON c.carried_from = a.id
            JOIN runs cr ON cr.id = c.run WHERE j.run = r.id AND cr.phase <> 'finished')
        """

    func items(
        _ db: Connection, _ reason: RetentionReason, _ match: String, _ values: [Int64], bytes: String = logBytes,
        after: RetentionItem?, limit: Int
    ) throws -> [RetentionItem] {
        try db.all(
            """
            SELECT r.id, r.pipeline, r.pipeline_name, r.number, r.created_at, r.finished_at, \(bytes)
            FROM runs r INDEXED BY runs_created_at
            WHERE (r.created_at, r.id) > (?, ?) AND \(Self.free) AND \(match)
            ORDER BY r.created_at, r.id LIMIT ?
            """,
            {
                $0.add(after?.createdAt ?? Int64.min)
                $0.add(after?.run.rawValue ?? Int64.min)
                $0.add(kept)
                for value in values { $0.add(value) }
                $0.add(max(0, limit))
            }
        ) {
            RetentionItem(
                run: $0.id(), pipeline: $0.id(), pipelineName: $0.text(), number: $0.int64(), createdAt: $0.int64(),
                finishedAt: $0.int64(), reason: reason, bytes: $0.uint64())
        }
    }
}
