package import AnsFlowProtocol

/// A request to start a run, compiled and checked.
package struct RunRequest: Equatable, Sendable {
    package var pipeline: PipelineRow
    package var plan: RunPlan
    package var event: String
    package var ref: String
    package var branch: String
    package var tag: String
    package var commit: String
    package var inputs: [String: String]
    package var priority: Int
    package var actor: String
    /// The caller and its `Idempotency-Key`: the same again gives the run that the first made.
    package var idempotencyKey: String?

    package init(
        pipeline: PipelineRow, plan: RunPlan, event: String = "manual", ref: String = "", branch: String = "",
        tag: String = "", commit: String = "", inputs: [String: String] = [:], priority: Int = 0, actor: String,
        idempotencyKey: String? = nil
    ) {
        self.pipeline = pipeline
        self.plan = plan
        self.event = event
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
        self.inputs = inputs
        self.priority = priority
        self.actor = actor
        self.idempotencyKey = idempotencyKey
    }
}

/// Why a command was not carried out. Nothing of it happened.
package enum CommandFailure: Error, Equatable, Sendable {
    case notFound
    /// The thing is not in a state in which this can be done; the text says which and what to do.
    case conflict(String)
    /// Nothing can be made durable now. Try again later.
    case notWritable(String)
    /// Too many commands wait.
    case overloaded
}

/// Why a job or step does not run yet, for people and for scripts.
package struct WaitingReason: Equatable, Sendable, Codable {
    package enum Kind: String, Codable, Sendable {
        /// Needs that have not finished.
        case needs
        /// No enrolled agent has the labels.
        case noAgent = "no_agent"
        /// Agents with the labels are known, none is connected.
        case agentsOffline = "agents_offline"
        /// Agents with the labels are connected, but paused or draining.
        case agentsPaused = "agents_paused"
        /// All slots of the agents with the labels are taken.
        case slots
        /// Steps of the job that run now take all of its `parallel`.
        case parallel
        /// The agent is silent.
        case unreachable
        /// The controller can't make anything durable.
        case halted
    }

    /// What one agent lacks.
    package struct Candidate: Equatable, Sendable, Codable {
        package var agent: String
        package var lacks: String
        package init(agent: String, lacks: String) {
            self.agent = agent
            self.lacks = lacks
        }
    }

    package var job: String
    /// Nil where the whole job waits.
    package var step: String?
    package var kind: Kind
    /// A sentence.
    package var message: String
    /// Place in the queue from 1, where it has one.
    package var position: Int?
    package var candidates: [Candidate]

    package init(
        job: String, step: String? = nil, kind: Kind, message: String, position: Int? = nil,
        candidates: [Candidate] = []
    ) {
        self.job = job
        self.step = step
        self.kind = kind
        self.message = message
        self.position = position
        self.candidates = candidates
    }
}

/// An agent as it is now.
package struct AgentView: Equatable, Sendable {
    package var row: AgentRow
    package var connected: Bool
    /// Slots in use.
    package var busy: Int
    /// Remote address of its connection.
    package var remote: String?
    package var load: Double?
    package var diskFreeBytes: UInt64?
    /// What it runs: job attempts by run.
    package var running: [RunID]
    /// Attempts that it knows and this controller does not.
    package var orphans: [AttemptID]

    package init(
        row: AgentRow, connected: Bool, busy: Int, remote: String? = nil, load: Double? = nil,
        diskFreeBytes: UInt64? = nil, running: [RunID] = [], orphans: [AttemptID] = []
    ) {
        self.row = row
        self.connected = connected
        self.busy = busy
        self.remote = remote
        self.load = load
        self.diskFreeBytes = diskFreeBytes
        self.running = running
        self.orphans = orphans
    }
}

/// Numbers for `/metrics` and `/api/v1/status`, as of the last commit.
package struct EngineStatistics: Equatable, Sendable {
    package var activeRuns = 0
    package var queuedJobs = 0
    package var runningAttempts = 0
    package var connectedAgents = 0
    package var enrolledAgents = 0
    package var commits = 0
    /// Why nothing can be made durable; nil while all is well.
    package var halted: String?
    package init() {}
}

/// What the outside may ask of the engine. Everything that returns without an error is durable.
package protocol EngineCommands: Sendable {
    func createRun(_ request: RunRequest) async throws(CommandFailure) -> RunRow
    /// A second plain cancel changes nothing; `force` ends unreachable attempts as lost.
    func cancelRun(_ run: RunID, by actor: String, reason: String?, force: Bool) async throws(CommandFailure) -> RunRow
    /// Why each waiting part of an active run waits; empty for a finished one.
    func waitingReasons(_ run: RunID) async -> [WaitingReason]
    /// By name.
    func agents() async -> [AgentView]
    func agent(_ id: AgentID) async -> AgentView?
    func pauseAgent(_ id: AgentID, note: String?) async throws(CommandFailure) -> AgentView
    func resumeAgent(_ id: AgentID) async throws(CommandFailure) -> AgentView
    func drainAgent(_ id: AgentID) async throws(CommandFailure) -> AgentView
    /// Ends its attempts as lost and its connection for good.
    func revokeAgent(_ id: AgentID, by actor: String) async throws(CommandFailure) -> AgentView
    /// Says that an unreachable agent will never come back: its attempts end as lost.
    func agentGone(_ id: AgentID, by actor: String, reason: String?) async throws(CommandFailure) -> AgentView
    func statistics() async -> EngineStatistics
}
