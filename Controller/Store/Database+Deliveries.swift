import AnsFlowProtocol
package import ControllerCore
import GRDB

// Deliveries: what came, and what came of it.
extension Database: WebhookRepository {
    package func receive(_ deliveries: [NewDelivery]) async throws -> [DeliveryReceipt] {
        try await write { [waitingDeliveries] db in
            var receipts: [DeliveryReceipt] = []
            for new in deliveries {
                if let copy = try new.copy(db) {
                    try db.run(
                        "UPDATE deliveries SET duplicates = duplicates + 1, last_duplicate_at = ? WHERE id = ?"
                    ) {
                        $0.add(new.row.receivedAt)
                        $0.add(copy)
                    }
                    receipts.append(.duplicate(copy))
                    continue
                }
                guard try waitingDeliveries.hasRoom(db, now: new.row.receivedAt) else {
                    receipts.append(.full)
                    continue
                }
                try db.run(DeliveryRow.insert, new.row.fill)
                receipts.append(.stored(DeliveryID(db.lastInsertedRowID)))
                waitingDeliveries.added(bytes: new.row.body?.count ?? 0)
            }
            return receipts
        }
    }

    package func claimDeliveries(limit: Int, now: Int64) async throws -> [DeliveryRow] {
        // A time beyond any pause was noted by a clock that has been set back since.
        let beyond = now + (WebhookLimits.pausesMs.max() ?? 0)
        let ids: @Sendable (Connection) throws -> [DeliveryID] = { db in
            try db.all(
                DeliverySQL.due,
                {
                    $0.add(now)
                    $0.add(beyond)
                    $0.add(limit)
                }
            ) { $0.id() }
        }
        guard try await !read({ try ids($0) }).isEmpty else { return [] }
        return try await write { db in
            let rows = try ids(db).compactMap { id in
                try db.first("\(DeliveryRow.select(body: true)) WHERE d.id = ?", { $0.add(id) }) {
                    try DeliveryRow(&$0)
                }
            }
            for row in rows {
                try db.run(
                    "UPDATE deliveries SET state = 'judging', tries = tries + 1, retry_at = NULL WHERE id = ?"
                ) { $0.add(row.id) }
            }
            return rows.map { row in
                var row = row
                row.state = .judging
                row.tries += 1
                row.retryAt = nil
                return row
            }
        }
    }

    package func releaseDeliveries() async throws {
        try await write { db in
            try db.run("UPDATE deliveries SET state = 'received' WHERE state = 'judging'") { _ in }
        }
    }

    package func retryDelivery(_ id: DeliveryID, at: Int64?, message: String) async throws {
        try await write { db in
            try db.run(
                "UPDATE deliveries SET state = 'failed', retry_at = ?, message = ? WHERE id = ? AND state = 'judging'"
            ) {
                $0.add(at)
                $0.add(message)
                $0.add(id)
            }
        }
    }

    // MARK: Reading

    package func deliveries(
        _ filter: DeliveryFilter, page: Int, perPage: Int
    ) async throws -> Page<DeliveryView> {
        let range = PageRange(page: page, perPage: perPage)
        var words = ["1"]
        var arguments = Arguments()
        if let hook = filter.hook {
            words.append("d.hook = ?")
            arguments.add(hook)
        }
        if let seen = filter.visible.condition("d.project", project: filter.project, &arguments) { words.append(seen) }
        if let source = filter.source {
            words.append("d.source = ?")
            arguments.add(source)
        }
        if let state = filter.state {
            words.append("d.state = ?")
            arguments.add(state)
        }
        if let event = filter.event {
            words.append("d.event = ?")
            arguments.add(event)
        }
        if let since = filter.since {
            words.append("d.received_at >= ?")
            arguments.add(since)
        }
        if let until = filter.until {
            words.append("d.received_at <= ?")
            arguments.add(until)
        }
        if let text = filter.text {
            words.append("(d.delivery LIKE ? ESCAPE '\\' OR d.message LIKE ? ESCAPE '\\')")
            arguments.add(LikePattern.part(text))
            arguments.add(LikePattern.part(text))
        }
        if let after = filter.after {
            words.append(filter.isOldestFirst ? "d.id > ?" : "d.id < ?")
            arguments.add(after)
        }
        let (match, given) = (words.joined(separator: " AND "), arguments)
        let direction = filter.isOldestFirst ? "ASC" : "DESC"
        return try await read { db in
            let total = try db.first("SELECT count(*) FROM deliveries d WHERE \(match)", { $0 = given }) { $0.int() }
            let rows = try db.all(
                "\(DeliveryRow.select(body: false)) WHERE \(match) ORDER BY d.id \(direction) LIMIT ? OFFSET ?",
                {
                    $0 = given
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try DeliveryRow(&$0) }
            return Page(items: try rows.map { try Self.view(db, $0) }, total: total ?? 0)
        }
    }

    package func delivery(_ id: DeliveryID) async throws -> DeliveryView? {
        try await read { db in
            let row = try db.first("\(DeliveryRow.select(body: true)) WHERE d.id = ?", { $0.add(id) }) {
                try DeliveryRow(&$0)
            }
            return try row.map { try Self.view(db, $0) }
        }
    }

    package func delivery(named name: String, of hook: HookID) async throws -> DeliveryID? {
        try await read { db in try DeliveryRow.id(db, name, of: hook) }
    }

    private static func view(_ db: Connection, _ row: DeliveryRow) throws -> DeliveryView {
        let name = try db.first("SELECT name FROM hooks WHERE id = ?", { $0.add(row.hook) }) { $0.text() }
        let verdicts = try db.all(
            """
            SELECT part, pipeline, pipeline_name, outcome, message, run FROM delivery_verdicts WHERE delivery = ?
            ORDER BY part, pipeline
            """, { $0.add(row.id) }
        ) {
            DeliveryVerdict(
                part: $0.int(), pipeline: $0.id(), pipelineName: $0.text(), outcome: try $0.word(),
                message: $0.text(), run: $0.idOrNil())
        }
        return DeliveryView(row: row, hookName: name ?? "", verdicts: verdicts)
    }

    // MARK: Retention

    package func sweepDeliveries(now: Int64) async throws -> Int {
        try await write { db in
            try db.run(
                DeliverySQL.sweep
            ) { $0.add(now - WebhookLimits.keptMs) }
            var count = db.changesCount
            // The newest bodies that fit together stay.
            try db.run(
                DeliverySQL.dropBodies
            ) {
                $0.add(WebhookLimits.bodiesBytesMax)
                $0.add(now - WebhookLimits.bodyKeptMs)
            }
            count += db.changesCount
            return count
        }
    }

    // MARK: Heads

    package func heads(of hook: HookID) async throws -> [HookHead] {
        try await read { db in
            try db.all(
                "SELECT branch, commit_id FROM hook_heads WHERE hook = ? ORDER BY branch", { $0.add(hook) }
            ) { HookHead(branch: $0.text(), commit: $0.text()) }
        }
    }

    package func saveHeads(_ heads: [HookHead], of hook: HookID) async throws {
        try await write { db in
            for head in heads {
                try db.run(
                    """
                    INSERT INTO hook_heads (hook, branch, commit_id) VALUES (?, ?, ?)
                    ON CONFLICT (hook, branch) DO UPDATE SET commit_id = excluded.commit_id
                    """
                ) {
                    $0.add(hook)
                    $0.add(head.branch)
                    $0.add(head.commit)
                }
            }
        }
    }

    package func removeHeads(_ branches: [String], of hook: HookID) async throws {
        try await write { db in
            for branch in branches {
                try db.run("DELETE FROM hook_heads WHERE hook = ? AND branch = ?") {
                    $0.add(hook)
                    $0.add(branch)
                }
            }
        }
    }
}

extension DeliveryRow {
    fileprivate static func id(_ db: Connection, _ delivery: String, of hook: HookID) throws -> DeliveryID? {
        try db.first(
            "SELECT id FROM deliveries WHERE hook = ? AND delivery = ?",
            {
                $0.add(hook)
                $0.add(delivery)
            }
        ) { $0.id() }
    }
}

extension NewDelivery {
    /// The delivery that this one is a copy of.
    fileprivate func copy(_ db: Connection) throws -> DeliveryID? {
        let same = try DeliveryRow.id(db, row.delivery, of: row.hook)
        if let same { return same }
        let since: Int64
        switch copies {
        case .byID: return nil
        case .byBody: since = 0
        case .byBodyWithin(let ms): since = row.receivedAt - ms
        }
        // A replay is somebody's own wish and no reason to take a sender's delivery for a copy.
        return try db.first(
            """
            SELECT id FROM deliveries WHERE hook = ? AND body_hash = ? AND received_at >= ? AND replay_of IS NULL
            ORDER BY id LIMIT 1
            """,
            {
                $0.add(row.hook)
                $0.add(row.bodyHash)
                $0.add(since)
            }
        ) { $0.id() }
    }
}

extension DeliveryJudgement {
    /// Marks the delivery judged, in the transaction that makes its runs.
    func write(_ db: Connection) throws {
        try db.run(
            """
            UPDATE deliveries SET state = 'judged', retry_at = NULL, judged_at = ?, message = ?
            WHERE id = ? AND state <> 'judged'
            """
        ) {
            $0.add(at)
            $0.add(message)
            $0.add(delivery)
        }
        guard db.changesCount == 1 else {
            throw CommitFailure.refused("The delivery \(delivery) is unknown or judged already.")
        }
        for head in heads {
            if head.commit.isEmpty {
                try db.run(
                    "DELETE FROM hook_heads WHERE branch = ? AND hook = (SELECT hook FROM deliveries WHERE id = ?)"
                ) {
                    $0.add(head.branch)
                    $0.add(delivery)
                }
            } else {
                try db.run(
                    """
                    INSERT INTO hook_heads (hook, branch, commit_id) SELECT hook, ?, ? FROM deliveries WHERE id = ?
                    ON CONFLICT (hook, branch) DO UPDATE SET commit_id = excluded.commit_id
                    """
                ) {
                    $0.add(head.branch)
                    $0.add(head.commit)
                    $0.add(delivery)
                }
            }
        }
        for verdict in verdicts {
            try db.run(
                """
                INSERT INTO delivery_verdicts (delivery, part, pipeline, pipeline_name, outcome, message, run)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
            ) {
                $0.add(delivery)
                $0.add(verdict.part)
                $0.add(verdict.pipeline)
                $0.add(verdict.pipelineName)
                $0.add(verdict.outcome)
                $0.add(verdict.message)
                $0.add(verdict.run)
            }
        }
    }
}
