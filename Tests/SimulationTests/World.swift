import AgentCore
import AgentShimCore
import AnsFlowProtocol
import ControllerCore

/// Controller, agents and their hosts under one seed: virtual clock, network and disks, real cores.
///
/// Single-threaded; the same seed and faults give the same history. Invariants are checked where they could break: at every
/// start, append, commit and end.
struct World {
    enum Event {
        case arriveAtController(link: Int, ToController)
        case arriveAtAgent(link: Int, ControllerMessage)
        case controllerLinkClosed(link: Int)
        case agentLinkClosed(link: Int, CloseCode?)
        case linkUp(agent: Int, process: Int)
        case startCommit(life: Int)
        case endCommit(life: Int)
        case synced(life: Int)
        case controllerTick(life: Int)
        case agentTick(agent: Int, process: Int)
        case agentInput(agent: Int, process: Int, AgentInput)
        case journalDone(agent: Int, process: Int, AgentJournalEntry)
        case shimStart(agent: Int, boot: Int, AttemptID)
        case shimClaimed(agent: Int, boot: Int, AttemptID)
        case shimTimer(agent: Int, boot: Int, AttemptID)
        case shimWrites(agent: Int, boot: Int, AttemptID)
        case treeSwept(agent: Int, boot: Int, AttemptID)
        case startController
        case startAgent(Int)
        case fault
        case diskHeals
        case trigger(Int)
        case person
        case undrain(Int)
    }

    enum ToController {
        case message(AgentMessage)
        case log(AttemptID, from: UInt64, [UInt8])
    }

    let faults: Faults
    let mutant: Mutant?
    var now: UInt64 = 0
    var events = EventQueue<Event>()
    var random: SeededRandom
    var scripts: SeededRandom
    var oracle = Oracle()
    var controller: ControllerNode
    var hosts: [HostNode]
    var links: [Link] = []
    var steps = 0
    /// Whether faults may still be made.
    var stormy = true
    var diskWorks = true

    static let stormMs: UInt64 = 240_000
    static let runsPlanned = 3
    var rerunsLeft = 1
    /// Ends of the state table that were committed.
    var seen: Set<String> = []

    init(seed: UInt64, faults: Faults, mutant: Mutant? = nil) {
        self.faults = faults
        self.mutant = mutant
        var root = SeededRandom(seed: seed)
        random = root.fork("world")
        scripts = root.fork("scripts")
        var store = StoreModel()
        hosts = []
        // The last is the pool for what comes from outside.
        for (index, labels) in [[:], [:], [LabelMatch.untrusted: "true"]].enumerated() {
            let id = AgentID(Int64(index + 1))
            store.add(
                AgentRow(id: id, name: "agent-\(index)", key: "key-\(index)", labels: labels, slots: 2, createdAt: 0))
            hosts.append(HostNode(index: index, agent: id, labels: labels))
        }
        controller = ControllerNode(store: store)
    }

    /// Runs the whole history: a storm, then calm until everything has ended.
    mutating func run() throws {
        schedule(.startController, after: 0)
        for index in hosts.indices { schedule(.startAgent(index), after: random.below(500)) }
        for index in 0..<Self.runsPlanned { schedule(.trigger(index), after: 200 + random.below(20_000)) }
        schedule(.person, after: 5_000)
        for _ in 0..<(faults.isEmpty ? 0 : 12) {
            schedule(.fault, after: 500 + random.below(Int(Self.stormMs) - 2_000))
        }
        let lastMoment: UInt64 = 6 * 3_600_000
        while let (time, event) = events.pop() {
            now = time
            steps += 1
            if stormy, now >= Self.stormMs { try calm() }
            try handle(event)
            if !stormy, isSettled { return try checkEnd() }
            guard now < lastMoment, steps < 400_000 else {
                throw Violation(invariant: "LIVE", detail: "not everything has ended after \(now) ms: \(standing)")
            }
        }
        throw Violation(invariant: "LIVE", detail: "nothing is left to happen and not everything has ended")
    }

    mutating func schedule(_ event: Event, after delay: Int) {
        events.push(event, at: now + UInt64(max(0, delay)))
    }

    private mutating func handle(_ event: Event) throws {
        switch event {
        case .arriveAtController, .arriveAtAgent, .controllerLinkClosed, .agentLinkClosed, .linkUp:
            try networkEvent(event)
        case .startCommit, .endCommit, .synced, .controllerTick, .startController, .trigger, .diskHeals:
            try controllerEvent(event)
        case .agentTick, .agentInput, .journalDone, .startAgent: try agentEvent(event)
        case .shimStart, .shimClaimed, .shimTimer, .shimWrites, .treeSwept: try shimEvent(event)
        case .fault: try makeFault()
        case .person: person()
        case .undrain(let host): undrain(host)
        }
    }

    /// Faults off: everything comes up again and stays up.
    private mutating func calm() throws {
        stormy = false
        diskWorks = true
        if controller.machine == nil, !controller.halted { schedule(.startController, after: 10) }
        for index in hosts.indices where hosts[index].machine == nil { schedule(.startAgent(index), after: 20) }
        for link in links.indices where links[link].isHalfOpen { breakLink(link) }
    }

    private var isSettled: Bool {
        guard let machine = controller.machine, controller.inbox.isEmpty, !controller.committing else { return false }
        return controller.store.runs.count == oracle.promisedRuns.count
            && oracle.promisedRuns.count >= Self.runsPlanned
            && controller.store.runs.values.allSatisfy { $0.phase == .finished } && machine.statistics.activeRuns == 0
            && hosts.allSatisfy { $0.machine?.isIdle ?? false }
    }

    private var standing: String {
        let runs = controller.store.runs.values.map { "run \($0.id) \($0.phase)" }
        let attempts = controller.store.attempts.values.filter { $0.outcome == nil }.map {
            "attempt \($0.id) \($0.phase) on agent \($0.agent)"
        }
        let agents = hosts.map { host in
            "agent \(host.agent): \(host.machine.map { "\($0.attempts.map { "\($0.attempt)=\($0.state)/\($0.spooled)/\($0.acknowledged)" }) link \($0.link)" } ?? "down")"
        }
        return (runs + attempts + agents).joined(separator: "; ")
            + "; queue \(controller.machine?.statistics.queuedJobs ?? -1)"
    }

    private func checkEnd() throws {
        for run in oracle.promisedRuns where controller.store.runs[RunID(run)] == nil {
            throw Violation(invariant: "RUN", detail: "run \(run) was acknowledged and is gone")
        }
        for host in hosts {
            for shim in host.shims.values where !shim.treeEmpty {
                throw Violation(invariant: "CLEAN", detail: "attempt \(shim.attempt) still has processes at the end")
            }
        }
        // A step is started once at most, and again only where a retry rule says so.
        var starts: [StepID: Int] = [:]
        for (attempt, written) in oracle.attempts {
            guard let row = controller.store.attempts[attempt] else {
                throw Violation(invariant: "ONCE", detail: "attempt \(attempt) was started and is in no row")
            }
            starts[row.step, default: 0] += written.starts
            let later = controller.store.attempts.values.filter {
                $0.step == row.step && $0.jobAttempt == row.jobAttempt && $0.id > row.id
            }
            if row.outcome == .lost, !later.isEmpty {
                throw Violation(
                    invariant: "ONCE", detail: "attempt \(attempt) was lost and its step repeated by itself")
            }
        }
        for (step, count) in starts.sorted(by: { $0.key < $1.key }) {
            guard let row = controller.store.steps[step], let job = controller.store.jobs[row.job],
                let plan = controller.store.plans[row.run]?.jobs[job.index]
            else { continue }
            let allowed = (1 + (plan.retry?.max ?? 0)) * (1 + (plan.steps[row.index].retry?.max ?? 0))
            guard count <= allowed else {
                throw Violation(invariant: "ONCE", detail: "step \(step) was started \(count) times, of \(allowed)")
            }
        }
    }
}

/// Events by time, and in the order in which they were scheduled within one.
struct EventQueue<Element> {
    private var heap: [(time: UInt64, order: Int, element: Element)] = []
    private var count = 0

    mutating func push(_ element: Element, at time: UInt64) {
        heap.append((time, count, element))
        count += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard before(child, parent) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> (UInt64, Element)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                let left = 2 * parent + 1
                guard left < heap.count else { break }
                let right = left + 1
                let child = right < heap.count && before(right, left) ? right : left
                guard before(child, parent) else { break }
                heap.swapAt(parent, child)
                parent = child
            }
        }
        return (first.time, first.element)
    }

    private func before(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
    }
}
