package import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: ArtifactRepository {
    package func artifactHolder(_ attempt: AttemptID, agent: AgentID) async throws -> ArtifactHolder? {
        try await read { db in try Self.holder(db, attempt, agent: agent) }
    }

    package func hasArtifact(sha256: String, in project: ProjectID) async throws -> Bool {
        try await read { db in
            try db.first(
                """
                SELECT 1 FROM artifact_files f JOIN artifact_sets s ON s.attempt = f.attempt
                WHERE f.sha256 = ? AND s.project = ? LIMIT 1
                """,
                {
                    $0.add(sha256)
                    $0.add(project)
                }
            ) { $0.bool() } != nil
        }
    }

    package func publishArtifacts(
        _ entries: [ArtifactEntry], reports: [TestReport], of holder: ArtifactHolder, at: Int64
    ) async throws -> Bool {
        try await write { db in
            guard try Self.holder(db, holder.attempt, agent: nil) == holder else { return false }
            try ArtifactWriter(db: db, holder: holder, at: at).write(entries, reports)
            return true
        }
    }

    package func artifacts(of run: RunID, job: String?) async throws -> [ArtifactRow] {
        let match = job == nil ? "" : "AND j.name = ?"
        let rows = try await read { db in
            try db.all(
                """
                SELECT j.run, s.job_attempt, j.name, f.path, f.sha256, f.size, f.executable, s.created_at, f.expires_at
                FROM \(Self.published) JOIN artifact_files f ON f.attempt = s.attempt
                WHERE j.run = ? \(match) ORDER BY j.place, f.path, s.attempt DESC
                """,
                {
                    $0.add(run)
                    if let job { $0.add(job) }
                }
            ) { ArtifactRow(&$0) }
        }
        // A path that several steps of a job have kept is the newest's.
        var unique: [ArtifactRow] = []
        for row in rows where unique.last?.path != row.path || unique.last?.job != row.job { unique.append(row) }
        return unique
    }

    package func isArtifactReferenced(sha256: String) async throws -> Bool {
        try await read { db in
            try db.first("SELECT 1 FROM artifact_files WHERE sha256 = ? LIMIT 1", { $0.add(sha256) }) { $0.bool() }
                != nil
        }
    }

    package func expireArtifacts(at: Int64, limit: Int) async throws -> Int {
        try await write { db in
            try db.run(
                """
                DELETE FROM artifact_files WHERE (attempt, path) IN
                    (SELECT attempt, path FROM artifact_files WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
                """
            ) {
                $0.add(at)
                $0.add(max(0, limit))
            }
            return db.changesCount
        }
    }

    /// What counts for the jobs `j` of a run: sets `s` that a step attempt sent which ended well, of the newest job attempt that has
    /// ended, or of the one that a rerun took over.
    static let published = """
        jobs j JOIN job_attempts ja ON ja.outcome IS NOT NULL AND ja.id = coalesce(j.carried_from,
            (SELECT id FROM job_attempts WHERE job = j.id AND outcome IS NOT NULL ORDER BY number DESC LIMIT 1))
        JOIN artifact_sets s ON s.job_attempt = ja.id
        JOIN attempts a ON a.id = s.attempt AND a.outcome = 'success'
        """

    /// - Parameter agent: Whose it must be; `nil` for anybody's.
    private static func holder(_ db: Connection, _ attempt: AttemptID, agent: AgentID?) throws -> ArtifactHolder? {
        try db.first(
            """
            SELECT a.id, a.step, a.job, a.job_attempt, a.run, r.pipeline, r.project FROM attempts a
            JOIN runs r ON r.id = a.run WHERE a.id = ? AND a.outcome IS NULL AND (a.agent = ?2 OR ?2 IS NULL)
            """,
            {
                $0.add(attempt)
                $0.add(agent)
            }
        ) {
            ArtifactHolder(
                attempt: $0.id(), step: $0.id(), job: $0.id(), jobAttempt: $0.id(), run: $0.id(), pipeline: $0.id(),
                project: $0.id())
        }
    }
}

/// Writes what one step attempt keeps, inside a transaction.
private struct ArtifactWriter {
    let db: Connection
    let holder: ArtifactHolder
    let at: Int64

    func write(_ entries: [ArtifactEntry], _ reports: [TestReport]) throws {
        try db.run("DELETE FROM artifact_sets WHERE job_attempt = ? AND step = ?") {
            $0.add(holder.jobAttempt)
            $0.add(holder.step)
        }
        try db.run(
            """
            INSERT INTO artifact_sets (attempt, step, job, job_attempt, run, pipeline, project, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """
        ) {
            $0.add(holder.attempt)
            $0.add(holder.step)
            $0.add(holder.job)
            $0.add(holder.jobAttempt)
            $0.add(holder.run)
            $0.add(holder.pipeline)
            $0.add(holder.project)
            $0.add(at)
        }
        for entry in entries { try write(entry) }
        for (place, report) in reports.enumerated() { try write(report, place) }
    }

    private func write(_ entry: ArtifactEntry) throws {
        try db.run(
            """
            INSERT INTO artifact_files (attempt, path, sha256, size, executable, expires_at) VALUES (?, ?, ?, ?, ?, ?)
            """
        ) {
            $0.add(holder.attempt)
            $0.add(entry.path)
            $0.add(entry.sha256)
            $0.add(entry.size)
            $0.add(entry.executable)
            $0.add(entry.expiresAt)
        }
    }

    private func write(_ report: TestReport, _ place: Int) throws {
        try db.run("INSERT INTO test_reports (attempt, place, step, path, fault) VALUES (?, ?, ?, ?, ?)") {
            $0.add(holder.attempt)
            $0.add(place)
            $0.add(report.step)
            $0.add(report.path)
            $0.add(report.fault)
        }
        let id = db.lastInsertedRowID
        for (place, result) in report.results.enumerated() {
            let test = try test(result)
            try db.run(
                """
                INSERT INTO test_results (report, place, test, outcome, duration_ms, message) VALUES (?, ?, ?, ?, ?, ?)
                """
            ) {
                $0.add(id)
                $0.add(place)
                $0.add(test)
                $0.add(result.outcome)
                $0.add(result.durationMs)
                $0.add(result.message)
            }
        }
    }

    /// The test's number in its pipeline, made at its first result.
    private func test(_ result: TestResult) throws -> Int64 {
        let fill: (inout Arguments) -> Void = {
            $0.add(holder.pipeline)
            $0.add(result.name)
            $0.add(result.className)
            $0.add(result.suite)
        }
        let known = try db.first(
            "SELECT id FROM test_cases WHERE pipeline = ? AND name = ? AND class = ? AND suite = ?", fill
        ) { $0.int64() }
        if let known { return known }
        try db.run("INSERT INTO test_cases (pipeline, name, class, suite) VALUES (?, ?, ?, ?)", fill)
        return db.lastInsertedRowID
    }
}

extension ArtifactRow {
    init(_ columns: inout Columns) {
        self.init(
            run: columns.id(), jobAttempt: columns.id(), job: columns.text(), path: columns.text(),
            sha256: columns.text(), size: columns.uint64(), executable: columns.bool(), createdAt: columns.int64(),
            expiresAt: columns.int64())
    }
}
