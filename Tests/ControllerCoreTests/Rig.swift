import AnsFlowProtocol
import ControllerCore
import Testing

/// An ``EngineMachine`` with a store: each call of ``group(_:)`` is one transaction.
struct Rig {
    var machine: EngineMachine
    var rows: Rows
    var now: Int64 = 1_000_000
    /// Of the last group.
    var effects: [EngineEffect] = []
    var batch = CommitBatch(clock: 0, counters: Counters())
    var sessions: Int64 = 0
    var session: [AgentID: SessionID] = [:]
    /// Shown the rows after each transaction.
    var watch: (Rig) -> Void = { _ in }

    init(agents: Int = 1, slots: Int = 2, labels: [String: String] = [:]) {
        rows = Rows()
        for id in 1...max(1, agents) where agents > 0 {
            rows.agents[AgentID(Int64(id))] = AgentRow(
                id: AgentID(Int64(id)), name: "agent-\(id)", key: "key-\(id)", labels: labels, slots: slots,
                createdAt: 0)
        }
        machine = EngineMachine(rows.snapshot)
    }

    @discardableResult
    mutating func group<Value>(_ decide: (inout EngineMachine) -> Value) -> Value {
        now += 1
        machine.begin(now: now)
        let value = decide(&machine)
        machine.dispatch()
        let mustWrite = machine.mustWrite
        let group = machine.takeGroup()
        if mustWrite { rows.apply(group.batch) } else { #expect(group.batch.isEmpty) }
        batch = group.batch
        effects = group.effects
        watch(self)
        return value
    }

    /// The controller is killed and started again.
    mutating func restart() {
        machine = EngineMachine(rows.snapshot)
        session = [:]
    }

    // MARK: Inputs

    @discardableResult
    mutating func connect(
        _ agent: AgentID = 1, _ attempts: [(AttemptID, Hello.AttemptState)] = [], store: String = "store",
        seen: AttemptID = 0, slots: Int = 2, labels: [String: String] = [:], draining: Bool = false
    ) -> HelloAnswer {
        sessions += 1
        let id = SessionID(sessions)
        let hello = Hello(
            version: "1", processNonce: "p", bootID: "b", storeID: store, highestAttemptSeen: seen,
            containment: .cgroup2, slots: slots, labels: labels,
            attempts: attempts.map { .init(attempt: $0, state: $1, spooled: 0) }, draining: draining)
        let answer = group {
            $0.agentConnected(agent, session: id, remote: "test", hello: hello, logNext: [:], writable: true)
        }
        if case .welcome = answer { session[agent] = id }
        return answer
    }

    mutating func disconnect(_ agent: AgentID = 1) {
        guard let id = session.removeValue(forKey: agent) else { return }
        group { $0.agentDisconnected(agent, session: id) }
    }

    @discardableResult
    mutating func create(_ jobs: [JobPlan], key: String? = nil, priority: Int = 0) -> RunID {
        guard case .success(let row) = group({ $0.createRun(Make.request(jobs, key: key, priority: priority)) })
        else {
            Issue.record("no run was made")
            return 0
        }
        return row.id
    }

    mutating func started(_ attempt: AttemptID, by agent: AgentID = 1) {
        let id = session[agent] ?? 0
        group { $0.started(attempt, by: agent, session: id) }
    }

    mutating func finish(
        _ attempt: AttemptID, _ result: AttemptResult = .success, _ cause: Cause = .exit, by agent: AgentID = 1,
        outputs: [String: String] = [:]
    ) {
        let id = session[agent] ?? 0
        var (finish, log) = Make.finish(attempt, result, cause)
        finish.outputs = outputs
        let end = finish
        group { $0.finished(end, log: log, by: agent, session: id) }
    }

    /// Seconds of the engine's clock, one tick each.
    mutating func tick(seconds: Int) {
        var told: [EngineEffect] = []
        for _ in 0..<seconds {
            group { $0.tick(elapsed: 1_000) }
            told += effects
        }
        effects = told
    }

    // MARK: What went out

    var messages: [ControllerMessage] {
        effects.compactMap { if case .send(_, _, let message) = $0 { message } else { nil } }
    }
    var starts: [AttemptID] { messages.compactMap { if case .start(let start) = $0 { start.attempt } else { nil } } }
    var stops: [AttemptID] { messages.compactMap { if case .stop(let id, _, _) = $0 { id } else { nil } } }
    var forgets: [AttemptID] { messages.compactMap { if case .forget(let id) = $0 { id } else { nil } } }
    var closes: [CloseCode] { effects.compactMap { if case .close(_, _, let code, _) = $0 { code } else { nil } } }

    func run(_ id: RunID) -> RunRow { rows.runs[id]! }
    func job(_ name: String, of run: RunID = 1) -> JobRow {
        rows.jobs.values.first { $0.run == run && $0.name == name }!
    }
    func step(_ name: String, of run: RunID = 1) -> StepRow {
        rows.steps.values.first { $0.run == run && $0.name == name }!
    }
    var busy: Int { machine.agentViews.reduce(0) { $0 + $1.busy } }
}

/// Plans and messages.
enum Make {
    static func step(_ id: String, needs: [String] = [], if condition: Expression? = nil, allow: Bool = false)
        -> StepPlan
    {
        StepPlan(
            id: id, needs: needs.map { NeedPlan($0) }, condition: condition,
            action: .run(commands: ["true"], shell: .sh), timeoutMs: 20_000, graceMs: 1_000,
            allowFailure: allow ? .always : .never)
    }

    static func job(
        _ id: String, needs: [String] = [], if condition: Expression? = nil, labels: [String: String] = [:],
        parallel: Int = 4, timeoutMs: UInt64 = 3_600_000, allow: Bool = false, _ steps: [StepPlan]? = nil
    ) -> JobPlan {
        JobPlan(
            id: id, needs: needs.map { NeedPlan($0) }, condition: condition, agentLabels: labels, timeoutMs: timeoutMs,
            parallel: parallel, allowFailure: allow ? .always : .never, steps: steps ?? [step("\(id)1")])
    }

    static func request(
        _ jobs: [JobPlan], key: String? = nil, priority: Int = 0, project: ProjectID = .main,
        timeoutMs: UInt64 = 72 * 3_600_000
    ) -> RunRequest {
        let pipeline = PipelineRow(
            id: 1, project: project, name: "p", definition: "", repositoryURL: "", ref: "", createdAt: 0, updatedAt: 0)
        return RunRequest(
            pipeline: pipeline, plan: RunPlan(name: "p", jobs: jobs, timeoutMs: timeoutMs), priority: priority,
            actor: "tester", idempotencyKey: key)
    }

    static func finish(_ attempt: AttemptID, _ result: AttemptResult, _ cause: Cause) -> (Finish, LogSummary) {
        let end = LogEnd(attempt: attempt, total: 3, sha256: "aa", dropped: 0)
        let finish = Finish(
            attempt: attempt, result: result, cause: cause, exitCode: result == .failed ? 7 : 0, log: end)
        return (finish, LogSummary(state: .complete, bytes: 3, lines: 1, sha256: "aa"))
    }

    static let always = Expression.call(.always, [])
    static let never = Expression.literal(.boolean(false))
}
