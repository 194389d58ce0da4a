/// Deliveries are found by their state without a look at their bodies, which stand before it in a row.
enum SchemaV17Deliveries {
    static let statements = [
        "DROP INDEX deliveries_due",
        "CREATE INDEX deliveries_state ON deliveries (state, id, retry_at, stored_bytes, received_at)",
        """
        CREATE INDEX deliveries_retry ON deliveries (retry_at, id, stored_bytes) WHERE state = 'failed' AND retry_at IS NOT NULL
        """,
        "CREATE INDEX deliveries_project ON deliveries (project, id)",
        "CREATE INDEX deliveries_hook ON deliveries (hook, id)",
    ]
}
