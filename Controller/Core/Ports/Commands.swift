package import AnsFlowProtocol

/// Why a command was not carried out. Nothing of it happened.
package enum CommandFailure: Error, Equatable, Sendable {
    case notFound
    /// The thing is not in a state in which this can be done; the text says which and what to do.
    case conflict(String)
    /// Something that was given is wrong, by field.
    case invalid([FieldFault])
    /// Nothing can be made durable now. Try again later.
    case notWritable(String)
    /// Too many commands wait.
    case overloaded
}

/// What is wrong with one value that somebody gave.
package struct FieldFault: Equatable, Sendable {
    package var field: String
    /// A sentence that names the cure.
    package var message: String

    package init(field: String, message: String) {
        self.field = field
        self.message = message
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
    /// By how many milliseconds its wall clock was ahead of this one at the last heartbeat; negative where it was behind.
    package var clockAheadMs: Int64?
    /// What it runs: job attempts by run.
    package var running: [RunID]
    /// Attempts that it knows and this controller does not.
    package var orphans: [AttemptID]
    /// What an operator is to look at, oldest first.
    package var alarms: [AgentAlarm]

    package init(
        row: AgentRow, connected: Bool, busy: Int, remote: String? = nil, load: Double? = nil,
        diskFreeBytes: UInt64? = nil, clockAheadMs: Int64? = nil, running: [RunID] = [], orphans: [AttemptID] = [],
        alarms: [AgentAlarm] = []
    ) {
        self.row = row
        self.connected = connected
        self.busy = busy
        self.remote = remote
        self.load = load
        self.diskFreeBytes = diskFreeBytes
        self.clockAheadMs = clockAheadMs
        self.running = running
        self.orphans = orphans
        self.alarms = alarms
    }
}

/// Numbers for `/metrics` and `/api/v1/status`, as of the last commit.
package struct EngineStatistics: Equatable, Sendable {
    package var activeRuns = 0
    package var queuedJobs = 0
    /// How long the job that has waited longest for an agent has waited, in ms of the engine's clock.
    package var longestWaitMs: Int64 = 0
    package var runningAttempts = 0
    package var connectedAgents = 0
    package var enrolledAgents = 0
    package var alarmedAgents = 0
    package var commits = 0
    /// Why nothing can be made durable; nil while all is well.
    package var halted: String?
    package init() {}
}

/// What the outside may ask of the engine. Everything that returns without an error is durable.
package protocol EngineCommands: Sendable {
    func createRun(_ request: RunRequest) async throws(CommandFailure) -> RunRow
    /// A second plain cancel changes nothing; with `skipFinally` it ends clean-up that runs or is to come. `force` ends unreachable
    /// attempts as lost.
    func cancelRun(
        _ run: RunID, by actor: String, reason: String?, force: Bool, skipFinally: Bool
    ) async throws(CommandFailure) -> RunRow
    /// Says yes to a job that waits for it, or to a whole untrusted run. Whether the caller may is the caller's to check, from
    /// ``ApprovalPlan/by``. The same answer again is no conflict.
    ///
    /// - Parameters:
    ///   - job: its id in the plan; `nil` for the run.
    ///   - inputs: by name, checked against the plan: ``CommandFailure/invalid(_:)`` says what is wrong with each.
    func approve(
        _ run: RunID, job: String?, by actor: String, inputs: [String: InputValue], reason: String?
    ) async throws(CommandFailure) -> ApprovalRow
    /// Says no: the job, or each job of the run, ends as cancelled.
    func decline(
        _ run: RunID, job: String?, by actor: String, reason: String?
    ) async throws(CommandFailure) -> ApprovalRow
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
