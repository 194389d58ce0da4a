/// Takes away what made the cost of a commit grow with what is stored.
///
/// SQLite looks for children of a deleted parent row by walking the child's table where no index leads there, and of a new one too
/// whenever a deferred reference of the transaction is still open. A job and a step name their newest attempt before its row is
/// written, so each new attempt walked all jobs and steps that ever were. The engine alone writes these columns, from a state that holds
/// both sides; the references go. The way is the one that SQLite's documentation of ALTER TABLE gives for constraints that leave the stored
/// rows as they are.
enum SchemaV6References {
    static let statements =
        ["PRAGMA writable_schema = ON"]
        + [
            ("jobs", "REFERENCES job_attempts (id) DEFERRABLE INITIALLY DEFERRED"),
            ("steps", "REFERENCES attempts (id) DEFERRABLE INITIALLY DEFERRED"),
            ("attempts", "REFERENCES job_attempts (id)"),
            ("artifact_sets", "REFERENCES jobs (id)"),
        ].map { table, reference in
            """
            UPDATE sqlite_schema SET sql = replace(sql, ' \(reference)', '') WHERE type = 'table' AND name = '\(table)'
            """
        }
        + [
            "PRAGMA writable_schema = RESET",
            "CREATE INDEX idempotency_run ON idempotency (run)",
            // The former triggers compared each count of each pipeline.
            "DROP TRIGGER runs_updated",
            "DROP TRIGGER runs_deleted",
            """
            CREATE TRIGGER runs_updated AFTER UPDATE OF phase, outcome ON runs WHEN NEW.status <> OLD.status BEGIN
                \(discounted) \(counted)
            END
            """,
            "CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN \(discounted) END",
        ]

    private static let discounted = [("0", "0"), ("1", "OLD.project"), ("2", "OLD.pipeline")].map { scope, id in
        "UPDATE run_counts SET n = n - 1 WHERE scope = \(scope) AND scope_id = \(id) AND status = OLD.status;"
    }.joined(separator: "\n")

    private static let counted = """
        INSERT INTO run_counts VALUES
            (0, 0, NEW.status, 1), (1, NEW.project, NEW.status, 1), (2, NEW.pipeline, NEW.status, 1)
        ON CONFLICT (scope, scope_id, status) DO UPDATE SET n = n + 1;
        """
}
