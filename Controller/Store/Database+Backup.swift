import AnsFlowProtocol
package import ControllerCore
import GRDB
import Glibc

extension Database: DatabaseBackup {
    /// Reads in one transaction of a reader, so that the writer is not held up; the write-ahead log grows meanwhile.
    package func copy(to path: String) async throws -> BackupCut {
        try Self.secure(path)
        let cut = try await read { db in
            var configuration = Configuration()
            configuration.label = "ansflow-backup"
            let target = try DatabaseQueue(path: path, configuration: configuration)
            try target.inDatabase { try db.backup(to: $0) }
            return try target.inDatabase { target in
                // One file alone: whoever reads it needs to write nothing beside it.
                _ = try String.fetchOne(target, sql: "PRAGMA journal_mode = DELETE")
                return BackupCut(
                    instance: try String.fetchOne(target, sql: "SELECT instance FROM meta") ?? "",
                    generation: try Int64.fetchOne(target, sql: "SELECT generation FROM meta") ?? 0,
                    schema: try Schema.version(target))
            }
        }
        return cut
    }

    /// What a copy says that must be beside it. Blocks; nothing of the file is changed.
    package static func contents(ofCopy path: String) throws -> BackupContents {
        let queue = try copyQueue(path)
        return try queue.read { db in
            var contents = BackupContents()
            let version = try Schema.version(db)
            guard version <= Schema.newest else {
                throw StoreFailure.newerSchema(
                    "The backup has schema \(version), this AnsFlow knows up to \(Schema.newest). Use the newer AnsFlow."
                )
            }
            let check = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)")
            if check != ["ok"] { contents.faults = check }
            let broken = try Int.fetchOne(db, sql: "SELECT count(*) FROM pragma_foreign_key_check") ?? 0
            if broken > 0 { contents.faults.append("\(broken) rows refer to rows that are not there") }
            contents.runs = try Int.fetchOne(db, sql: "SELECT count(*) FROM runs") ?? 0
            let isNew = try db.tableExists("log_removals")
            let gone =
                isNew
                ? "AND run NOT IN (SELECT run FROM log_removals) AND run NOT IN (SELECT run FROM run_deletions)" : ""
            contents.logs = try db.all(
                """
                SELECT id, outcome IS NOT NULL AND log_state = 'complete', log_bytes, log_sha256 FROM attempts
                WHERE log_bytes > 0 \(gone)
                """
            ) { columns in
                let (attempt, isWhole): (AttemptID, Bool) = (columns.id(), columns.bool())
                let (bytes, sha256) = (columns.uint64(), columns.textOrNil())
                return .init(
                    attempt: attempt, bytes: isWhole ? bytes : nil, sha256: isWhole ? sha256 : nil)
            }
            try db.each("SELECT DISTINCT sha256, size FROM artifact_files") {
                contents.artifacts[$0.text()] = $0.uint64()
            }
            contents.secrets = try db.all("SELECT \(SecretRow.columns), sealed FROM secrets ORDER BY id") {
                SecretRow(&$0)
            }
            return contents
        }
    }

    /// What is wrong with the audit log of a copy; empty where its chain holds, or where it has none yet. Blocks.
    package static func auditFaults(ofCopy path: String) throws -> [String] {
        try copyQueue(path).read { db in
            guard try db.tableExists("audit_log") else { return [] }
            let head = try Self.head(db)
            var walk = AuditWalk(anchor: nil)
            try db.each("SELECT \(AuditWriter.columns) FROM audit_log ORDER BY id") { columns in
                guard walk.fault == nil else { return }
                walk.take(try AuditWriter.read(&columns))
            }
            return walk.end(head).fault.map { [$0] } ?? []
        }
    }

    private static func copyQueue(_ path: String) throws -> DatabaseQueue {
        guard access(path, R_OK) == 0 else {
            throw StoreFailure.cannotOpen("\(path) can't be read: \(StoreFailure.reason(errno)).")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "ansflow-verify"
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}

// What a restore does to the database, and what the first start behind it settles.
extension Database {
    /// How far numbers jump, so that none that was given out behind the backup is given out again.
    static let jump: Int64 = 1_000_000

    /// Opens a new generation: numbers jump, logins end, tokens of agents are gone. What was made behind the backup is forgotten.
    ///
    /// - Parameter backupAt: When the backup was made, in ms since 1970.
    package func openGeneration(backupAt: Int64) async throws -> PendingRestore {
        let now = self.now()
        return try await write { db in
            let before = try db.first("SELECT generation, next_attempt FROM meta") { ($0.int64(), $0.int64()) }
            guard let (generation, attempt) = before else {
                throw StoreFailure.damaged("The database has lost its counters. Restore another backup.")
            }
            try db.run(
                """
                UPDATE meta SET generation = generation + 1, next_run = next_run + ?1, next_job = next_job + ?2,
                    next_step = next_step + ?2, next_job_attempt = next_job_attempt + ?2,
                    next_attempt = next_attempt + ?2, next_event = next_event + ?3
                """
            ) {
                $0.add(Self.jump)
                $0.add(Self.jump * 100)
                $0.add(Self.jump * 1_000)
            }
            // Tables that count for themselves, those without a row yet too.
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND upper(sql) LIKE '%AUTOINCREMENT%'")
            for table in tables {
                try db.run(
                    """
                    INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0
                    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)
                    """
                ) { $0.add(table) }
            }
            try db.run("UPDATE sqlite_sequence SET seq = seq + ?") { $0.add(Self.jump) }
            try db.run("UPDATE login_sessions SET revoked = 1") { _ in }
            try db.run("DELETE FROM enrolment_tokens") { _ in }
            try db.run(
                """
                INSERT INTO restores (generation, at, backup_at, forgotten_from, forgotten_to, settled)
                VALUES (?, ?, ?, ?, ?, 0)
                """
            ) {
                $0.add(generation + 1)
                $0.add(now)
                $0.add(backupAt)
                $0.add(attempt)
                $0.add(attempt + Self.jump * 100)
            }
            return PendingRestore(generation: generation + 1, at: now, backupAt: backupAt)
        }
    }

    /// The newest restore that no start has settled yet.
    package func pendingRestore() async throws -> PendingRestore? {
        try await read { db in
            try db.first(
                "SELECT generation, at, backup_at FROM restores WHERE settled = 0 ORDER BY generation DESC LIMIT 1"
            ) { PendingRestore(generation: $0.int64(), at: $0.int64(), backupAt: $0.int64()) }
        }
    }

    package func settleRestores() async throws {
        try await write { db in try db.run("UPDATE restores SET settled = 1 WHERE settled = 0") { _ in } }
    }

    /// Runs that have not ended.
    package func unfinishedRuns() async throws -> [RunID] {
        try await read { db in
            try db.all(
                "SELECT id FROM runs WHERE status IN ('pending', 'blocked', 'running') ORDER BY id"
            ) { $0.id() }
        }
    }

    static func forgottenAttempts(_ db: Connection) throws -> [Range<Int64>] {
        try db.all("SELECT forgotten_from, forgotten_to FROM restores ORDER BY generation") { columns in
            let from = columns.int64()
            return from..<max(from, columns.int64())
        }
    }
}
