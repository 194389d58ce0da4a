/// Rules and connections of one pipeline go with it.
enum SchemaV14DeadRules {
    static let statements = [
        "CREATE INDEX notification_rules_pipeline ON notification_rules (pipeline) WHERE pipeline IS NOT NULL",
        "CREATE INDEX forge_connections_pipeline ON forge_connections (pipeline) WHERE pipeline IS NOT NULL",
        """
        DELETE FROM notification_rules WHERE pipeline IS NOT NULL
            AND pipeline NOT IN (SELECT id FROM pipelines WHERE deleted_at IS NULL)
        """,
        """
        DELETE FROM forge_connections WHERE pipeline IS NOT NULL
            AND pipeline NOT IN (SELECT id FROM pipelines WHERE deleted_at IS NULL)
        """,
    ]
}
