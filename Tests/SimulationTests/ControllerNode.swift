import AnsFlowProtocol
import ControllerCore

/// A segment file and its synced part.
struct Segment {
    var bytes: [UInt8] = []
    var durable = 0
    var reception = LogReception()
    var sealed = false
}

/// The controller's process and disk.
struct ControllerNode {
    typealias Input = @Sendable (inout EngineMachine) -> Void

    var store: StoreModel
    var segments: [AttemptID: Segment] = [:]
    /// Nil while down or halted.
    var machine: EngineMachine?
    var isUp = false
    var halted = false
    /// Counts starts, so that what an earlier process had planned does not happen.
    var life = 0
    var inbox: [Pending] = []
    var committing = false
    var inFlight: (next: EngineMachine, group: EngineGroup, inputs: [Pending])?
    var syncing: [AttemptID: Int] = [:]
    var syncScheduled = false
    var sessions: Int64 = 0
    var lastTick: UInt64 = 0
    /// Milliseconds that it was up, over all its processes.
    var uptime: UInt64 = 0

    /// One input and whoever waits for it.
    enum Pending {
        case trigger(Int)
        case cancel(RunID, force: Bool, skipFinally: Bool)
        case answer(RunID, job: String?, yes: Bool)
        case rerun(RunID, Rerun.Mode)
        case drain(AgentID)
        case undrain(AgentID)
        case connected(link: Int, Hello)
        case disconnected(AgentID, SessionID)
        case started(AttemptID, AgentID, SessionID)
        case declined(AttemptID, String, AgentID, SessionID)
        case finished(Finish, LogSummary, AgentID, SessionID)
        case unsendable(AttemptID)
        case gone(AgentID)
        case tick(Int64)
    }
}

extension World {
    mutating func controllerEvent(_ event: Event) throws {
        switch event {
        case .startController: try startController()
        case .trigger(let index): trigger(index)
        case .controllerTick(let life): controllerTick(life)
        case .startCommit(let life):
            if life == controller.life { try decideGroup() }
        case .endCommit(let life):
            if life == controller.life { try finishCommit() }
        case .synced(let life):
            if life == controller.life { synced() }
        case .diskHeals: diskWorks = true
        default: break
        }
    }

    private mutating func startController() throws {
        guard !controller.isUp else { return }
        controller.isUp = true
        controller.life += 1
        controller.inbox = []
        controller.committing = false
        controller.inFlight = nil
        controller.syncing = [:]
        controller.syncScheduled = false
        // Recovery cuts what was not synced at a random place.
        for (id, segment) in controller.segments.sorted(by: { $0.key < $1.key })
        where segment.bytes.count > segment.durable {
            let kept = random.between(segment.durable...segment.bytes.count)
            controller.segments[id]?.bytes.removeLast(segment.bytes.count - kept)
            controller.segments[id]?.durable = kept
            controller.segments[id]?.reception = LogReception()
            if kept < Int(oracle.acknowledged[id] ?? 0) {
                throw Violation(
                    invariant: "LOG",
                    detail: "attempt \(id): bytes to \(oracle.acknowledged[id]!) were acknowledged, \(kept) are left")
            }
        }
        for id in controller.segments.keys { controller.segments[id]?.reception = LogReception() }
        controller.machine = EngineMachine(controller.store.load(mutant))
        controller.halted = false
        if mutant == .downtimeTicksCounted, controller.lastTick > 0 {
            controller.machine?.begin(now: Int64(now))
            for _ in 0..<((now - controller.lastTick) / 1_000) { controller.machine?.tick(elapsed: 1_000) }
        }
        controller.lastTick = now
        schedule(.controllerTick(life: controller.life), after: 1_000)
    }

    mutating func crashController() {
        guard controller.isUp else { return }
        // A transaction under way is there whole or not at all.
        if let flight = controller.inFlight, random.chance(50) { try? controller.store.apply(flight.group.batch) }
        controller.isUp = false
        controller.machine = nil
        controller.halted = false
        controller.life += 1
        for link in links.indices where links[link].openAtController {
            links[link].openAtController = false
            schedule(.agentLinkClosed(link: link, nil), after: random.below(300))
        }
    }

    private mutating func trigger(_ index: Int) {
        guard controller.machine != nil else { return schedule(.trigger(index), after: 500) }
        submit(.trigger(index))
    }

    private mutating func controllerTick(_ life: Int) {
        guard life == controller.life, controller.isUp else { return }
        schedule(.controllerTick(life: life), after: 1_000)
        let elapsed = Int64(now - controller.lastTick)
        controller.uptime += now - controller.lastTick
        controller.lastTick = now
        for link in links.indices where links[link].openAtController && now - links[link].heardByController > 30_000 {
            links[link].openAtController = false
            controllerLost(link)
            schedule(.agentLinkClosed(link: link, .silence), after: links[link].isHalfOpen ? 60_000 : random.below(50))
        }
        for link in links.indices where links[link].openAtController && links[link].welcomed && now / 1_000 % 10 == 0 {
            sendToAgent(link, .heartbeat(ControllerHeartbeat(nowMs: Int64(now), writable: !controller.halted)))
        }
        if controller.halted {
            if diskWorks { heal() }
            return
        }
        submit(.tick(elapsed))
    }

    /// Loads as at boot, and lets agents say HELLO again.
    private mutating func heal() {
        controller.halted = false
        controller.machine = EngineMachine(controller.store.load(mutant))
        for link in links.indices where links[link].openAtController {
            links[link].openAtController = false
            schedule(.agentLinkClosed(link: link, .notWritable), after: random.below(50))
        }
    }

    mutating func submit(_ input: ControllerNode.Pending) {
        guard controller.isUp, controller.machine != nil else {
            if case .trigger(let index) = input { schedule(.trigger(index), after: 500) }
            return
        }
        controller.inbox.append(input)
        if !controller.committing {
            controller.committing = true
            schedule(.startCommit(life: controller.life), after: random.below(3))
        }
    }

    private mutating func decideGroup() throws {
        guard var next = controller.machine else { return }
        let inputs = controller.inbox
        controller.inbox = []
        next.begin(now: Int64(now))
        for input in inputs { try decide(input, &next) }
        next.dispatch()
        let mustWrite = next.mustWrite
        let group = next.takeGroup()
        controller.inFlight = (next, group, inputs)
        if mutant == .startBeforeCommit { perform(group.effects) }
        schedule(.endCommit(life: controller.life), after: mustWrite ? 1 + random.below(8) : 0)
    }

    private mutating func decide(_ input: ControllerNode.Pending, _ engine: inout EngineMachine) throws {
        switch input {
        case .trigger:
            let made = engine.createRun(request(&scripts))
            if mutant == .untrustedUnasked, case .success(let run) = made, !run.trusted {
                _ = engine.approve(run.id, job: nil, by: "nobody", inputs: [:], reason: nil)
            }
        case .cancel(let run, let force, let skip):
            _ = engine.cancelRun(run, by: "simulator", reason: nil, force: force, skipFinally: skip)
        case .unsendable(let attempt): engine.unsendable(attempt, reason: "such runs get no secrets")
        case .answer(let run, let job, let yes):
            if job == nil, yes { oracle.approved.insert(run) }
            _ =
                yes
                ? engine.approve(run, job: job, by: "boss", inputs: [:], reason: nil)
                : engine.decline(run, job: job, by: "boss", reason: nil)
        case .rerun(let run, let mode):
            let pipeline = request(&scripts).pipeline
            if let detail = controller.store.detail(run),
                case .success(let request) = Rerun.request(of: detail, pipeline: pipeline, mode: mode, actor: "boss")
            {
                _ = engine.createRun(request)
            }
        case .drain(let agent): _ = engine.drainAgent(agent)
        case .undrain(let agent): _ = engine.resumeAgent(agent)
        case .connected(let link, let hello): connect(link, hello, &engine)
        case .disconnected(let agent, let session): engine.agentDisconnected(agent, session: session)
        case .started(let attempt, let agent, let session): engine.started(attempt, by: agent, session: session)
        case .declined(let attempt, let reason, let agent, let session):
            engine.declined(attempt, reason: reason, by: agent, session: session)
        case .finished(let finish, let log, let agent, let session):
            engine.finished(finish, log: log, by: agent, session: session)
        case .gone(let agent): _ = engine.agentGone(agent, by: "simulator", reason: nil)
        case .tick(let elapsed):
            engine.tick(elapsed: elapsed)
            guard mutant == .silenceEndsAttempts else { return }
            for agent in engine.agentViews where !agent.connected {
                _ = engine.agentGone(agent.row.id, by: "nobody", reason: nil)
            }
        }
    }

    private mutating func connect(_ link: Int, _ hello: Hello, _ engine: inout EngineMachine) {
        guard links[link].openAtController else { return }
        let agent = hosts[links[link].agent].agent
        var next: [AttemptID: UInt64] = [:]
        for known in hello.attempts {
            next[known.attempt] = UInt64(controller.segments[known.attempt]?.bytes.count ?? 0)
        }
        var hello = hello
        if mutant == .startToAnotherStore, let row = engine.view(of: agent)?.row {
            hello.storeID = row.storeID ?? hello.storeID
        }
        let answer = engine.agentConnected(
            agent, session: links[link].session, remote: "simulated", hello: hello, logNext: next, writable: true)
        links[link].welcomed = true
        switch answer {
        case .welcome(let welcome): sendToAgent(link, .welcome(welcome))
        case .refuse(let code, _):
            links[link].openAtController = false
            schedule(.agentLinkClosed(link: link, code), after: 1)
        }
    }

    private mutating func finishCommit() throws {
        guard let flight = controller.inFlight else { return }
        controller.inFlight = nil
        guard diskWorks else { return halt(flight.inputs) }
        try checkEnds(flight.group.batch)
        var batch = flight.group.batch
        if mutant == .cancelOverwritesSuccess { corrupt(&batch) }
        try controller.store.apply(batch)
        seen.formUnion(StateWords.ends(in: batch))
        controller.machine = flight.next
        for row in batch.runs { oracle.promisedRuns.insert(row.id.rawValue) }
        for row in batch.attempts where oracle.uptimeAtCommit[row.id] == nil {
            oracle.uptimeAtCommit[row.id] = controller.uptime
        }
        if mutant != .startBeforeCommit { perform(flight.group.effects) }
        if controller.inbox.isEmpty {
            controller.committing = false
        } else {
            schedule(.startCommit(life: controller.life), after: 0)
        }
    }

    private mutating func halt(_ inputs: [ControllerNode.Pending]) {
        let all = inputs + controller.inbox
        controller.machine = nil
        controller.halted = true
        controller.inbox = []
        controller.committing = false
        for case .trigger(let index) in all { schedule(.trigger(index), after: 500) }
        // A committed transaction whose answer was lost would look the same to the engine: it loads again either way.
    }

    /// The planted defect: a cancel that comes late rewrites how an attempt ended.
    private func corrupt(_ batch: inout CommitBatch) {
        for run in batch.runs where run.cancelledBy != nil {
            for var attempt in controller.store.attempts.values
            where attempt.run == run.id && attempt.outcome == .success {
                attempt.outcome = .cancelled
                batch.attempts.append(attempt)
            }
        }
    }

    private mutating func perform(_ effects: [EngineEffect]) {
        for effect in effects {
            switch effect {
            case .send(_, let session, let message):
                guard let link = links.lastIndex(where: { $0.session == session && $0.openAtController }) else {
                    continue
                }
                if case .start(let start) = message { sendStart(start, on: link) } else { sendToAgent(link, message) }
            case .close(_, let session, let code, _):
                guard let link = links.lastIndex(where: { $0.session == session && $0.openAtController }) else {
                    continue
                }
                links[link].openAtController = false
                schedule(.agentLinkClosed(link: link, code), after: random.below(20))
            case .sealLog(let attempt): controller.segments[attempt, default: Segment()].sealed = true
            case .publish: break
            }
        }
    }

    mutating func controllerLost(_ link: Int) {
        guard links[link].welcomed else { return }
        submit(.disconnected(hosts[links[link].agent].agent, links[link].session))
    }
}
