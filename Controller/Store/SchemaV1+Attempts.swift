extension SchemaV1 {
    // References to what is written later in the same transaction are checked when it commits.
    static let attempts = [
        """
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs (id),
            place INTEGER NOT NULL CHECK (place >= 0),
            name TEXT NOT NULL,
            attempt INTEGER REFERENCES job_attempts (id) DEFERRABLE INITIALLY DEFERRED,
            agent INTEGER REFERENCES agents (id),
            attempts INTEGER NOT NULL CHECK (attempts >= 0),
            queued_at INTEGER,
            started_at INTEGER,
            finished_at INTEGER,
            deadline INTEGER,
            queued_since INTEGER,
            \(state)
        ) STRICT
        """,
        "CREATE UNIQUE INDEX jobs_place ON jobs (run, place)",
        """
        CREATE TABLE steps (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES jobs (id),
            run INTEGER NOT NULL,
            place INTEGER NOT NULL CHECK (place >= 0),
            name TEXT NOT NULL,
            attempt INTEGER REFERENCES attempts (id) DEFERRABLE INITIALLY DEFERRED,
            attempts INTEGER NOT NULL CHECK (attempts >= 0),
            exit_code INTEGER,
            started_at INTEGER,
            finished_at INTEGER,
            \(state)
        ) STRICT
        """,
        "CREATE UNIQUE INDEX steps_place ON steps (job, place)",
        """
        CREATE TABLE job_attempts (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES jobs (id),
            run INTEGER NOT NULL,
            agent INTEGER NOT NULL REFERENCES agents (id),
            number INTEGER NOT NULL CHECK (number >= 1),
            \(outcome),
            cause TEXT,
            started_at INTEGER NOT NULL,
            finished_at INTEGER,
            CHECK ((outcome IS NULL) = (finished_at IS NULL))
        ) STRICT
        """,
        "CREATE UNIQUE INDEX job_attempts_number ON job_attempts (job, number)",
        "CREATE UNIQUE INDEX job_attempts_live ON job_attempts (job) WHERE outcome IS NULL",
        """
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY,
            step INTEGER NOT NULL REFERENCES steps (id),
            job INTEGER NOT NULL,
            job_attempt INTEGER NOT NULL REFERENCES job_attempts (id),
            run INTEGER NOT NULL,
            agent INTEGER NOT NULL REFERENCES agents (id),
            number INTEGER NOT NULL CHECK (number >= 1),
            exit_code INTEGER,
            signal INTEGER,
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            stop_reason TEXT,
            deadline INTEGER NOT NULL,
            cpu_user_ms INTEGER NOT NULL,
            cpu_system_ms INTEGER NOT NULL,
            memory_peak_bytes INTEGER NOT NULL,
            wall_ms INTEGER NOT NULL,
            log_state TEXT NOT NULL CHECK (log_state IN ('open', 'complete', 'damaged', 'incomplete')),
            log_bytes INTEGER NOT NULL,
            log_lines INTEGER NOT NULL,
            log_sha256 TEXT,
            log_dropped INTEGER,
            outputs TEXT NOT NULL,
            \(state),
            CHECK (outcome IS NULL OR phase = 'finished')
        ) STRICT
        """,
        "CREATE UNIQUE INDEX attempts_number ON attempts (step, number)",
        "CREATE UNIQUE INDEX attempts_live ON attempts (step) WHERE outcome IS NULL",
    ]

    /// What no statement may do, whatever the code above it believes.
    static let guards = [
        final(
            "attempts", when: "OLD.outcome IS NOT NULL",
            [
                "step", "job", "job_attempt", "run", "agent", "number", "phase", "outcome", "cause", "message",
                "exit_code", "signal", "created_at", "started_at", "finished_at", "stop_reason", "deadline",
                "cpu_user_ms", "cpu_system_ms", "memory_peak_bytes", "wall_ms", "log_state", "log_bytes", "log_lines",
                "log_sha256", "log_dropped", "outputs",
            ]),
        final(
            "job_attempts", when: "OLD.outcome IS NOT NULL",
            ["job", "run", "agent", "number", "outcome", "cause", "started_at", "finished_at"]),
        final(
            "runs", when: "OLD.phase = 'finished'",
            ["phase", "outcome", "cause", "message", "started_at", "finished_at", "cancelled_by", "cancel_reason"]),
        kept("attempts", while: "OLD.outcome IS NULL"),
        kept("job_attempts", while: "OLD.outcome IS NULL"),
        kept("runs", while: "OLD.phase <> 'finished'"),
        fresh("attempts", counter: "next_attempt"),
        fresh("job_attempts", counter: "next_job_attempt"),
        fresh("runs", counter: "next_run"),
        """
        CREATE TRIGGER meta_counts_up BEFORE UPDATE ON meta
        WHEN NEW.next_run < OLD.next_run OR NEW.next_job < OLD.next_job OR NEW.next_step < OLD.next_step
            OR NEW.next_job_attempt < OLD.next_job_attempt OR NEW.next_attempt < OLD.next_attempt
            OR NEW.next_event < OLD.next_event OR NEW.generation < OLD.generation
        BEGIN SELECT RAISE(ABORT, 'a counter may not go back'); END
        """,
    ]

    /// A row that has ended may be written again only as it is.
    private static func final(_ table: String, when ended: String, _ columns: [String]) -> String {
        let changed = columns.map { "NEW.\($0) IS NOT OLD.\($0)" }.joined(separator: " OR ")
        return """
            CREATE TRIGGER \(table)_final BEFORE UPDATE ON \(table) WHEN \(ended) AND (\(changed))
            BEGIN SELECT RAISE(ABORT, 'a finished row of \(table) never changes'); END
            """
    }

    private static func kept(_ table: String, while live: String) -> String {
        """
        CREATE TRIGGER \(table)_kept BEFORE DELETE ON \(table) WHEN \(live)
        BEGIN SELECT RAISE(ABORT, 'a row of \(table) that has not ended can''t be deleted'); END
        """
    }

    /// The counter is raised behind the rows of its transaction: a new row's id is at least what it was before.
    private static func fresh(_ table: String, counter: String) -> String {
        """
        CREATE TRIGGER \(table)_fresh AFTER INSERT ON \(table) WHEN NEW.id < (SELECT \(counter) FROM meta)
        BEGIN SELECT RAISE(ABORT, 'an id of \(table) was used before'); END
        """
    }
}
