import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database {
    package func targets(of project: ProjectID) async throws -> [NotificationTarget] {
        try await read { db in try Self.targets(db, project) }
    }

    static func targets(_ db: Connection, _ project: ProjectID?) throws -> [NotificationTarget] {
        try db.all(
            """
            SELECT \(NotificationTarget.columns) FROM notification_targets WHERE ?1 IS NULL OR project = ?1
            ORDER BY project, name
            """, { $0.add(project) }
        ) { try NotificationTarget(&$0) }
    }

    package func target(_ id: Int64) async throws -> NotificationTarget? {
        try await read { db in
            try db.first(
                "SELECT \(NotificationTarget.columns) FROM notification_targets WHERE id = ?", { $0.add(id) }
            ) { try NotificationTarget(&$0) }
        }
    }

    package func save(_ target: NotificationTarget) async throws -> NotificationTarget? {
        try await write { db in
            try Self.check(
                db, "notification_targets", target.project, nil, isNew: target.id == 0,
                max: NotificationTarget.perProjectMax)
            let holder = try db.first(
                "SELECT id FROM notification_targets WHERE project = ? AND name = ?",
                {
                    $0.add(target.project)
                    $0.add(target.name)
                }
            ) { $0.int64() }
            if let holder, holder != target.id { throw NoticeChange.nameTaken }
            func fill(_ arguments: inout Arguments) {
                arguments.add(target.name)
                arguments.add(target.format)
                arguments.add(target.url)
                arguments.add(target.urlSecret)
                arguments.add(target.signingSecret)
                arguments.add(target.enabled)
                arguments.add(target.updatedAt)
            }
            var stored = target
            if target.id == 0 {
                try db.run(
                    """
                    INSERT INTO notification_targets
                        (project, created_at, name, format, url, url_secret, signing_secret, enabled, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
                ) {
                    $0.add(target.project)
                    $0.add(target.createdAt)
                    fill(&$0)
                }
                stored.id = db.lastInsertedRowID
                return stored
            }
            try db.run(
                """
                UPDATE notification_targets SET name = ?, format = ?, url = ?, url_secret = ?, signing_secret = ?,
                    enabled = ?, updated_at = ? WHERE id = ? AND project = ?
                """
            ) {
                fill(&$0)
                $0.add(target.id)
                $0.add(target.project)
            }
            return db.changesCount == 1 ? stored : nil
        }
    }

    package func deleteTarget(_ id: Int64) async throws -> Bool {
        try await write { db in
            let used = try db.first("SELECT 1 FROM notification_rules WHERE target = ?", { $0.add(id) }) { $0.int() }
            guard used == nil else { throw NoticeChange.inUse }
            try db.run("DELETE FROM notification_targets WHERE id = ?") { $0.add(id) }
            return db.changesCount > 0
        }
    }

    package func rules(of project: ProjectID?) async throws -> [NotificationRule] {
        try await read { db in try Self.rules(db, project) }
    }

    static func rules(_ db: Connection, _ project: ProjectID?) throws -> [NotificationRule] {
        try db.all(
            """
            SELECT \(NotificationRule.columns) FROM notification_rules WHERE ?1 IS NULL OR project = ?1 ORDER BY id
            """, { $0.add(project) }
        ) { try NotificationRule(&$0) }
    }

    package func rule(_ id: Int64) async throws -> NotificationRule? {
        try await read { db in
            try db.first("SELECT \(NotificationRule.columns) FROM notification_rules WHERE id = ?", { $0.add(id) }) {
                try NotificationRule(&$0)
            }
        }
    }

    package func save(_ rule: NotificationRule) async throws -> NotificationRule? {
        try await write { db in
            try Self.check(
                db, "notification_rules", rule.project, rule.pipeline, isNew: rule.id == 0,
                max: NotificationRule.perProjectMax)
            if let target = rule.target {
                let found = try db.first(
                    "SELECT 1 FROM notification_targets WHERE id = ? AND project = ?",
                    {
                        $0.add(target)
                        $0.add(rule.project)
                    }
                ) { $0.int() }
                guard found != nil else { throw NoticeChange.noTarget }
            }
            func fill(_ arguments: inout Arguments) {
                arguments.add(rule.pipeline)
                arguments.add(rule.name)
                arguments.add(rule.events.map(\.rawValue))
                arguments.add(rule.inApp)
                arguments.add(rule.target)
                arguments.add(rule.enabled)
                arguments.add(rule.updatedAt)
            }
            var stored = rule
            if rule.id == 0 {
                try db.run(
                    """
                    INSERT INTO notification_rules
                        (project, created_at, pipeline, name, events, in_app, target, enabled, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
                ) {
                    $0.add(rule.project)
                    $0.add(rule.createdAt)
                    fill(&$0)
                }
                stored.id = db.lastInsertedRowID
                return stored
            }
            try db.run(
                """
                UPDATE notification_rules SET pipeline = ?, name = ?, events = ?, in_app = ?, target = ?, enabled = ?,
                    updated_at = ? WHERE id = ? AND project = ?
                """
            ) {
                fill(&$0)
                $0.add(rule.id)
                $0.add(rule.project)
            }
            return db.changesCount == 1 ? stored : nil
        }
    }

    package func deleteRule(_ id: Int64) async throws -> Bool {
        try await write { db in
            try db.run("DELETE FROM notification_rules WHERE id = ?") { $0.add(id) }
            return db.changesCount > 0
        }
    }

    package func deliveries(ofRule rule: Int64, page: Int, perPage: Int) async throws -> Page<NoticeDeliveryView> {
        let range = PageRange(page: page, perPage: perPage)
        return try await read { db in
            let total = try db.first("SELECT count(*) FROM notice_deliveries WHERE rule = ?", { $0.add(rule) }) {
                $0.int()
            }
            let items = try db.all(
                """
                SELECT \(NoticeDeliveryView.columns) FROM notice_deliveries d WHERE d.rule = ? ORDER BY d.id DESC
                LIMIT ? OFFSET ?
                """,
                {
                    $0.add(rule)
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try NoticeDeliveryView(&$0) }
            return Page(items: items, total: total ?? 0)
        }
    }

    package func delivery(_ id: Int64) async throws -> NoticeDeliveryView? {
        try await read { db in
            try db.first("SELECT \(NoticeDeliveryView.columns) FROM notice_deliveries d WHERE d.id = ?", { $0.add(id) })
            {
                try NoticeDeliveryView(&$0)
            }
        }
    }
}
