package import AnsFlowProtocol

/// The next unused number of each kind. Part of every commit, so that no number is ever given out twice.
package struct Counters: Equatable, Sendable, Codable {
    package var run: Int64 = 1
    package var job: Int64 = 1
    package var step: Int64 = 1
    package var jobAttempt: Int64 = 1
    package var attempt: Int64 = 1
    package var event: Int64 = 1
    package init() {}
}

/// What a POST that creates a run was answered, kept for 24 h in the run's own transaction.
package struct IdempotencyRow: Equatable, Sendable {
    /// The caller and its `Idempotency-Key`.
    package var key: String
    package var run: RunID
    package var at: Int64

    package init(key: String, run: RunID, at: Int64) {
        self.key = key
        self.run = run
        self.at = at
    }
}

/// Everything that one group of inputs changes: one transaction. Rows are whole and replace what was there by id.
package struct CommitBatch: Equatable, Sendable {
    /// The engine's clock, in milliseconds.
    package var clock: Int64
    package var counters: Counters
    package var plans: [RunID: RunPlan] = [:]
    package var runs: [RunRow] = []
    package var jobs: [JobRow] = []
    package var jobAttempts: [JobAttemptRow] = []
    package var steps: [StepRow] = []
    package var attempts: [AttemptRow] = []
    /// Replace what was there of the same run and job.
    package var approvals: [ApprovalRow] = []
    /// Only what the engine owns of an agent: never name and key.
    package var agents: [AgentRow] = []
    package var events: [EventRow] = []
    package var idempotency: [IdempotencyRow] = []
    /// What is to be told of the inputs, with them or not at all.
    package var audit: [AuditEntry] = []
    /// Deliveries that are judged with this; their runs are among ``runs``.
    package var judgements: [DeliveryJudgement] = []

    package init(clock: Int64, counters: Counters) {
        self.clock = clock
        self.counters = counters
    }

    /// Whether nothing but the clock would be written.
    package var isEmpty: Bool {
        runs.isEmpty && jobs.isEmpty && jobAttempts.isEmpty && steps.isEmpty && attempts.isEmpty && agents.isEmpty
            && events.isEmpty && idempotency.isEmpty && approvals.isEmpty && audit.isEmpty && judgements.isEmpty
    }
}

/// All that the engine needs to go on after a restart: what is not finished, and what is always true.
package struct EngineSnapshot: Equatable, Sendable {
    package struct Run: Equatable, Sendable {
        package var row: RunRow
        package var plan: RunPlan
        /// By index, each with its steps by index.
        package var jobs: [JobRow]
        package var steps: [StepRow]
        /// The newest attempt of each job that has one.
        package var jobAttempts: [JobAttemptRow]
        /// The newest attempt of each step that has one.
        package var attempts: [AttemptRow]
        /// All of the run.
        package var approvals: [ApprovalRow]

        package init(
            row: RunRow, plan: RunPlan, jobs: [JobRow], steps: [StepRow], jobAttempts: [JobAttemptRow],
            attempts: [AttemptRow], approvals: [ApprovalRow] = []
        ) {
            self.row = row
            self.plan = plan
            self.jobs = jobs
            self.steps = steps
            self.jobAttempts = jobAttempts
            self.attempts = attempts
            self.approvals = approvals
        }
    }

    package var clock: Int64
    package var generation: Int64
    package var counters: Counters
    /// The number of the newest run of each pipeline that has any.
    package var runNumbers: [PipelineID: Int64]
    /// Runs that are not finished, by id.
    package var runs: [Run]
    package var agents: [AgentRow]
    /// Idempotency keys of the last 24 h.
    package var idempotency: [IdempotencyRow]
    /// Numbers of attempts that may have been made behind a backup that was restored: agents may know them, nobody here does.
    package var forgottenAttempts: [Range<Int64>]

    package init(
        clock: Int64, generation: Int64, counters: Counters, runNumbers: [PipelineID: Int64], runs: [Run],
        agents: [AgentRow], idempotency: [IdempotencyRow], forgottenAttempts: [Range<Int64>] = []
    ) {
        self.clock = clock
        self.generation = generation
        self.counters = counters
        self.runNumbers = runNumbers
        self.runs = runs
        self.agents = agents
        self.idempotency = idempotency
        self.forgottenAttempts = forgottenAttempts
    }
}

/// Why a transaction could not be made durable. Its outcome is unknown: the engine drops its memory and loads again.
package enum CommitFailure: Error, Equatable, Sendable {
    /// The disk is full or answers with errors: HALT until it works again.
    case disk(String)
    /// An fsync failed: the process must end, since nothing written before can be trusted.
    case fsync(String)
    /// Anything else, such as a constraint: a defect of ours.
    case refused(String)
}

/// The engine's durable side.
package protocol EngineStore: Sendable {
    func load() async throws -> EngineSnapshot
    /// Returns when the batch would survive `kill -9` and power loss.
    func commit(_ batch: CommitBatch) async throws(CommitFailure)
    /// What an attempt that is not live ended as; `nil` where it was never issued.
    func attempt(_ id: AttemptID) async throws -> AttemptRow?
}
