/// Definitions that are read from repositories, and schedules.
enum SchemaV5Schedules {
    static let statements = [
        // Empty: the definition is stored.
        "ALTER TABLE pipelines ADD COLUMN path TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE pipelines ADD COLUMN credential TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE schedules (
            pipeline INTEGER NOT NULL REFERENCES pipelines (id),
            name TEXT NOT NULL,
            -- What the definition says; a change of it begins anew.
            at TEXT NOT NULL,
            zone TEXT NOT NULL,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            -- Slots up to here are none of its.
            since INTEGER NOT NULL,
            error TEXT,
            error_at INTEGER,
            PRIMARY KEY (pipeline, name)
        ) STRICT, WITHOUT ROWID
        """,
        // A slot fires once: this row is written in the transaction that makes its run.
        """
        CREATE TABLE schedule_slots (
            pipeline INTEGER NOT NULL REFERENCES pipelines (id),
            name TEXT NOT NULL,
            slot INTEGER NOT NULL,
            -- No reference: the run may be deleted first.
            run INTEGER NOT NULL,
            PRIMARY KEY (pipeline, name, slot)
        ) STRICT, WITHOUT ROWID
        """,
    ]
}
