import Foundation
import GRDB
import TestSupport
import Testing

/// Row 3 of the security list: no GET changes anything.
@Suite struct ReadOnlyTests {
    /// Columns that time or the caller's mere coming moves, and why.
    private static let moving: [String: Set<String>] = [
        // When a login or key was last used is noted with each request.
        "login_sessions": ["last_used_at"], "api_keys": ["last_used_at"],
        // Agents say that they live.
        "agents": ["last_seen_at"],
    ]
    /// Tables that are written behind a request, and why.
    private static let left: Set<String> = [
        // How many requests came and how long they took, each minute; and what has ended, brought into the same sums before somebody
        // reads them.
        "stats", "stats_ended",
        // Sizes of indexes for SQLite's planner.
        "sqlite_stat1",
    ]

    private static func hashes(_ path: String) throws -> [String: Int] {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            var hashes: [String: Int] = [:]
            for table in try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
            where !left.contains(table) {
                let columns = try db.columns(in: table).map(\.name).filter { !(moving[table]?.contains($0) ?? false) }
                let names = columns.map(\.quotedDatabaseIdentifier).joined(separator: ", ")
                var hasher = Hasher()
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT \(names) FROM \(table.quotedDatabaseIdentifier) ORDER BY \(names)")
                while let row = try rows.next() {
                    for value in row.databaseValues { hasher.combine(value) }
                }
                hashes[table] = hasher.finalize()
            }
            return hashes
        }
    }

    @Test(.timeLimit(.minutes(3))) func noGETChangesARow() async throws {
        try await Cluster.with { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("echo hello"))
            let run = try cluster.startRun(pipeline)
            try cluster.finish(run)
            let hook = try cluster.api.send(
                "POST", "/api/v1/projects/1/hooks",
                ["name": "h", "source": "generic", "pipelines": [.integer(pipeline)]])
            try #require(hook.status == 201, "\(hook.text)")
            let administrator = APIClient(port: cluster.controller.port)
            try administrator.login("admin", ClusterTemplate.password)
            let text = try String(contentsOfFile: Fixtures.path("../permissions.txt"), encoding: .utf8)
            let paths = text.split(separator: "\n").compactMap { line -> String? in
                let parts = line.split(separator: " ", maxSplits: 4).map(String.init)
                guard !line.hasPrefix("#"), parts.count >= 4, parts[1] == "GET" else { return nil }
                return parts[2].replacing("PROJECT", with: "1").replacing("PIPELINE", with: "\(pipeline)")
                    .replacing("RUN", with: "\(run)")
            }
            #expect(paths.count > 60)
            let database = cluster.controller.dataDirectory + "/ansflow.db"
            // Whatever the run still leaves behind comes to rest first.
            var before: [String: Int] = [:]
            try eventually(within: 20, "nothing changes by itself for two seconds", pause: 2000) {
                let now = try Self.hashes(database)
                defer { before = now }
                return now == before
            }
            var good = 0
            for path in paths {
                for path in Set([path, path.replacing("/999", with: "/1")]) {
                    let answer = try administrator.request("GET", path)
                    #expect(answer.status < 500, "\(path): \(answer.status)")
                    if answer.status < 300 { good += 1 }
                    let after = try Self.hashes(database)
                    let changed = after.filter { before[$0.key] != $0.value }.keys.sorted()
                    #expect(changed.isEmpty, "GET \(path) changed \(changed)")
                    before = after
                }
            }
            #expect(good > 40, "only \(good) of \(paths.count) were answered")
        }
    }
}
