/// Projects and pipelines that go with all that belongs to them.
enum SchemaV13Removals {
    static let statements = [
        // No reference: the row goes behind the target's.
        """
        CREATE TABLE removals (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            scope TEXT NOT NULL CHECK (scope IN ('project', 'pipeline')),
            target INTEGER NOT NULL,
            by TEXT NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (scope, target)
        ) STRICT
        """
    ]
}
