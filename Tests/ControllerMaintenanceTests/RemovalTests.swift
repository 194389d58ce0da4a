import AnsFlowProtocol
import ControllerCore
import ControllerStore
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ControllerMaintenance

/// Projects and pipelines that go with all that belongs to them.
@Suite struct RemovalTests {
    private func with(_ body: (Bench) async throws -> Void) async throws {
        let bench = try await Bench()
        do {
            try await body(bench)
        } catch {
            await bench.end()
            throw error
        }
        await bench.end()
    }

    /// Rows of all tables, by name.
    private func counts(_ bench: Bench) throws -> [String: Int] {
        let queue = try DatabaseQueue(path: bench.path + "/ansflow.db")
        defer { try? queue.close() }
        return try queue.read { db in
            var counts: [String: Int] = [:]
            let names = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
            for name in names {
                counts[name] = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(name.quotedDatabaseIdentifier)")
            }
            return counts
        }
    }

    private func fill(_ bench: Bench, _ project: ProjectID) async throws {
        let queue = try DatabaseQueue(path: bench.path + "/ansflow.db")
        defer { try? queue.close() }
        try await queue.write { db in
            let id = project.rawValue
            try db.execute(
                sql: """
                    INSERT INTO hooks (id, project, source, name, enabled, repository_id, repository_url, pipelines, catch_up,
                        created_by, created_at, updated_at) VALUES (1, ?, 'generic', 'h', 1, '', '', '[]', 'off', 'a', 1, 1)
                    """, arguments: [id])
            for number in 1...250 {
                try db.execute(
                    sql: """
                        INSERT INTO deliveries (hook, project, source, source_name, delivery, event, headers, content_type,
                            remote, proof, body_hash, body_bytes, stored_bytes, compressed, received_at, state, tries, message,
                            duplicates)
                        VALUES (1, ?, 'generic', 'g', ?, 'push', '', '', '', '', x'00', 0, 0, 0, 1, 'received', 0, '', 0)
                        """, arguments: [id, "d\(number)"])
                try db.execute(
                    sql: """
                        INSERT INTO delivery_verdicts (delivery, part, pipeline, pipeline_name, outcome, message)
                        VALUES (last_insert_rowid(), 0, 1, 'p1', 'refused', '')
                        """)
            }
            try db.execute(
                sql: """
                    INSERT INTO secrets (project, environment, name, version, key_id, sealed, updated_by, created_at, updated_at)
                    VALUES (?, '', 'S', 1, 'k', x'00', 'a', 1, 1)
                    """, arguments: [id])
            try db.execute(sql: "INSERT INTO badges VALUES (?, 1)", arguments: [id])
            try db.execute(sql: "INSERT INTO badge_tokens VALUES (1, 't')")
            try db.execute(
                sql: """
                    INSERT INTO schedules (pipeline, name, at, zone, enabled, since) VALUES (1, 's', '0 0 * * *', 'UTC', 1, 1)
                    """)
        }
    }

    private static let retentionPolicy = RetentionPolicy()

    @Test func aProjectGoesWithAllThatBelongsToIt() async throws {
        try await with { bench in
            try await fill(bench, .main)
            let run = try await bench.add(age: 1, content: "an artifact")
            let pinned = try await bench.add(pipeline: 2, age: 1)
            try await bench.database.pin(pinned, RunPin(by: "a", note: nil, at: 1))
            await #expect(throws: RemovalRefusal.stale(current: 1)) {
                try await bench.database.beginRemoval(.project(.main), expected: 7, by: "admin", at: 5)
            }
            let retention = bench.retention(Self.retentionPolicy)
            try await bench.database.beginRemoval(.project(.main), expected: 1, by: "admin", at: 5)
            #expect(try await bench.database.project(.main) == nil, "from the intent on nobody finds it")
            #expect(try await bench.database.pipeline(PipelineID(1)) == nil)
            let again = try await bench.database.createProject(
                name: "main", description: "", owner: nil, by: "admin", key: nil, at: 6)
            #expect(again.id != .main, "its name is free at once")
            await #expect(throws: RemovalRefusal.notFound) {
                try await bench.database.beginRemoval(.project(.main), expected: nil, by: "admin", at: 5)
            }
            #expect(try await retention.settle() == false)
            #expect(try await bench.database.begunRemovals().isEmpty)
            #expect(try await !bench.hasRun(run))
            #expect(try await !bench.hasRun(pinned))
            #expect(try await !bench.hasLog(run))
            #expect(!bench.hasContent("an artifact"))
            let left = try counts(bench).filter { $0.value > 0 }
            // The controller's own, and what tells of others.
            let others: Set<String> = [
                "meta", "projects", "agents", "enrolment_tokens", "audit_head", "outbox", "stats", "stats_ended",
                "sqlite_sequence", "sqlite_stat1", "run_counts",
            ]
            #expect(Set(left.keys).subtracting(others).isEmpty, "\(left)")
            #expect(left["projects"] == 1)
        }
    }

    @Test func whatGoesOnIsNotDeleted() async throws {
        try await with { bench in
            let run = try await bench.add(age: 1, finished: false)
            for target in [RemovalTarget.project(.main), .pipeline(PipelineID(1))] {
                await #expect(throws: RemovalRefusal.runsGoOn) {
                    try await bench.database.beginRemoval(target, expected: nil, by: "admin", at: 5)
                }
            }
            #expect(try await bench.hasRun(run))
            #expect(try await bench.database.project(.main) != nil)
        }
    }

    /// A run that was being started while the deletion began is cancelled; what waits for it is taken up again.
    @Test func aRunThatSlippedInIsCancelled() async throws {
        try await with { bench in
            try await bench.database.beginRemoval(.project(.main), expected: nil, by: "admin", at: 5)
            let run = try await bench.add(age: 1, finished: false)
            let cancelled = Mutex<[RunID]>([])
            let retention = bench.retention(
                Self.retentionPolicy, cancel: { run in cancelled.withLock { $0.append(run) } })
            #expect(try await retention.settle(), "it waits")
            #expect(cancelled.withLock { $0 } == [run])
            #expect(try await bench.database.begunRemovals() == [.project(.main)])
        }
    }

    /// As after a kill at each place: another one takes it up.
    @Test func aCutRemovalGoesOn() async throws {
        try await with { bench in
            try await fill(bench, .main)
            for _ in 0..<3 { _ = try await bench.add(age: 1, content: "c") }
            let target = RemovalTarget.project(.main)
            try await bench.database.beginRemoval(target, expected: nil, by: "admin", at: 5)
            #expect(
                try await bench.database.removePart(of: target, limit: 10, now: Bench.now) == .waits, "runs are there")
            #expect(try await bench.database.beginDeletions(of: target, limit: 2, at: 6) == 2)
            #expect(try await bench.database.beginDeletions(of: target, limit: 2, at: 6) == 1)
            #expect(try await bench.database.beginDeletions(of: target, limit: 2, at: 6) == 0)
            for run in try await bench.database.begunDeletions(limit: 10) {
                while try await !bench.database.deletePart(of: run, limit: 3) {}
            }
            let before = try counts(bench)["deliveries"]
            #expect(try await bench.database.removePart(of: target, limit: 10, now: Bench.now) == .more)
            #expect(before == 250)
            #expect(try counts(bench)["hooks"] == 1, "what refers goes first")
            let steps = try await bench.retention(Self.retentionPolicy).settle()
            #expect(!steps)
            let left = try counts(bench)
            #expect(left["projects"] == 0 && left["hooks"] == 0 && left["deliveries"] == 0 && left["secrets"] == 0)
        }
    }

    @Test func aPipelineGoesAloneWithItsRuns() async throws {
        try await with { bench in
            try await fill(bench, .main)
            let gone = try await bench.add(age: 1)
            let stays = try await bench.add(pipeline: 2, age: 1)
            try await bench.database.beginRemoval(.pipeline(PipelineID(1)), expected: 1, by: "admin", at: 5)
            #expect(try await bench.retention(Self.retentionPolicy).settle() == false)
            #expect(try await !bench.hasRun(gone))
            #expect(try await bench.hasRun(stays))
            let left = try counts(bench)
            #expect(left["pipelines"] == 1 && left["hooks"] == 1 && left["secrets"] == 1 && left["schedules"] == 0)
            #expect(left["badge_tokens"] == 0)
            let fresh = try await bench.database.create(
                PipelineDraft(name: "p1", definition: "jobs: {}"), by: "admin", at: 9)
            #expect(fresh.id > PipelineID(2), "ids are not given out again")
        }
    }

    /// A run that was being started before the deletion can be committed behind it, and goes too.
    @Test func whatIsBeingStartedFindsItsPipeline() async throws {
        try await with { bench in
            try await fill(bench, .main)
            let target = RemovalTarget.project(.main)
            try await bench.database.beginRemoval(target, expected: nil, by: "admin", at: Bench.now)
            let retention = bench.retention(Self.retentionPolicy)
            #expect(try await retention.settle() == false)
            var left = try counts(bench)
            #expect(left["pipelines"] == 2 && left["projects"] == 1)
            #expect(left["hooks"] == 0 && left["secrets"] == 0 && left["pipeline_versions"] == 0)
            let late = try await bench.add(age: 0)
            #expect(try await retention.settle() == false)
            #expect(try await !bench.hasRun(late))
            let step = try await bench.database.removePart(
                of: target, limit: 1_000, now: Bench.now + RemovalLimits.graceMs)
            #expect(step == .more)
            let last = try await bench.database.removePart(
                of: target, limit: 1_000, now: Bench.now + RemovalLimits.graceMs)
            #expect(last == .done)
            left = try counts(bench)
            #expect(left["pipelines"] == 0 && left["projects"] == 0 && left["removals"] == 0)
        }
    }

    /// No step of a removal takes more rows than it may, and each ends.
    @Test func stepsAreSmall() async throws {
        try await with { bench in
            try await fill(bench, .main)
            let target = RemovalTarget.project(.main)
            try await bench.database.beginRemoval(target, expected: nil, by: "admin", at: 5)
            var steps = 0
            var rows = try counts(bench).values.reduce(0, +)
            while try await bench.database.removePart(of: target, limit: 50, now: Bench.now) == .more {
                steps += 1
                let now = try counts(bench).values.reduce(0, +)
                // Those of another table that name pipelines without a reference go beside them.
                #expect(rows - now <= 60, "\(rows - now) at once")
                rows = now
            }
            #expect(steps >= 10)
        }
    }
}
