/// The first schema. Words of states are spelled out here, since a shipped schema does not follow the code.
enum SchemaV1 {
    static let people = [
        """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            instance TEXT NOT NULL CHECK (length(instance) = 32),
            generation INTEGER NOT NULL CHECK (generation >= 1),
            clock INTEGER NOT NULL CHECK (clock >= 0),
            next_run INTEGER NOT NULL, next_job INTEGER NOT NULL, next_step INTEGER NOT NULL,
            next_job_attempt INTEGER NOT NULL, next_attempt INTEGER NOT NULL, next_event INTEGER NOT NULL
        ) STRICT
        """,
        "INSERT INTO meta VALUES (1, lower(hex(randomblob(16))), 1, 0, 1, 1, 1, 1, 1, 1)",
        """
        CREATE TABLE projects (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE CHECK (name <> '')
        ) STRICT
        """,
        "INSERT INTO projects (id, name) VALUES (1, 'main')",
        """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            password_hash TEXT NOT NULL,
            is_administrator INTEGER NOT NULL CHECK (is_administrator IN (0, 1)),
            disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
            created_at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE login_sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user INTEGER NOT NULL REFERENCES users (id),
            refresh_hash TEXT NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),
            remote TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX login_sessions_user ON login_sessions (user)",
        """
        CREATE TABLE spent_refreshes (
            session INTEGER NOT NULL REFERENCES login_sessions (id),
            place INTEGER NOT NULL,
            hash TEXT NOT NULL UNIQUE,
            PRIMARY KEY (session, place)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE api_keys (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user INTEGER NOT NULL REFERENCES users (id),
            name TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE,
            prefix TEXT NOT NULL,
            scopes TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            last_used_at INTEGER
        ) STRICT
        """,
        "CREATE INDEX api_keys_user ON api_keys (user)",
        """
        CREATE TABLE agents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL CHECK (name <> ''),
            key TEXT NOT NULL UNIQUE CHECK (key <> ''),
            labels TEXT NOT NULL,
            slots INTEGER NOT NULL CHECK (slots >= 0),
            version TEXT NOT NULL,
            containment TEXT NOT NULL,
            store_id TEXT,
            paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
            note TEXT,
            draining INTEGER NOT NULL CHECK (draining IN (0, 1)),
            revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),
            created_at INTEGER NOT NULL,
            last_seen_at INTEGER
        ) STRICT
        """,
        "CREATE UNIQUE INDEX agents_name ON agents (name) WHERE revoked = 0",
        """
        CREATE TABLE enrolment_tokens (
            hash TEXT PRIMARY KEY,
            agent INTEGER REFERENCES agents (id),
            expires_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            used_key TEXT,
            used_agent INTEGER REFERENCES agents (id),
            used_at INTEGER,
            CHECK ((used_key IS NULL) = (used_agent IS NULL) AND (used_key IS NULL) = (used_at IS NULL))
        ) STRICT, WITHOUT ROWID
        """,
    ]
}
