extension SchemaV1 {
    static let pipelines = [
        """
        CREATE TABLE pipelines (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            project INTEGER NOT NULL REFERENCES projects (id),
            name TEXT NOT NULL CHECK (name <> ''),
            definition TEXT NOT NULL,
            repository_url TEXT NOT NULL,
            ref TEXT NOT NULL,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            version INTEGER NOT NULL CHECK (version >= 1),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            deleted_at INTEGER,
            deleted_by TEXT,
            CHECK ((deleted_at IS NULL) = (deleted_by IS NULL))
        ) STRICT
        """,
        "CREATE UNIQUE INDEX pipelines_name ON pipelines (project, name) WHERE deleted_at IS NULL",
        "CREATE INDEX pipelines_list ON pipelines (name, id) WHERE deleted_at IS NULL",
        """
        CREATE TABLE pipeline_versions (
            pipeline INTEGER NOT NULL REFERENCES pipelines (id),
            version INTEGER NOT NULL CHECK (version >= 1),
            definition TEXT NOT NULL,
            saved_by TEXT NOT NULL,
            saved_at INTEGER NOT NULL,
            PRIMARY KEY (pipeline, version)
        ) STRICT
        """,
    ]
}
