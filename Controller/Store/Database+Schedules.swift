package import ControllerCore
import GRDB

extension Database: ScheduleRepository {
    package func schedules(of pipeline: PipelineID) async throws -> [ScheduleRow] {
        try await read { db in
            try db.all(
                """
                SELECT s.pipeline, s.name, s.at, s.zone, s.enabled, s.since, s.error, s.error_at, f.slot, f.run
                FROM schedules s
                LEFT JOIN schedule_slots f ON f.pipeline = s.pipeline AND f.name = s.name AND f.slot =
                    (SELECT max(slot) FROM schedule_slots WHERE pipeline = s.pipeline AND name = s.name)
                WHERE s.pipeline = ? ORDER BY s.name
                """, { $0.add(pipeline) }
            ) {
                ScheduleRow(
                    pipeline: $0.id(), name: $0.text(), at: $0.text(), zone: $0.text(), enabled: $0.bool(),
                    since: $0.int64(), error: $0.textOrNil(), errorAt: $0.int64OrNil(), lastSlot: $0.int64OrNil(),
                    lastRun: $0.idOrNil())
            }
        }
    }

    package func save(_ row: ScheduleRow) async throws {
        try await write { db in
            try db.run(
                """
                INSERT INTO schedules (pipeline, name, at, zone, enabled, since, error, error_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (pipeline, name) DO UPDATE SET at = excluded.at, zone = excluded.zone,
                    enabled = excluded.enabled, since = excluded.since, error = excluded.error,
                    error_at = excluded.error_at
                """
            ) {
                $0.add(row.pipeline)
                $0.add(row.name)
                $0.add(row.at)
                $0.add(row.zone)
                $0.add(row.enabled)
                $0.add(row.since)
                $0.add(row.error)
                $0.add(row.errorAt)
            }
        }
    }

    package func keepSchedules(_ names: Set<String>, of pipeline: PipelineID) async throws {
        try await write { db in
            let stored = try db.all("SELECT name FROM schedules WHERE pipeline = ?", { $0.add(pipeline) }) { $0.text() }
            for name in stored where !names.contains(name) {
                try db.run("DELETE FROM schedules WHERE pipeline = ? AND name = ?") {
                    $0.add(pipeline)
                    $0.add(name)
                }
            }
        }
    }

    package func hasFired(_ slot: ScheduleSlot) async throws -> Bool {
        try await read { db in
            try db.first(
                "SELECT 1 FROM schedule_slots WHERE pipeline = ? AND name = ? AND slot = ?",
                {
                    $0.add(slot.pipeline)
                    $0.add(slot.name)
                    $0.add(slot.slot)
                }
            ) { $0.int() } != nil
        }
    }

    package func lastFired(_ pipeline: PipelineID, _ name: String, through instant: Int64) async throws -> Int64? {
        try await read { db in
            try db.first(
                "SELECT slot FROM schedule_slots WHERE pipeline = ? AND name = ? AND slot <= ? ORDER BY slot DESC LIMIT 1",
                {
                    $0.add(pipeline)
                    $0.add(name)
                    $0.add(instant)
                }
            ) { $0.int64() }
        }
    }
}

extension ScheduleSlot {
    /// Slots that are kept of one schedule: more than a day of minutes.
    private static let keptMax = 2_000

    /// Notes the run of the slot, in the transaction that makes it.
    func note(_ run: RunID, _ db: Connection) throws {
        try db.run(
            "INSERT INTO schedule_slots (pipeline, name, slot, run) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ) {
            $0.add(pipeline)
            $0.add(name)
            $0.add(slot)
            $0.add(run)
        }
        guard db.changesCount == 1 else {
            throw CommitFailure.refused("The slot \(slot) of the schedule \(name) has a run already.")
        }
        try db.run(
            """
            DELETE FROM schedule_slots WHERE pipeline = ?1 AND name = ?2 AND slot <
                (SELECT slot FROM schedule_slots WHERE pipeline = ?1 AND name = ?2
                 ORDER BY slot DESC LIMIT 1 OFFSET \(Self.keptMax))
            """
        ) {
            $0.add(pipeline)
            $0.add(name)
        }
    }
}
