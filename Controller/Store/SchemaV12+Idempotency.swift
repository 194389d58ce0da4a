/// Answers to requests that may be sent again.
enum SchemaV12Idempotency {
    static let statements = [
        """
        CREATE TABLE kept_answers (
            caller TEXT NOT NULL,
            key TEXT NOT NULL,
            digest TEXT NOT NULL,
            at INTEGER NOT NULL,
            -- Null until the answer is known.
            status INTEGER,
            location TEXT,
            content_type TEXT,
            body BLOB,
            PRIMARY KEY (caller, key)
        ) STRICT
        """,
        "CREATE INDEX kept_answers_by_time ON kept_answers (at)",
        "CREATE INDEX kept_answers_by_caller ON kept_answers (caller, at)",
    ]
}
