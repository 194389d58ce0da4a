import AnsFlowProtocol
import HashTreeCollections

/// The whole engine as a value. Each input is one `mutating func`; ``takeGroup()`` then gives the transaction and, behind
/// it, the effects.
///
/// Copies share what they do not change, so that a group can be decided on a copy and thrown away.
/// Clock, wall time and numbers are inputs: the same inputs give the same groups, always.
package struct EngineMachine: Sendable {
    /// Engine clock, in ms: counts only while the controller runs and can write.
    package internal(set) var clock: Int64
    /// Wall clock of the group's inputs, in ms since 1970; for people.
    package internal(set) var now: Int64 = 0
    package let generation: Int64
    private let forgottenAttempts: [Range<Int64>]
    var counters: Counters
    var runNumbers: TreeDictionary<PipelineID, Int64>
    var runs: TreeDictionary<RunID, RunLifecycle> = [:]
    var agents: TreeDictionary<AgentID, AgentState> = [:]
    /// Ascending, so that no dictionary's order ever shows.
    var agentOrder: [AgentID] = []
    /// Attempts that have no end yet.
    var places: TreeDictionary<AttemptID, AttemptPlace> = [:]
    var queue = RunQueue()
    var groups = GroupBook()
    /// Groups in which somebody's place may have become free.
    var dirtyGroups: Set<GroupKey> = []
    private var isChanging = false
    /// Where people see the controller, for steps; nil where nobody has said.
    package var publicURL: String?
    /// Slots in use, by project.
    var slotsInUse: [ProjectID: Int] = [:]
    var idempotency: TreeDictionary<String, IdempotencyRow> = [:]

    // What the group has decided so far.
    var dirtyRuns: Set<RunID> = []
    var newRuns: [RunID] = []
    var newJudgements: [DeliveryJudgement] = []
    var finalAttempts: [AttemptRow] = []
    var finalJobAttempts: [JobAttemptRow] = []
    var dirtyAgents: Set<AgentID> = []
    var newIdempotency: [IdempotencyRow] = []
    var newAudit: [AuditEntry] = []
    var effects: [EngineEffect] = []
    private var clockStored: Int64

    package init(_ snapshot: EngineSnapshot) {
        clock = snapshot.clock
        clockStored = snapshot.clock
        generation = snapshot.generation
        forgottenAttempts = snapshot.forgottenAttempts
        counters = snapshot.counters
        runNumbers = TreeDictionary(uniqueKeysWithValues: snapshot.runNumbers.map { ($0, $1) })
        for row in snapshot.agents { learn(row) }
        for key in snapshot.idempotency { idempotency[key.key] = key }
        for stored in snapshot.runs { restore(RunLifecycle(restoring: stored)) }
    }

    /// Begins a group of inputs.
    package mutating func begin(now: Int64) {
        self.now = now
    }

    // MARK: Runs

    /// Changes a run and does what follows from it.
    mutating func change(_ run: RunID, _ event: (inout RunLifecycle) -> [RunLifecycle.Action]) {
        guard runs[run] != nil else { return }
        dirtyRuns.insert(run)
        let actions = event(&runs[run]!)
        perform(actions, of: run)
        // One run's end may let another begin, whose end lets a third: not one inside the other.
        guard !isChanging else { return }
        isChanging = true
        settleGroups()
        isChanging = false
    }

    func attempt(_ id: AttemptID) -> AttemptLifecycle? {
        guard let place = places[id], let run = runs[place.run] else { return nil }
        return run.jobs[place.step.job].steps[place.step.step].attempt
    }

    /// Whether an attempt's number was never given out by this controller, as far as it remembers.
    func isOrphan(_ id: AttemptID) -> Bool {
        id.rawValue >= counters.attempt || forgottenAttempts.contains { $0.contains(id.rawValue) }
    }

    private mutating func restore(_ run: RunLifecycle) {
        let id = run.row.id
        runs[id] = run
        restoreGroups(run)
        for (index, job) in run.jobs.enumerated() {
            if job.row.phase == .queued, job.row.retryAt == nil { enqueue(run, job: index) }
            guard job.holdsSlot, let agent = job.attempt?.agent else { continue }
            slotsInUse[run.row.project, default: 0] += 1
            agents[agent]?.jobs.append(JobPlace(run: id, job: index))
            for (place, step) in job.steps.enumerated() where step.isLive {
                guard let attempt = step.attempt?.row.id else { continue }
                places[attempt] = AttemptPlace(run: id, step: StepPlace(job: index, step: place), agent: agent)
                agents[agent]?.live.append(attempt)
            }
        }
    }

    mutating func enqueue(_ run: RunLifecycle, job: Int) {
        queue.insert(entry(run, job: job))
    }

    func entry(_ run: RunLifecycle, job: Int) -> QueueEntry {
        var labels = run.plan.jobs[job].agentLabels
        if !run.plan.facts.trusted { labels[LabelMatch.untrusted] = "true" }
        return QueueEntry(
            run: run.row.id, job: job, project: run.row.project,
            priority: run.row.priority + run.plan.jobs[job].priority, since: run.jobs[job].row.queuedSince ?? clock,
            labels: labels)
    }

    // MARK: Agents

    /// Takes in an agent that enrolment made or changed; what the engine itself owns of it stays.
    package mutating func learn(_ row: AgentRow) {
        if var known = agents[row.id] {
            known.row.name = row.name
            known.row.key = row.key
            agents[row.id] = known
        } else {
            agents[row.id] = AgentState(row: row, absentSince: clock)
            agentOrder.append(row.id)
            agentOrder.sort()
        }
    }

    mutating func send(_ message: ControllerMessage, to agent: AgentID) {
        guard let session = agents[agent]?.session else { return }
        effects.append(.send(agent, session.id, message))
    }

    // MARK: The group

    /// Whether something was decided that must be durable before anybody hears of it, or the clock is due.
    package var mustWrite: Bool {
        dirtyRuns.contains { !(runs[$0]?.changes.isEmpty ?? true) } || !dirtyAgents.isEmpty || !newIdempotency.isEmpty
            || !newAudit.isEmpty || !newJudgements.isEmpty
            || clock - clockStored >= EngineLimits.clockStoredEveryMs
    }

    /// Closes the group: its transaction, and the effects that go out behind it.
    package mutating func takeGroup() -> EngineGroup {
        if mustWrite { clockStored = clock }
        var batch = CommitBatch(clock: clock, counters: counters)
        for id in dirtyRuns.sorted() { collect(id, into: &batch) }
        batch.attempts += finalAttempts
        batch.jobAttempts += finalJobAttempts
        batch.agents = dirtyAgents.sorted().compactMap { agents[$0]?.row }
        batch.idempotency = newIdempotency
        batch.audit = newAudit
        batch.judgements = newJudgements
        batch.counters = counters
        var effects = self.effects
        if !batch.events.isEmpty { effects.append(.publish(batch.events)) }
        dirtyRuns = []
        newRuns = []
        newJudgements = []
        finalAttempts = []
        finalJobAttempts = []
        dirtyAgents = []
        newIdempotency = []
        newAudit = []
        self.effects = []
        return EngineGroup(batch: batch, effects: effects)
    }

    /// Writes what changed of a run into the batch, makes its events, and lets go of it when it has ended.
    private mutating func collect(_ id: RunID, into batch: inout CommitBatch) {
        guard var run = runs[id] else { return }
        let changes = run.takeChanges()
        guard !changes.isEmpty else { return }
        let events = EventEncoder.events(of: run, changes: changes)
        for event in events {
            run.row.seq += 1
            batch.events.append(
                EventRow(
                    id: counters.event, run: id, pipeline: run.row.pipeline, project: run.row.project, seq: run.row.seq,
                    at: now, kind: event.kind, data: event.data))
            counters.event += 1
        }
        if newRuns.contains(id) { batch.plans[id] = run.plan }
        batch.runs.append(run.row)
        for job in changes.jobs.sorted() {
            batch.jobs.append(run.jobs[job].row)
            if let attempt = run.jobs[job].attempt, attempt.outcome == nil { batch.jobAttempts.append(attempt) }
        }
        for job in changes.approvals.sorted() {
            if let row = job == RunChanges.wholeRun ? run.approval : run.jobs[job].approval {
                batch.approvals.append(row)
            }
        }
        for place in changes.steps.sorted() {
            let step = run.jobs[place.job].steps[place.step]
            batch.steps.append(step.row)
            if let attempt = step.attempt?.row, attempt.outcome == nil { batch.attempts.append(attempt) }
        }
        runs[id] = run.isFinished ? nil : run
    }
}
