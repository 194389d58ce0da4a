/// What is deleted, kept or restored.
enum SchemaV9Operator {
    static let statements = [
        // A run in here is gone for readers; what is left of it goes in pieces. No reference: the row goes behind the run's.
        """
        CREATE TABLE run_deletions (
            run INTEGER PRIMARY KEY,
            by TEXT NOT NULL,
            reason TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE log_removals (
            run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            reason TEXT NOT NULL,
            at INTEGER NOT NULL,
            done INTEGER NOT NULL CHECK (done IN (0, 1))
        ) STRICT
        """,
        "CREATE INDEX log_removals_begun ON log_removals (run) WHERE done = 0",
        """
        CREATE TABLE run_pins (
            run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            by TEXT NOT NULL,
            note TEXT,
            at INTEGER NOT NULL
        ) STRICT
        """,
        // A pipeline's numbers are never given out again, whichever of its runs is deleted.
        """
        CREATE TABLE run_numbers (pipeline INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT
        """,
        """
        CREATE TRIGGER runs_number_kept AFTER DELETE ON runs BEGIN
            INSERT INTO run_numbers VALUES (OLD.pipeline, OLD.number)
            ON CONFLICT (pipeline) DO UPDATE SET number = max(number, excluded.number);
        END
        """,
        "CREATE INDEX jobs_carried ON jobs (carried_from) WHERE carried_from IS NOT NULL",
        // Attempts from the first to before the second number may have been made and forgotten.
        """
        CREATE TABLE restores (
            generation INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            backup_at INTEGER NOT NULL,
            forgotten_from INTEGER NOT NULL,
            forgotten_to INTEGER NOT NULL,
            settled INTEGER NOT NULL CHECK (settled IN (0, 1))
        ) STRICT
        """,
    ]
}
