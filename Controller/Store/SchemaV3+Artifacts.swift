/// What jobs keep, and what their test reports say.
enum SchemaV3Artifacts {
    static let statements = [
        // What one step attempt has kept, whole.
        """
        CREATE TABLE artifact_sets (
            attempt INTEGER PRIMARY KEY REFERENCES attempts (id),
            step INTEGER NOT NULL,
            job INTEGER NOT NULL REFERENCES jobs (id),
            job_attempt INTEGER NOT NULL REFERENCES job_attempts (id),
            run INTEGER NOT NULL REFERENCES runs (id),
            pipeline INTEGER NOT NULL,
            project INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX artifact_sets_run ON artifact_sets (run)",
        "CREATE INDEX artifact_sets_job_attempt ON artifact_sets (job_attempt)",
        """
        CREATE TABLE artifact_files (
            attempt INTEGER NOT NULL REFERENCES artifact_sets (attempt) ON DELETE CASCADE,
            path TEXT NOT NULL CHECK (path <> ''),
            sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
            size INTEGER NOT NULL CHECK (size >= 0),
            executable INTEGER NOT NULL CHECK (executable IN (0, 1)),
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (attempt, path)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX artifact_files_content ON artifact_files (sha256)",
        "CREATE INDEX artifact_files_end ON artifact_files (expires_at)",
        """
        CREATE TABLE test_reports (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            attempt INTEGER NOT NULL REFERENCES artifact_sets (attempt) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            step TEXT NOT NULL,
            path TEXT NOT NULL,
            fault TEXT
        ) STRICT
        """,
        "CREATE INDEX test_reports_attempt ON test_reports (attempt, place)",
        // A test over all runs of its pipeline.
        """
        CREATE TABLE test_cases (
            id INTEGER PRIMARY KEY,
            pipeline INTEGER NOT NULL,
            suite TEXT NOT NULL,
            class TEXT NOT NULL,
            name TEXT NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX test_cases_name ON test_cases (pipeline, name, class, suite)",
        """
        CREATE TABLE test_results (
            report INTEGER NOT NULL REFERENCES test_reports (id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            test INTEGER NOT NULL REFERENCES test_cases (id),
            outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'failed', 'skipped', 'error')),
            duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
            message TEXT,
            PRIMARY KEY (report, place)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX test_results_test ON test_results (test, report)",
    ]
}
