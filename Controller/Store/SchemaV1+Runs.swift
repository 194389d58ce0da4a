extension SchemaV1 {
    private static let phases =
        "'created', 'blocked', 'queued', 'starting', 'running', 'unreachable', 'stopping', 'finished'"
    private static let outcomes =
        "'success', 'warning', 'failed', 'cancelled', 'skipped', 'invalid', 'timed_out', 'lost', 'error'"

    /// Phase, outcome, cause and message, as runs, jobs, steps and attempts have them.
    static let state = """
        phase TEXT NOT NULL CHECK (phase IN (\(phases))),
        outcome TEXT CHECK (outcome IS NULL OR outcome IN (\(outcomes))),
        cause TEXT,
        message TEXT,
        CHECK (phase <> 'finished' OR outcome IS NOT NULL)
        """
    static let outcome = "outcome TEXT CHECK (outcome IS NULL OR outcome IN (\(outcomes)))"

    static let runs = [
        """
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            project INTEGER NOT NULL REFERENCES projects (id),
            pipeline INTEGER NOT NULL REFERENCES pipelines (id),
            pipeline_name TEXT NOT NULL,
            pipeline_version INTEGER NOT NULL CHECK (pipeline_version >= 1),
            number INTEGER NOT NULL CHECK (number >= 1),
            event TEXT NOT NULL,
            ref TEXT NOT NULL,
            branch TEXT NOT NULL,
            tag TEXT NOT NULL,
            "commit" TEXT NOT NULL,
            inputs TEXT NOT NULL,
            priority INTEGER NOT NULL,
            actor TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            cancelled_by TEXT,
            cancel_reason TEXT,
            seq INTEGER NOT NULL CHECK (seq >= 0),
            deadline INTEGER NOT NULL,
            status TEXT NOT NULL GENERATED ALWAYS AS (
                CASE
                WHEN phase IN ('created', 'queued') THEN 'pending'
                WHEN phase = 'blocked' THEN 'blocked'
                WHEN phase <> 'finished' THEN 'running'
                WHEN outcome IN ('success', 'warning', 'cancelled', 'skipped') THEN outcome
                ELSE 'failed'
                END
            ) VIRTUAL,
            \(state)
        ) STRICT
        """,
        "CREATE UNIQUE INDEX runs_number ON runs (pipeline, number)",
        "CREATE INDEX runs_pipeline ON runs (pipeline)",
        "CREATE INDEX runs_project ON runs (project)",
        "CREATE INDEX runs_status ON runs (status)",
        "CREATE INDEX runs_branch ON runs (branch)",
        "CREATE INDEX runs_event ON runs (event)",
        "CREATE INDEX runs_created_at ON runs (created_at)",
        // Searching a part of a text reads every entry: this one holds nothing else, so that few pages are read.
        "CREATE INDEX runs_text ON runs (pipeline_name, branch, \"commit\")",
        // Totals of the list without counting: scope 0 is everything, 1 a project, 2 a pipeline.
        """
        CREATE TABLE run_counts (
            scope INTEGER NOT NULL, scope_id INTEGER NOT NULL, status TEXT NOT NULL,
            n INTEGER NOT NULL CHECK (n >= 0),
            PRIMARY KEY (scope, scope_id, status)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE TRIGGER runs_inserted AFTER INSERT ON runs BEGIN \(counted); END",
        """
        CREATE TRIGGER runs_updated AFTER UPDATE OF phase, outcome ON runs WHEN NEW.status <> OLD.status BEGIN
            \(discounted); \(counted);
        END
        """,
        "CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN \(discounted); END",
        "CREATE TABLE run_plans (run INTEGER PRIMARY KEY REFERENCES runs (id), plan BLOB NOT NULL) STRICT",
        """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs (id),
            pipeline INTEGER NOT NULL,
            project INTEGER NOT NULL,
            seq INTEGER NOT NULL CHECK (seq >= 1),
            at INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('execution_update', 'step_update')),
            data BLOB NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX events_seq ON events (run, seq)",
        "CREATE INDEX events_pipeline ON events (pipeline)",
        """
        CREATE TABLE idempotency (
            key TEXT PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs (id),
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX idempotency_at ON idempotency (at)",
    ]

    private static let counted = """
        INSERT INTO run_counts VALUES
            (0, 0, NEW.status, 1), (1, NEW.project, NEW.status, 1), (2, NEW.pipeline, NEW.status, 1)
        ON CONFLICT (scope, scope_id, status) DO UPDATE SET n = n + 1
        """
    private static let discounted = """
        UPDATE run_counts SET n = n - 1 WHERE status = OLD.status AND (scope, scope_id) IN
            (VALUES (0, 0), (1, OLD.project), (2, OLD.pipeline))
        """
}
