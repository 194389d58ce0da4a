/// The statements on deliveries that must not walk all that are kept: bodies make such a walk long.
enum DeliverySQL {
    /// Ids of what is to be judged now, oldest first. Takes now, a time that no pause reaches, and how many.
    static let due = """
        SELECT id FROM (
            SELECT id FROM (SELECT id FROM deliveries WHERE state = 'received' ORDER BY id LIMIT ?3)
            UNION ALL
            SELECT id FROM deliveries INDEXED BY deliveries_retry
            WHERE state = 'failed' AND retry_at IS NOT NULL AND retry_at <= ?1
            UNION ALL
            SELECT id FROM deliveries INDEXED BY deliveries_retry
            WHERE state = 'failed' AND retry_at IS NOT NULL AND retry_at > ?2
        ) ORDER BY id LIMIT ?3
        """
    /// How many wait to be judged, and their stored bytes.
    static let waiting = """
        SELECT count(*), coalesce(sum(bytes), 0) FROM (
            SELECT stored_bytes AS bytes FROM deliveries WHERE state IN ('received', 'judging')
            UNION ALL
            SELECT stored_bytes FROM deliveries INDEXED BY deliveries_retry
            WHERE state = 'failed' AND retry_at IS NOT NULL)
        """
    private static let ended = "(state = 'judged' OR state = 'failed' AND retry_at IS NULL)"
    /// Takes the time before which deliveries go.
    static let sweep = """
        DELETE FROM deliveries WHERE id IN
            (SELECT id FROM deliveries WHERE received_at < ? AND \(ended) LIMIT 5000)
        """
    /// The newest bodies that fit together stay. Takes their bytes, and the time before which all go.
    static let dropBodies = """
        UPDATE deliveries SET body = NULL, stored_bytes = 0 WHERE id IN (
            SELECT id FROM (
                SELECT id, received_at, sum(stored_bytes) OVER (ORDER BY id DESC) AS total
                FROM deliveries INDEXED BY deliveries_state WHERE stored_bytes > 0 AND \(ended))
            WHERE total > ? OR received_at < ?)
        """
}
