/// Secrets, sealed under a key that is not in the database.
enum SchemaV3Secrets {
    static let statements = [
        """
        CREATE TABLE secrets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            project INTEGER NOT NULL REFERENCES projects (id),
            environment TEXT NOT NULL,
            name TEXT NOT NULL CHECK (name <> ''),
            version INTEGER NOT NULL CHECK (version >= 1),
            key_id TEXT NOT NULL,
            sealed BLOB NOT NULL,
            updated_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX secrets_name ON secrets (project, environment, name)",
    ]
}
