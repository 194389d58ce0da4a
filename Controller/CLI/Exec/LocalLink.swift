import AgentExec
import AnsFlowProtocol
import ControllerCore
import Synchronization

/// Both ends of the link between a controller and an agent, in one process: an agent's wire on one side, the engine's effects
/// on the other. The messages are those of the real protocol.
final class LocalLink: AgentWire, EffectSink {
    static let agent = AgentID(1)
    static let session = SessionID(1)
    static let link: UInt64 = 1
    /// Control messages that wait for the engine; far more than attempts run at once.
    private static let waitingMax = 16_384

    private struct Entry {
        var log = LocalLog()
        var key: LogKey?
        /// Its end, while output before it is still to come.
        var finish: Finish?
    }

    private struct State {
        var entries: [AttemptID: Entry] = [:]
        var runtime: AgentRuntime?
        var engine: Engine?
        /// Whether steps get no grace any more.
        var isKilling = false
    }

    let store: LocalStore
    private let view: LocalView
    private let plan: RunPlan
    private let secrets: LocalSecrets
    private let keepsWorkspaces: Bool
    /// Called on the engine's way with each START, before the agent sees it.
    private let prepare: @Sendable (Start) -> Void
    private let state = Mutex(State())
    private let messages: AsyncStream<AgentMessage>
    private let sender: AsyncStream<AgentMessage>.Continuation
    private let finished: AsyncStream<Void>
    private let finisher: AsyncStream<Void>.Continuation
    private let greeted: AsyncStream<Void>
    private let greeter: AsyncStream<Void>.Continuation

    init(
        store: LocalStore, view: LocalView, plan: RunPlan, secrets: LocalSecrets, keepsWorkspaces: Bool,
        prepare: @escaping @Sendable (Start) -> Void
    ) {
        self.store = store
        self.view = view
        self.plan = plan
        self.secrets = secrets
        self.keepsWorkspaces = keepsWorkspaces
        self.prepare = prepare
        (messages, sender) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingMax))
        (finished, finisher) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (greeted, greeter) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func attach(runtime: AgentRuntime, engine: Engine) {
        state.withLock {
            $0.runtime = runtime
            $0.engine = engine
        }
    }

    /// Returns when the agent was welcomed: before that it takes any other message for a broken link.
    func waitForWelcome() async {
        for await _ in greeted { return }
    }

    /// Returns when the run has its end and all of it was shown.
    func waitForEnd() async {
        for await _ in finished { return }
    }

    // MARK: From the agent

    var backlogBytes: Int { 0 }

    /// Output is shown on the caller's thread: while the terminal is slow, the agent reads no further.
    func trySend(_ message: [UInt8]) -> Bool {
        guard let decoded = try? WireCodec.decodeAgentMessage(message) else { return false }
        switch decoded {
        case .log(let frame): receive(frame)
        case .gap(let attempt, let offset, let length, _):
            update(attempt) { log in
                log.skip(from: offset, length)
                return []
            }
        case .eof: break
        default:
            guard case .enqueued = sender.yield(decoded) else { return false }
        }
        return true
    }

    func send(_ message: [UInt8]) async throws { _ = trySend(message) }

    func close(_ code: CloseCode) { sender.finish() }

    private func receive(_ frame: LogFrame) {
        update(frame.attempt) { $0.take(frame.records) }
    }

    /// What one change of an attempt's log leads to.
    private struct Update {
        var next: UInt64
        var finish: Finish?
    }

    private func update(_ attempt: AttemptID, _ change: (inout LocalLog) -> [LogLineModel]) {
        let update = state.withLock { state -> Update in
            var entry = state.entries[attempt] ?? Entry()
            if entry.key == nil { entry.key = key(of: attempt) }
            let lines = change(&entry.log)
            // Shown before anybody can see how far the log is: its end, and the run's, come behind it.
            if let key = entry.key { view.show(lines, of: key) }
            var update = Update(next: entry.log.next)
            if let finish = entry.finish, entry.log.next >= finish.log.total {
                update.finish = finish
                entry.finish = nil
            }
            state.entries[attempt] = entry
            return update
        }
        deliver(.logAck(attempt, next: update.next))
        if let finish = update.finish { end(finish) }
    }

    private func key(of attempt: AttemptID) -> LogKey? {
        store.place(of: attempt).map {
            LogKey(place: StepPlace(job: $0.job.name, step: $0.step.name), attempt: $0.number)
        }
    }

    /// Hands what the agent says to the engine, in order, until the link is closed.
    func serve() async {
        guard let engine = state.withLock({ $0.engine }) else { return }
        for await message in messages {
            switch message {
            case .hello(let hello): await welcome(hello, engine)
            case .started(let attempt):
                await engine.tell { $0.started(attempt, by: Self.agent, session: Self.session) }
            case .declined(let attempt, let reason):
                await engine.tell { $0.declined(attempt, reason: reason, by: Self.agent, session: Self.session) }
            case .finish(let finish): receive(finish)
            case .heartbeat(let heartbeat):
                await engine.tell { $0.heartbeat(Self.agent, session: Self.session, heartbeat) }
            case .log, .gap, .eof: break
            }
        }
    }

    private func welcome(_ hello: Hello, _ engine: Engine) async {
        let answer = try? await engine.submit {
            $0.agentConnected(
                Self.agent, session: Self.session, remote: "local", hello: hello, logNext: [:], writable: true)
        }
        guard case .welcome(let welcome) = answer else { return }
        await tell(.welcome(welcome))
        greeter.yield()
    }

    private func receive(_ finish: Finish) {
        let isWhole = state.withLock { state in
            var entry = state.entries[finish.attempt] ?? Entry()
            defer { state.entries[finish.attempt] = entry }
            if entry.log.next >= finish.log.total { return true }
            entry.finish = finish
            return false
        }
        if isWhole { end(finish) }
    }

    /// All output of the attempt has been shown.
    private func end(_ finish: Finish) {
        var entry = state.withLock { $0.entries.removeValue(forKey: finish.attempt) } ?? Entry()
        let engine = state.withLock { $0.engine }
        if let key = entry.key { view.show(entry.log.finish(), of: key) }
        let summary = LogSummary(
            state: .complete, bytes: finish.log.total, lines: 0, sha256: finish.log.sha256, dropped: finish.log.dropped)
        // Awaited by nobody: the agent repeats FINISH until it is told to forget.
        Task { await engine?.tell { $0.finished(finish, log: summary, by: Self.agent, session: Self.session) } }
    }

    // MARK: From the engine

    /// What is seen comes before what follows from it.
    func perform(_ effects: [EngineEffect]) async {
        if effects.contains(where: { if case .publish = $0 { true } else { false } }), let run = store.takeChanges() {
            view.look(at: run)
            if run.isFinished { finisher.yield() }
        }
        for case .send(_, _, let message) in effects {
            switch message {
            case .start(let start): await self.start(start)
            case .jobEnded where keepsWorkspaces: break
            default: await tell(message)
            }
        }
    }

    func resynchronise() async {}

    private func start(_ start: Start) async {
        var start = start
        if let place = store.place(of: start.attempt) {
            for (variable, name) in plan.jobs[place.job.index].steps[place.step.index].secrets {
                start.secrets[variable] = secrets.values[name]
            }
        }
        prepare(start)
        await tell(.start(start))
        if state.withLock({ $0.isKilling }) { await tell(.stop(start.attempt, reason: .cancel, graceMs: 0)) }
    }

    /// Ends every step at once, and those that would still begin.
    func killAll() async {
        state.withLock { $0.isKilling = true }
        for attempt in store.liveAttempts { await tell(.stop(attempt, reason: .cancel, graceMs: 0)) }
    }

    /// The agent takes thirty seconds of silence for a broken link.
    func heartbeat(at now: Int64) async {
        await tell(.heartbeat(ControllerHeartbeat(nowMs: now, writable: true)))
    }

    private func tell(_ message: ControllerMessage) async {
        guard let runtime = state.withLock({ $0.runtime }), let bytes = try? WireCodec.encode(message) else { return }
        await runtime.received(Self.link, bytes)
    }

    private func deliver(_ message: ControllerMessage) {
        Task { await tell(message) }
    }
}
