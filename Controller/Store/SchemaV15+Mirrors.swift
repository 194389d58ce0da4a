/// Hooks that show builds of another system as runs, and those runs.
enum SchemaV15Mirrors {
    static let statements = [
        "ALTER TABLE hooks ADD COLUMN mirrors_builds INTEGER NOT NULL DEFAULT 0 CHECK (mirrors_builds IN (0, 1))",
        // The row is written in the transaction that makes the run, and goes with it.
        """
        CREATE TABLE mirrored_builds (
            hook INTEGER NOT NULL,
            pipeline INTEGER NOT NULL,
            name TEXT NOT NULL,
            run INTEGER NOT NULL REFERENCES runs (id),
            PRIMARY KEY (hook, pipeline, name)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX mirrored_builds_run ON mirrored_builds (run)",
    ]
}
