import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database: AnalyticsKeeping {
    /// So many at a time, so that other writes come in between.
    static let rolledUpMax = 1_000

    package func rollUp() async throws -> Int {
        let waiting = try await read { db in
            try db.first("SELECT EXISTS (SELECT 1 FROM stats_ended)", { _ in }) { $0.bool() } ?? false
        }
        guard waiting else { return 0 }
        return try await write { db in
            guard
                let last = try db.first(
                    "SELECT max(seq) FROM (SELECT seq FROM stats_ended ORDER BY seq LIMIT \(Self.rolledUpMax))",
                    { _ in }, { $0.int64OrNil() }) ?? nil
            else { return 0 }
            var writer = StatsWriter()
            try Self.rollUpRuns(db, until: last, &writer)
            try Self.rollUpAttempts(db, until: last, &writer)
            try writer.write(db)
            try db.run("DELETE FROM stats_ended WHERE seq <= ?") { $0.add(last) }
            return try db.first("SELECT count(*) FROM stats_ended", { _ in }) { $0.int() } ?? 0
        }
    }

    private static func rollUpRuns(_ db: Connection, until last: Int64, _ writer: inout StatsWriter) throws {
        try db.each(
            """
            SELECT r.project, r.pipeline, r.outcome, r.created_at, r.started_at, r.finished_at
            FROM stats_ended e JOIN runs r ON r.id = e.id WHERE e.kind = 1 AND e.seq <= ?
            """, { $0.add(last) }
        ) { columns in
            let (project, pipeline) = (columns.int64(), columns.int64())
            let outcome: Outcome = try columns.word()
            let created = columns.int64()
            let (started, finished) = (columns.int64OrNil(), columns.int64OrNil())
            let end = finished ?? created
            writer.add(
                [StatKey(.all), StatKey(.project, id: project), StatKey(.pipeline, id: pipeline)], at: end,
                StatFigures.Ending(outcome), duration: started.map { end - $0 }, queue: started.map { $0 - created })
        }
    }

    private static func rollUpAttempts(_ db: Connection, until last: Int64, _ writer: inout StatsWriter) throws {
        try db.each(
            """
            SELECT r.pipeline, j.name || '/' || s.name, a.agent, a.outcome, a.created_at, a.started_at, a.finished_at
            FROM stats_ended e JOIN attempts a ON a.id = e.id JOIN steps s ON s.id = a.step JOIN jobs j ON j.id = a.job
            JOIN runs r ON r.id = a.run WHERE e.kind = 2 AND e.seq <= ?
            """, { $0.add(last) }
        ) { columns in
            let pipeline = columns.int64()
            let name = columns.text()
            let agent = columns.int64()
            let outcome: Outcome = try columns.word()
            let created = columns.int64()
            let (started, finished) = (columns.int64OrNil(), columns.int64OrNil())
            let end = finished ?? created
            writer.add(
                [StatKey(.step, id: pipeline, name: name), StatKey(.agent, id: agent)], at: end,
                StatFigures.Ending(outcome), duration: started.map { end - $0 }, queue: started.map { $0 - created })
        }
    }

    package func add(_ rows: [StatKey: StatFigures], at: Int64) async throws {
        guard !rows.isEmpty else { return }
        try await write { db in
            var writer = StatsWriter()
            for (key, figures) in rows { writer.add(key, at: at, figures) }
            try writer.write(db)
        }
    }

    package func prune(now: Int64) async throws {
        try await write { db in
            for scope in StatScope.allCases {
                for level in StatSpan.Level.allCases {
                    try db.run("DELETE FROM stats WHERE scope = ? AND level = ? AND at < ?") {
                        $0.add(scope.rawValue)
                        $0.add(level.rawValue)
                        $0.add(now - level.keptMilliseconds)
                    }
                }
            }
        }
    }
}

extension Database: AnalyticsReading {
    private static let columns = "success, failed, cancelled, skipped, durations, queues"

    package func figures(_ key: StatKey, from: Int64, to: Int64) async throws -> StatFigures {
        try await read { db in
            var sum = StatFigures()
            for span in StatSpan.cover(from: from, to: to) {
                if let figures = try Self.figures(db, key, span) { sum.merge(figures) }
            }
            return sum
        }
    }

    private static func figures(_ db: Connection, _ key: StatKey, _ span: StatSpan) throws -> StatFigures? {
        try db.first(
            "SELECT \(columns) FROM stats WHERE scope = ? AND level = ? AND at = ? AND id = ? AND name = ?",
            {
                $0.add(key.scope.rawValue)
                $0.add(span.level.rawValue)
                $0.add(span.at)
                $0.add(key.id)
                $0.add(key.name)
            }
        ) { try StatsWriter.figures(&$0) }
    }

    package func busiest(
        _ scope: StatScope, ids: Set<Int64>?, from: Int64, to: Int64, limit: Int
    ) async throws -> [StatRow] {
        try await read { db in
            // Who is busiest comes from the counts alone; only the sketches of those are read.
            var totals: [StatKey: Int64] = [:]
            let spans = StatSpan.cover(from: from, to: to)
            for span in spans {
                try db.each(
                    """
                    SELECT id, name, success + failed + cancelled + skipped FROM stats
                    WHERE scope = ? AND level = ? AND at = ?
                    """,
                    {
                        $0.add(scope.rawValue)
                        $0.add(span.level.rawValue)
                        $0.add(span.at)
                    }
                ) { columns in
                    let key = StatKey(scope, id: columns.int64(), name: columns.text())
                    if let ids, !ids.contains(key.id) { return }
                    totals[key, default: 0] += columns.int64()
                }
            }
            let order = totals.sorted { ($1.value, $0.key.id, $0.key.name) < ($0.value, $1.key.id, $1.key.name) }
            var rows: [StatRow] = []
            for (key, _) in order.prefix(max(0, limit)) {
                var sum = StatFigures()
                for span in spans { if let figures = try Self.figures(db, key, span) { sum.merge(figures) } }
                rows.append(StatRow(key: key, title: try Self.title(db, key), figures: sum))
            }
            return rows
        }
    }

    private static func title(_ db: Connection, _ key: StatKey) throws -> String {
        let table: String
        switch key.scope {
        case .project: table = "projects"
        case .pipeline, .step: table = "pipelines"
        case .agent: table = "agents"
        case .all, .route: return key.name
        }
        return try db.first("SELECT name FROM \(table) WHERE id = ?", { $0.add(key.id) }) { $0.text() } ?? ""
    }

    package func trend(
        _ key: StatKey, step: StatSpan.Level, from: Int64, to: Int64
    ) async throws -> [(at: Int64, figures: StatFigures)] {
        try await read { db in
            var points: [(at: Int64, figures: StatFigures)] = []
            var at = step.start(of: from)
            while at < to {
                points.append((at, try Self.figures(db, key, StatSpan(step, at: at)) ?? StatFigures()))
                at += step.milliseconds
            }
            return points
        }
    }
}
