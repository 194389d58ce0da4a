/// Statistics by hour and wider spans.
enum SchemaV11Analytics {
    static let statements = [
        """
        CREATE TABLE stats (
            scope INTEGER NOT NULL,
            -- Hours of the span: 1, 24, 192 or 1536.
            level INTEGER NOT NULL,
            at INTEGER NOT NULL,
            -- No reference: what is gone stays counted.
            id INTEGER NOT NULL,
            name TEXT NOT NULL,
            success INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            cancelled INTEGER NOT NULL,
            skipped INTEGER NOT NULL,
            durations BLOB NOT NULL,
            queues BLOB NOT NULL,
            PRIMARY KEY (scope, level, at, id, name)
        ) STRICT, WITHOUT ROWID
        """,
        // What has ended and is not counted yet. Written by triggers in the transaction that ends it, taken away in the one that
        // counts it: so each is counted once.
        "CREATE TABLE stats_ended (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id INTEGER NOT NULL) STRICT",
        """
        CREATE TRIGGER stats_run_ended AFTER UPDATE OF phase ON runs WHEN NEW.phase = 'finished' AND OLD.phase <> 'finished'
        BEGIN INSERT INTO stats_ended (kind, id) VALUES (1, NEW.id); END
        """,
        """
        CREATE TRIGGER stats_run_born_ended AFTER INSERT ON runs WHEN NEW.phase = 'finished'
        BEGIN INSERT INTO stats_ended (kind, id) VALUES (1, NEW.id); END
        """,
        """
        CREATE TRIGGER stats_attempt_ended AFTER UPDATE OF outcome ON attempts
        WHEN NEW.outcome IS NOT NULL AND OLD.outcome IS NULL
        BEGIN INSERT INTO stats_ended (kind, id) VALUES (2, NEW.id); END
        """,
        """
        CREATE TRIGGER stats_attempt_born_ended AFTER INSERT ON attempts WHEN NEW.outcome IS NOT NULL
        BEGIN INSERT INTO stats_ended (kind, id) VALUES (2, NEW.id); END
        """,
        "INSERT INTO stats_ended (kind, id) SELECT 1, id FROM runs WHERE phase = 'finished'",
        "INSERT INTO stats_ended (kind, id) SELECT 2, id FROM attempts WHERE outcome IS NOT NULL",
    ]
}
