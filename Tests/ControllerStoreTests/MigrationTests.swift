import AnsFlowProtocol
import ControllerCore
import Foundation
import GRDB
import Testing

@testable import ControllerStore

/// Databases that an older AnsFlow made.
@Suite struct MigrationTests {
    /// One made by the first schema, with a run that goes on and one that has ended.
    static func old(_ scratch: Scratch) throws {
        let queue = try DatabaseQueue(path: scratch.path + "/ansflow.db")
        try queue.write { db in
            for statement in Schema.migrations[0] { try db.execute(sql: statement) }
            try db.execute(sql: "PRAGMA user_version = 1")
            try db.execute(
                sql: """
                    INSERT INTO pipelines (id, project, name, definition, repository_url, ref, enabled, version,
                        created_at, updated_at) VALUES (1, 1, 'p1', 'jobs: {}', '', '', 1, 1, 1, 1);
                    INSERT INTO agents (id, name, key, labels, slots, version, containment, paused, draining, revoked,
                        created_at) VALUES (1, 'a1', 'k1', '{}', 1, '', '', 0, 0, 0, 1);
                    """)
            for (id, phase, outcome) in [(1, "finished", "'failed'"), (2, "running", "NULL")] {
                try db.execute(
                    sql: """
                        INSERT INTO runs (id, project, pipeline, pipeline_name, pipeline_version, number, event, ref,
                            branch, tag, "commit", inputs, priority, actor, created_at, seq, deadline, phase, outcome)
                        VALUES (\(id), 1, 1, 'p1', 1, \(id), 'manual', '', '', '', '', '{}', 0, 'admin', \(id), 0, 9,
                            '\(phase)', \(outcome));
                        INSERT INTO jobs (id, run, place, name, attempts, phase, outcome)
                        VALUES (\(id), \(id), 0, 'job', 1, '\(phase)', \(outcome));
                        INSERT INTO steps (id, job, run, place, name, attempts, phase, outcome)
                        VALUES (\(id), \(id), \(id), 0, 'step', 0, '\(phase)', \(outcome));
                        INSERT INTO job_attempts (id, job, run, agent, number, started_at, finished_at, outcome)
                        VALUES (\(id), \(id), \(id), 1, 1, 5, \(outcome == "NULL" ? "NULL" : "6"), \(outcome));
                        UPDATE jobs SET attempt = \(id), agent = 1 WHERE id = \(id);
                        """)
                try db.execute(
                    sql: "INSERT INTO run_plans (run, plan) VALUES (?, ?)",
                    arguments: [id, Data(try StoredJSON.bytes(plan()))])
            }
            try db.execute(
                sql: """
                    UPDATE meta SET next_run = 3, next_job = 3, next_step = 3, next_job_attempt = 3, next_attempt = 1
                    """)
        }
        try queue.close()
    }

    @Test func theFirstSchemasRunsAreReadAndGoOn() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try Self.old(scratch)
        let database = try scratch.open()
        #expect(try await database.pragma("user_version") == "\(Schema.newest)")
        #expect(try await database.quickCheck() == [])
        #expect(try await database.pragma("foreign_key_check") == "")

        let ended = try #require(try await database.runDetail(RunID(1)))
        #expect(ended.run.trusted)
        #expect(ended.run.origin == nil && ended.run.rerun == nil && ended.run.group == nil)
        #expect(ended.jobAttempts.first?.outputs == [:])
        #expect(ended.approvals == [])
        let snapshot = try await database.load()
        #expect(snapshot.runs.map(\.row.id) == [RunID(2)])
        let going = try #require(snapshot.runs.first)
        #expect(going.jobs.first?.carriedOutputs == [:])
        #expect(going.jobs.first?.retries == 0 && going.steps.first?.retries == 0)

        // What goes on can be ended, with the new columns; what has ended is as final as before.
        var batch = CommitBatch(clock: 2, counters: snapshot.counters)
        batch.jobAttempts = going.jobAttempts
        batch.jobAttempts[0].outcome = .success
        batch.jobAttempts[0].finishedAt = 9
        batch.jobAttempts[0].outputs = ["a": "b"]
        batch.jobs = going.jobs
        batch.jobs[0].environment = "production"
        batch.jobs[0].retries = 1
        try await database.commit(batch)
        let job = try #require(try await database.runDetail(RunID(2))?.jobs.first)
        #expect(job == batch.jobs[0])
        batch.jobAttempts[0].outputs = [:]
        await #expect(throws: CommitFailure.self) { try await database.commit(batch) }
        batch.jobAttempts = []
        batch.jobs = []
        batch.runs = [ended.run]
        batch.runs[0].group = "late"
        await #expect(throws: CommitFailure.self) { try await database.commit(batch) }
    }

    @Test func openingTwiceMigratesOnce() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        try Self.old(scratch)
        var database = try scratch.open()
        let before = try await database.load()
        try database.close()
        database = try scratch.open()
        #expect(try await database.load() == before)
    }
}
