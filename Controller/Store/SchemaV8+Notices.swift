/// What is sent to other servers: statuses of commits, notices, and badges.
enum SchemaV8Notices {
    private static let delivery = """
        state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'gave_up')),
        tries INTEGER NOT NULL CHECK (tries >= 0),
        due_at INTEGER NOT NULL,
        error TEXT
        """
    private static let owner = "project INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE"
    private static let enabled = "enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))"
    private static let times = "created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL"

    static let statements =
        forges + targets + notices + [
            // Up to which event it is decided what is to be sent. What was before is not told after the fact.
            "CREATE TABLE outbox (one INTEGER PRIMARY KEY CHECK (one = 1), event INTEGER NOT NULL) STRICT",
            "INSERT INTO outbox SELECT 1, coalesce(max(id), 0) FROM events",
            """
            CREATE TABLE badges (
                project INTEGER PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
                public INTEGER NOT NULL CHECK (public IN (0, 1))
            ) STRICT
            """,
            "CREATE TABLE badge_tokens (pipeline INTEGER PRIMARY KEY, token TEXT NOT NULL CHECK (token <> '')) STRICT",
        ]

    private static let forges = [
        """
        CREATE TABLE forge_connections (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            \(owner),
            pipeline INTEGER,
            kind TEXT NOT NULL CHECK (kind IN ('github', 'gitlab', 'gitea', 'bitbucket')),
            api TEXT NOT NULL,
            repository TEXT NOT NULL,
            secret TEXT NOT NULL,
            \(enabled),
            \(times)
        ) STRICT
        """,
        "CREATE INDEX forge_connections_project ON forge_connections (project)",
        // One row for what is to stand at a commit: what is newer replaces what is older.
        """
        CREATE TABLE forge_statuses (
            connection INTEGER NOT NULL REFERENCES forge_connections (id) ON DELETE CASCADE,
            "commit" TEXT NOT NULL,
            context TEXT NOT NULL,
            run INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            word TEXT NOT NULL,
            summary TEXT NOT NULL,
            ref TEXT NOT NULL,
            \(delivery),
            -- Since when something waits to be told, or waited last.
            waits_since INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (connection, "commit", context)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX forge_statuses_due ON forge_statuses (due_at, waits_since) WHERE state = 'waiting'",
        "CREATE INDEX forge_statuses_list ON forge_statuses (connection, updated_at)",
    ]

    private static let targets = [
        """
        CREATE TABLE notification_targets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            \(owner),
            name TEXT NOT NULL CHECK (name <> ''),
            format TEXT NOT NULL,
            url TEXT NOT NULL,
            url_secret TEXT NOT NULL,
            signing_secret TEXT NOT NULL,
            \(enabled),
            \(times),
            CHECK ((url = '') <> (url_secret = ''))
        ) STRICT
        """,
        "CREATE UNIQUE INDEX notification_targets_name ON notification_targets (project, name)",
        """
        CREATE TABLE notification_rules (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            \(owner),
            pipeline INTEGER,
            name TEXT NOT NULL CHECK (name <> ''),
            events TEXT NOT NULL,
            in_app INTEGER NOT NULL CHECK (in_app IN (0, 1)),
            target INTEGER REFERENCES notification_targets (id),
            \(enabled),
            \(times)
        ) STRICT
        """,
        "CREATE INDEX notification_rules_project ON notification_rules (project)",
        "CREATE INDEX notification_rules_target ON notification_rules (target)",
        """
        CREATE TABLE notice_deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            target INTEGER NOT NULL REFERENCES notification_targets (id) ON DELETE CASCADE,
            rule INTEGER,
            notice BLOB NOT NULL,
            \(delivery),
            answer INTEGER,
            \(times)
        ) STRICT
        """,
        "CREATE UNIQUE INDEX notice_deliveries_key ON notice_deliveries (key)",
        "CREATE INDEX notice_deliveries_waiting ON notice_deliveries (target, id) WHERE state = 'waiting'",
        "CREATE INDEX notice_deliveries_target ON notice_deliveries (target, id)",
        "CREATE INDEX notice_deliveries_rule ON notice_deliveries (rule, id)",
    ]

    private static let notices = [
        """
        CREATE TABLE notices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            -- Empty: it is about the whole instance.
            project INTEGER REFERENCES projects (id) ON DELETE CASCADE,
            notice BLOB NOT NULL,
            at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX notices_key ON notices (key)",
        "CREATE INDEX notices_project ON notices (project, id)",
        """
        CREATE TABLE notice_reads (
            user INTEGER NOT NULL,
            notice INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
            at INTEGER NOT NULL,
            PRIMARY KEY (user, notice)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX notice_reads_notice ON notice_reads (notice)",
    ]
}
