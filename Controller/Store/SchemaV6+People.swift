/// Members and the life of projects, and what users and their logins need beyond the first administrator.
enum SchemaV6People {
    static let statements = [
        "ALTER TABLE projects ADD COLUMN description TEXT NOT NULL DEFAULT ''",
        """
        ALTER TABLE projects ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
            CHECK (state IN ('active', 'archived', 'deleting'))
        """,
        "ALTER TABLE projects ADD COLUMN variables TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE projects ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1)",
        "ALTER TABLE projects ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE projects ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0",
        """
        CREATE TABLE members (
            project INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
            user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('viewer', 'developer', 'maintainer', 'owner')),
            version INTEGER NOT NULL CHECK (version >= 1),
            added_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (project, user)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX members_user ON members (user)",
        "ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1)",
        "ALTER TABLE users ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0",
        "UPDATE users SET updated_at = created_at",
        // A browser's login has no refresh token: the hash is its cookie's.
        """
        ALTER TABLE login_sessions ADD COLUMN kind TEXT NOT NULL DEFAULT 'token' CHECK (kind IN ('token', 'browser'))
        """,
        "ALTER TABLE login_sessions ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0",
        "UPDATE login_sessions SET last_used_at = created_at",
        // What a POST with an `Idempotency-Key` has made, but for runs, which have a table of their own.
        """
        CREATE TABLE made_once (
            key TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            id INTEGER NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX made_once_at ON made_once (at)",
    ]
}
