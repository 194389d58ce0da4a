/// The life of a run beyond a single pass: retries, groups, approvals, deployments, reruns.
enum SchemaV4Life {
    static let statements =
        columns(
            "runs",
            [
                "trusted INTEGER NOT NULL DEFAULT 1 CHECK (trusted IN (0, 1))",
                // No reference: the run that was repeated may be deleted first.
                "origin INTEGER",
                "rerun TEXT CHECK (rerun IS NULL OR rerun IN ('all', 'failed', 'from'))",
                "concurrency_group TEXT",
                "group_since INTEGER",
            ])
        + columns(
            "jobs",
            [
                "environment TEXT",
                "concurrency_group TEXT",
                "group_since INTEGER",
                "retries INTEGER NOT NULL DEFAULT 0 CHECK (retries >= 0)",
                "retry_at INTEGER",
                "carried_from INTEGER",
                "carried_outputs TEXT NOT NULL DEFAULT '{}'",
            ])
        + columns("steps", ["retries INTEGER NOT NULL DEFAULT 0 CHECK (retries >= 0)", "retry_at INTEGER"])
        + columns("job_attempts", ["message TEXT", "outputs TEXT NOT NULL DEFAULT '{}'"])
        + [
            "CREATE INDEX jobs_environment ON jobs (environment, id) WHERE environment IS NOT NULL",
            // Job 0 is the whole run.
            """
            CREATE TABLE approvals (
                run INTEGER NOT NULL REFERENCES runs (id),
                job INTEGER NOT NULL,
                state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'declined', 'expired', 'withdrawn')),
                answered_by TEXT,
                reason TEXT,
                inputs TEXT NOT NULL,
                asked_at INTEGER NOT NULL,
                answered_at INTEGER,
                deadline INTEGER NOT NULL,
                PRIMARY KEY (run, job),
                CHECK (state <> 'waiting' OR answered_at IS NULL)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX approvals_waiting ON approvals (run, job) WHERE state = 'waiting'",
            """
            CREATE TRIGGER approvals_final BEFORE UPDATE ON approvals
            WHEN OLD.state <> 'waiting' AND (NEW.state IS NOT OLD.state OR NEW.answered_by IS NOT OLD.answered_by
                OR NEW.reason IS NOT OLD.reason OR NEW.inputs IS NOT OLD.inputs OR NEW.asked_at IS NOT OLD.asked_at
                OR NEW.answered_at IS NOT OLD.answered_at OR NEW.deadline IS NOT OLD.deadline)
            BEGIN SELECT RAISE(ABORT, 'an approval that was answered never changes'); END
            """,
            """
            CREATE TRIGGER approvals_kept BEFORE DELETE ON approvals WHEN OLD.state = 'waiting'
            BEGIN SELECT RAISE(ABORT, 'an approval that waits can''t be deleted'); END
            """,
            // What has ended never changes: the columns above belong to it. A job and a step may go back from their end when
            // they are tried again; their attempts may not.
            """
            CREATE TRIGGER runs_final_life BEFORE UPDATE ON runs
            WHEN OLD.phase = 'finished' AND (NEW.trusted IS NOT OLD.trusted OR NEW.origin IS NOT OLD.origin
                OR NEW.rerun IS NOT OLD.rerun OR NEW.concurrency_group IS NOT OLD.concurrency_group
                OR NEW.group_since IS NOT OLD.group_since)
            BEGIN SELECT RAISE(ABORT, 'a finished row of runs never changes'); END
            """,
            """
            CREATE TRIGGER job_attempts_final_life BEFORE UPDATE ON job_attempts
            WHEN OLD.outcome IS NOT NULL AND (NEW.message IS NOT OLD.message OR NEW.outputs IS NOT OLD.outputs)
            BEGIN SELECT RAISE(ABORT, 'a finished row of job_attempts never changes'); END
            """,
        ]

    private static func columns(_ table: String, _ definitions: [String]) -> [String] {
        definitions.map { "ALTER TABLE \(table) ADD COLUMN \($0)" }
    }
}
