/// Hooks, and what came to them.
enum SchemaV7Webhooks {
    static let statements = [
        """
        CREATE TABLE hooks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            project INTEGER NOT NULL REFERENCES projects (id),
            source TEXT NOT NULL
                CHECK (source IN ('github', 'gitlab', 'gitea', 'bitbucket', 'jenkins', 'generic')),
            name TEXT NOT NULL,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            -- The forge's own id; empty until the first verified delivery.
            repository_id TEXT NOT NULL,
            repository_url TEXT NOT NULL,
            -- JSON list of ids; empty for all that check the repository out.
            pipelines TEXT NOT NULL,
            catch_up TEXT NOT NULL CHECK (catch_up IN ('off', 'offer', 'start')),
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            deleted_at INTEGER,
            deleted_by TEXT
        ) STRICT
        """,
        "CREATE UNIQUE INDEX hooks_name ON hooks (project, name) WHERE deleted_at IS NULL",
        """
        CREATE TABLE hook_secrets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hook INTEGER NOT NULL REFERENCES hooks (id),
            key_id TEXT NOT NULL,
            sealed BLOB NOT NULL,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX hook_secrets_hook ON hook_secrets (hook)",
        """
        CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hook INTEGER NOT NULL REFERENCES hooks (id),
            project INTEGER NOT NULL,
            source TEXT NOT NULL,
            source_name TEXT NOT NULL,
            delivery TEXT NOT NULL,
            event TEXT NOT NULL,
            headers TEXT NOT NULL,
            content_type TEXT NOT NULL,
            remote TEXT NOT NULL,
            proof TEXT NOT NULL,
            body_hash BLOB NOT NULL,
            body_bytes INTEGER NOT NULL,
            body BLOB,
            -- Of the body as it is stored; 0 where it is not.
            stored_bytes INTEGER NOT NULL,
            compressed INTEGER NOT NULL CHECK (compressed IN (0, 1)),
            received_at INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('received', 'judging', 'judged', 'failed')),
            tries INTEGER NOT NULL,
            retry_at INTEGER,
            judged_at INTEGER,
            message TEXT NOT NULL,
            replay_of INTEGER,
            duplicates INTEGER NOT NULL,
            last_duplicate_at INTEGER,
            CHECK ((state = 'judged') = (judged_at IS NOT NULL)),
            UNIQUE (hook, delivery)
        ) STRICT
        """,
        "CREATE INDEX deliveries_body ON deliveries (hook, body_hash, received_at)",
        "CREATE INDEX deliveries_received ON deliveries (received_at)",
        """
        CREATE INDEX deliveries_due ON deliveries (id, retry_at, stored_bytes)
            WHERE state IN ('received', 'judging') OR state = 'failed' AND retry_at IS NOT NULL
        """,
        // A pipeline gets at most one run of each part of a delivery: this row is written in the transaction that makes the run.
        """
        CREATE TABLE delivery_verdicts (
            delivery INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
            part INTEGER NOT NULL,
            pipeline INTEGER NOT NULL,
            pipeline_name TEXT NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('started', 'refused', 'failed')),
            message TEXT NOT NULL,
            -- No reference: the run may be deleted first.
            run INTEGER,
            CHECK ((outcome = 'started') = (run IS NOT NULL)),
            PRIMARY KEY (delivery, part, pipeline)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE hook_heads (
            hook INTEGER NOT NULL REFERENCES hooks (id),
            branch TEXT NOT NULL,
            commit_id TEXT NOT NULL,
            PRIMARY KEY (hook, branch)
        ) STRICT, WITHOUT ROWID
        """,
    ]
}
