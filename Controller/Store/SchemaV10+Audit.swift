/// Who did what: append-only, each row's hash covering the row before.
enum SchemaV10Audit {
    static let statements = [
        """
        CREATE TABLE audit_log (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL CHECK (actor IN ('user', 'key', 'agent', 'system', 'nobody')),
            name TEXT NOT NULL,
            actor_id INTEGER,
            key INTEGER,
            operation TEXT NOT NULL,
            object_type TEXT NOT NULL,
            object_id TEXT NOT NULL,
            -- No reference: what is gone stays told.
            project INTEGER,
            result TEXT NOT NULL CHECK (result IN ('success', 'refused', 'failed')),
            status INTEGER,
            fields TEXT NOT NULL,
            detail TEXT NOT NULL,
            remote TEXT NOT NULL,
            request TEXT NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT
        """,
        "CREATE INDEX audit_log_name ON audit_log (name, id)",
        "CREATE INDEX audit_log_operation ON audit_log (operation, id)",
        "CREATE INDEX audit_log_object ON audit_log (object_type, object_id, id)",
        "CREATE INDEX audit_log_project ON audit_log (project, id) WHERE project IS NOT NULL",
        // The newest row's number and hash, apart from it: a shortened log differs from its head.
        """
        CREATE TABLE audit_head (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            id INTEGER NOT NULL CHECK (id >= 0),
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT
        """,
        "INSERT INTO audit_head (one, id, hash) VALUES (1, 0, zeroblob(32))",
        """
        CREATE TRIGGER audit_log_kept BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is only ever appended to'); END
        """,
        """
        CREATE TRIGGER audit_log_whole BEFORE DELETE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is only ever appended to'); END
        """,
        """
        CREATE TRIGGER audit_log_next BEFORE INSERT ON audit_log
        WHEN NEW.id <> (SELECT id + 1 FROM audit_head WHERE one = 1)
        BEGIN SELECT RAISE(ABORT, 'the audit log has no holes'); END
        """,
    ]
}
