import AnsFlowProtocol
package import ControllerCore
import GRDB
import Synchronization

/// Removes projects and pipelines with all that belongs to them: first the intent, then runs, then rows in pieces.
extension Database {
    package func beginRemoval(
        _ target: RemovalTarget, expected: Int?, by actor: String, at: Int64
    ) async throws {
        try await write { db in
            let version = try db.first(target.versionSQL, { $0.add(target.id) }) { $0.int() }
            guard let version else { throw RemovalRefusal.notFound }
            if let expected, expected != version { throw RemovalRefusal.stale(current: version) }
            guard try Self.unfinished(db, target, limit: 1).isEmpty else { throw RemovalRefusal.runsGoOn }
            switch target {
            case .project(let project): try Self.hide(db, project, by: actor, at: at)
            case .pipeline(let pipeline): try Self.removeRules(db, of: pipeline)
            }
            try db.run(
                """
                UPDATE pipelines SET deleted_at = ?, deleted_by = ?
                WHERE \(target.pipelines) AND deleted_at IS NULL
                """
            ) {
                $0.add(at)
                $0.add(actor)
                $0.add(target.id)
            }
            try db.run("INSERT INTO removals (scope, target, by, at) VALUES (?, ?, ?, ?)") {
                $0.add(target.scope)
                $0.add(target.id)
                $0.add(actor)
                $0.add(at)
            }
        }
        removalChanged()
    }

    /// Its name is free from now on, and its hooks take nothing more.
    private static func hide(_ db: Connection, _ project: ProjectID, by actor: String, at: Int64) throws {
        // A line break: no name that people give has one.
        try db.run("UPDATE projects SET state = 'deleting', name = ?, version = version + 1 WHERE id = ?") {
            $0.add("deleted\n\(project)")
            $0.add(project)
        }
        try db.run("UPDATE hooks SET deleted_at = ?, deleted_by = ? WHERE project = ? AND deleted_at IS NULL") {
            $0.add(at)
            $0.add(actor)
            $0.add(project)
        }
    }

    package func begunRemovals() async throws -> [RemovalTarget] {
        try await read { db in
            try db.all("SELECT scope, target FROM removals ORDER BY id") { columns in
                columns.text() == "project" ? .project(columns.id()) : .pipeline(columns.id())
            }
        }
    }

    package func unfinishedRuns(of target: RemovalTarget, limit: Int) async throws -> [RunID] {
        try await read { db in try Self.unfinished(db, target, limit: limit) }
    }

    private static func unfinished(_ db: Connection, _ target: RemovalTarget, limit: Int) throws -> [RunID] {
        try db.all(
            // As words of the column that has an index: few runs have not ended, however many there are.
            """
            SELECT id FROM runs INDEXED BY runs_status WHERE status IN ('pending', 'blocked', 'running') AND \(target.runs)
            LIMIT ?
            """,
            {
                $0.add(target.id)
                $0.add(limit)
            }
        ) { $0.id() }
    }

    package func beginDeletions(of target: RemovalTarget, limit: Int, at: Int64) async throws -> Int {
        let count = try await write { db in
            let runs = try db.all(
                """
                SELECT id FROM runs WHERE \(target.runs) AND phase = 'finished'
                    AND NOT EXISTS (SELECT 1 FROM run_deletions d WHERE d.run = runs.id)
                LIMIT ?
                """,
                {
                    $0.add(target.id)
                    $0.add(limit)
                }
            ) { columns -> RunID in columns.id() }
            for run in runs {
                try db.run("DELETE FROM run_pins WHERE run = ?") { $0.add(run) }
                try db.run(
                    """
                    INSERT INTO run_deletions (run, by, reason, at)
                    SELECT ?, by, ?, ? FROM removals WHERE scope = ? AND target = ?
                    """
                ) {
                    $0.add(run)
                    $0.add(RetentionReason.asked)
                    $0.add(at)
                    $0.add(target.scope)
                    $0.add(target.id)
                }
            }
            return runs.count
        }
        if count > 0 { retentionChanged() }
        return count
    }

    package func removePart(
        of target: RemovalTarget, limit: Int, now: Int64
    ) async throws -> RemovalStep {
        let step: RemovalStep = try await write { db in
            let begun = try db.first(
                "SELECT at FROM removals WHERE scope = ? AND target = ?",
                {
                    $0.add(target.scope)
                    $0.add(target.id)
                }
            ) { $0.int64() }
            guard let begun else { return .done }
            let run = try db.first("SELECT 1 FROM runs WHERE \(target.runs) LIMIT 1", { $0.add(target.id) }) {
                $0.bool()
            }
            guard run == nil else { return .waits }
            for (table, column) in target.unreferenced {
                try db.run(
                    "DELETE FROM \(table) WHERE \(column) IN (SELECT id FROM pipelines WHERE \(target.pipelines))"
                ) {
                    $0.add(target.id)
                }
            }
            var owned = try OwnedRows(db, of: target.table, except: ["runs"])
            // A run whose pipeline is gone could not be committed, and the engine would halt.
            let rests = now - begun < RemovalLimits.graceMs
            if rests { owned.leave("pipelines") }
            if try owned.delete(db, owner: target.id, limit: max(1, limit)) > 0 { return .more }
            if rests { return .rests }
            if case .project = target {
                try db.run("DELETE FROM run_counts WHERE scope = 1 AND scope_id = ?") { $0.add(target.id) }
            }
            try db.run("DELETE FROM \(target.table) WHERE id = ?") { $0.add(target.id) }
            try db.run("DELETE FROM removals WHERE scope = ? AND target = ?") {
                $0.add(target.scope)
                $0.add(target.id)
            }
            return .done
        }
        if step == .done { removalChanged() }
        return step
    }

    private func removalChanged() {
        stamps.pipelines.add(1, ordering: .releasing)
        stamps.hooks.add(1, ordering: .releasing)
        retentionChanged()
        accessChanged()
    }
}

/// The SQL of a target. Only fixed text; each condition takes the id.
extension RemovalTarget {
    fileprivate var id: Int64 {
        switch self {
        case .project(let id): id.rawValue
        case .pipeline(let id): id.rawValue
        }
    }

    fileprivate var scope: String {
        switch self {
        case .project: "project"
        case .pipeline: "pipeline"
        }
    }

    fileprivate var table: String { scope + "s" }

    /// Of the runs of it. Both have an index.
    fileprivate var runs: String { "\(scope) = ?" }

    /// Of its pipelines.
    fileprivate var pipelines: String {
        switch self {
        case .project: "project = ?"
        case .pipeline: "id = ?"
        }
    }

    fileprivate var versionSQL: String {
        switch self {
        case .project: "SELECT version FROM projects WHERE id = ? AND state <> 'deleting'"
        case .pipeline: "SELECT version FROM pipelines WHERE id = ? AND deleted_at IS NULL"
        }
    }

    /// Tables that name pipelines without a reference.
    fileprivate var unreferenced: [(table: String, column: String)] {
        [
            ("run_counts", "scope = 2 AND scope_id"), ("run_numbers", "pipeline"), ("badge_tokens", "pipeline"),
        ]
    }
}
