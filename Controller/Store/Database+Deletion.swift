import AnsFlowProtocol
package import ControllerCore
import GRDB

/// Deletes runs with all that belongs to them: first the intent, then rows in pieces, the run's own last.
extension Database {
    package func beginDeletion(of run: RunID, by actor: String, reason: RetentionReason, at: Int64) async throws {
        try await write { db in
            guard let row = try Self.run(db, run) else { throw RunDeletionRefusal.notFound }
            guard row.phase == .finished else {
                throw RunDeletionRefusal.refused("Run \(run) has not ended. Cancel it first, or wait for its end.")
            }
            let isPinned = try db.first("SELECT 1 FROM run_pins WHERE run = ?", { $0.add(run) }) { $0.bool() } != nil
            guard !isPinned else { throw RunDeletionRefusal.refused("Run \(run) is pinned. Remove its pin first.") }
            let isCarried =
                try db.first(
                    "SELECT 1 FROM runs r WHERE r.id = ? AND \(RetentionQuery.carriedByLive)", { $0.add(run) }
                ) { $0.bool() } != nil
            guard !isCarried else {
                throw RunDeletionRefusal.refused(
                    "A rerun that goes on uses results of run \(run). Wait for its end, or cancel it.")
            }
            try db.run("INSERT INTO run_deletions (run, by, reason, at) VALUES (?, ?, ?, ?)") {
                $0.add(run)
                $0.add(actor)
                $0.add(reason)
                $0.add(at)
            }
        }
        retentionChanged()
    }

    package func begunDeletions(limit: Int) async throws -> [RunID] {
        try await read { db in
            try db.all("SELECT run FROM run_deletions ORDER BY run LIMIT ?", { $0.add(limit) }) { $0.id() }
        }
    }

    package func remains(of run: RunID) async throws -> RunRemains {
        try await read { db in
            RunRemains(
                attempts: try db.all(
                    """
                    SELECT a.id FROM jobs j JOIN steps s ON s.job = j.id JOIN attempts a ON a.step = s.id WHERE j.run = ?
                    """, { $0.add(run) }
                ) { $0.id() },
                digests: try db.all(
                    """
                    SELECT DISTINCT f.sha256 FROM artifact_sets s JOIN artifact_files f ON f.attempt = s.attempt
                    WHERE s.run = ?
                    """, { $0.add(run) }
                ) { $0.text() })
        }
    }

    package func deletePart(of run: RunID, limit: Int) async throws -> Bool {
        let done = try await write { db in
            let isBegun =
                try db.first("SELECT 1 FROM run_deletions WHERE run = ?", { $0.add(run) }) { $0.bool() } != nil
            guard isBegun else { return true }
            var left = max(1, limit)
            for piece in RunDeletion.pieces {
                try db.run(piece) {
                    $0.add(run)
                    $0.add(left)
                }
                left -= db.changesCount
                if left <= 0 { return false }
            }
            try RunDeletion.rest(db, run)
            return true
        }
        if done { retentionChanged() }
        return done
    }
}

/// The statements of a run's deletion.
private enum RunDeletion {
    /// What a run may have very many of; each takes the run and how many may go.
    static let pieces = [
        """
        DELETE FROM test_results WHERE (report, place) IN (SELECT t.report, t.place FROM artifact_sets s
            JOIN test_reports p ON p.attempt = s.attempt JOIN test_results t ON t.report = p.id
            WHERE s.run = ? LIMIT ?)
        """,
        """
        DELETE FROM artifact_files WHERE (attempt, path) IN (SELECT f.attempt, f.path FROM artifact_sets s
            JOIN artifact_files f ON f.attempt = s.attempt WHERE s.run = ? LIMIT ?)
        """,
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE run = ? LIMIT ?)",
    ]

    /// In one transaction: what refers to each other, as far as the size of a plan allows.
    static func rest(_ db: Connection, _ run: RunID) throws {
        let jobs = "SELECT id FROM jobs WHERE run = ?"
        let steps = "SELECT s.id FROM jobs j JOIN steps s ON s.job = j.id WHERE j.run = ?"
        for statement in [
            "DELETE FROM artifact_sets WHERE run = ?", "DELETE FROM attempts WHERE step IN (\(steps))",
            "DELETE FROM job_attempts WHERE job IN (\(jobs))", "DELETE FROM steps WHERE job IN (\(jobs))",
            "DELETE FROM approvals WHERE run = ?", "DELETE FROM jobs WHERE run = ?",
        ] {
            try db.run(statement) { $0.add(run) }
        }
        for (table, column) in try others(db) {
            try db.run("DELETE FROM \(table) WHERE \(column) = ?") { $0.add(run) }
        }
        try db.run("DELETE FROM runs WHERE id = ?") { $0.add(run) }
        try db.run("DELETE FROM run_deletions WHERE run = ?") { $0.add(run) }
    }

    /// Every other table that names runs, as the schema itself says: whoever adds one need not tell this.
    private static func others(_ db: Connection) throws -> [(String, String)] {
        try db.all(
            """
            SELECT m.name, f."from" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
            WHERE m.type = 'table' AND f."table" = 'runs' AND f.on_delete IN ('NO ACTION', 'RESTRICT')
                AND m.name NOT IN ('jobs', 'approvals', 'artifact_sets')
            ORDER BY m.name
            """
        ) { ($0.text().quotedDatabaseIdentifier, $0.text().quotedDatabaseIdentifier) }
    }
}
