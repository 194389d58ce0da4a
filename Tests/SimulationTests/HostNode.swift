import AgentCore
import AgentShimCore
import AnsFlowProtocol

/// An agent's host: its processes and its disk.
struct HostNode {
    let index: Int
    let agent: AgentID
    let labels: [String: String]
    var machine: AgentMachine?
    /// Counts the agent's processes, so that nothing of an earlier one reaches a later one.
    var process = 0
    /// Counts boots.
    var boot = 1
    /// Counts data directories.
    var storeNumber = 1
    /// Durable journal, with the boot of each accept.
    var journal: [(entry: AgentJournalEntry, boot: Int)] = []
    var startFiles: Set<AttemptID> = []
    var shims: [AttemptID: ShimNode] = [:]
    /// It starts nothing until then.
    var refusesUntil: UInt64 = 0
    /// START as it came, for the shim.
    var specs: [AttemptID: Start] = [:]

    init(index: Int, agent: AgentID, labels: [String: String] = [:]) {
        self.index = index
        self.agent = agent
        self.labels = labels
    }
}

extension World {
    mutating func agentEvent(_ event: Event) throws {
        switch event {
        case .startAgent(let host): try startAgent(host)
        case .agentTick(let host, let process):
            guard hosts[host].process == process, hosts[host].machine != nil else { return }
            schedule(.agentTick(agent: host, process: process), after: 1_000)
            try feed(host, .tick)
        case .agentInput(let host, let process, let input):
            if hosts[host].process == process { try feed(host, input) }
        case .journalDone(let host, let process, let entry):
            guard hosts[host].process == process else { return }
            hosts[host].journal.append((entry, hosts[host].boot))
            if case .accept(let attempt, let job) = entry {
                if hosts[host].shims[attempt] == nil {
                    hosts[host].shims[attempt] = ShimNode(
                        attempt: attempt, jobAttempt: job, script: StepScript(random: &scripts), now: now)
                }
                try feed(host, .journalled(attempt))
            }
        default: break
        }
    }

    private mutating func startAgent(_ host: Int) throws {
        guard hosts[host].machine == nil else { return }
        hosts[host].process += 1
        let process = hosts[host].process
        let profile = AgentProfile(
            version: "0", processNonce: "\(host)-\(process)", bootID: "boot-\(hosts[host].boot)",
            storeID: "store-\(host)-\(hosts[host].storeNumber)", containment: .cgroup2, slots: 2,
            labels: hosts[host].labels)
        // Dead shims' trees are emptied before anything is said.
        for id in hosts[host].shims.keys where !hosts[host].shims[id]!.alive { killTree(host, id) }
        var machine = AgentMachine(profile: profile, recovering: recovered(host), now: now)
        let effects = machine.begin(now: now)
        hosts[host].machine = machine
        schedule(.agentTick(agent: host, process: process), after: 1_000)
        for id in hosts[host].shims.keys.sorted() where hosts[host].shims[id]!.alive {
            hosts[host].shims[id]!.life.agentCame()
        }
        try perform(effects, on: host)
    }

    private func recovered(_ index: Int) -> RecoveredState {
        let host = hosts[index]
        var state = RecoveredState()
        var accepted: [AttemptID: (job: JobAttemptID, boot: Int)] = [:]
        var neverStarted: Set<AttemptID> = []
        for (entry, boot) in host.journal {
            switch entry {
            case .accept(let attempt, let job):
                accepted[attempt] = (job, boot)
                state.highestAttemptSeen = max(state.highestAttemptSeen, attempt)
            case .neverStarted(let attempt): neverStarted.insert(attempt)
            case .forgotten(let attempt):
                accepted[attempt] = nil
                neverStarted.remove(attempt)
                state.forgotten.append(attempt)
                state.highestAttemptSeen = max(state.highestAttemptSeen, attempt)
            }
        }
        for attempt in neverStarted where accepted[attempt] == nil { accepted[attempt] = (JobAttemptID(0), host.boot) }
        state.attempts = accepted.keys.sorted().map { attempt in
            let (job, boot) = accepted[attempt]!
            let shim = host.shims[attempt]
            let spooled = UInt64(shim?.spool.count ?? 0)
            let condition: RecoveredState.Condition
            if neverStarted.contains(attempt) {
                condition = .neverStarted
            } else if boot != host.boot {
                condition = .otherBoot(spooled: spooled)
            } else if let record = shim?.record {
                condition = .exited(record)
            } else if let shim, shim.alive {
                condition = shim.started ? .running(spooled: spooled) : shim.handed ? .handed : .parked
            } else {
                condition = .gone(startFile: host.startFiles.contains(attempt), spooled: spooled)
            }
            return RecoveredState.Attempt(attempt: attempt, jobAttempt: job, condition: condition)
        }
        return state
    }

    mutating func feed(_ host: Int, _ input: AgentInput) throws {
        guard hosts[host].machine != nil else { return }
        let effects = hosts[host].machine!.handle(input, now: now)
        try perform(effects, on: host)
    }

    private mutating func answer(_ host: Int, _ input: AgentInput, after delay: Int = 3) {
        schedule(.agentInput(agent: host, process: hosts[host].process, input), after: random.below(delay + 1))
    }

    private mutating func perform(_ effects: [AgentEffect], on host: Int) throws {
        for effect in effects {
            switch effect {
            case .dial:
                schedule(.linkUp(agent: host, process: hosts[host].process), after: 5 + random.below(1_500))
            case .close(let link, let code):
                schedule(.agentLinkClosed(link: Int(link), code), after: random.below(5))
            case .send(let link, let message):
                sendToController(Int(link), .message(message))
                if mutant == .spoolDeletedAtEOF, case .eof(let end) = message {
                    hosts[host].shims[end.attempt]?.spool = []
                }
            case .sendHeartbeat(let link):
                sendToController(
                    Int(link), .message(.heartbeat(AgentHeartbeat(nowMs: Int64(now), load: 0, diskFreeBytes: 1 << 30))))
            case .sendLog(let link, let attempt, let from, let upTo):
                sendLog(host, link: link, attempt, from: from, upTo: upTo)
            case .hashLog(let attempt, let total):
                let spool = hosts[host].shims[attempt]?.spool ?? []
                let hash = spool.count >= Int(total) ? StepScript.hash(spool.prefix(Int(total))) : nil
                answer(host, .hashed(attempt, total: total, sha256: hash))
            case .journal(let entry):
                schedule(.journalDone(agent: host, process: hosts[host].process, entry), after: 1 + random.below(5))
            case .startShim(let start):
                try checkTrust(start, on: host)
                hosts[host].specs[start.attempt] = start
                hosts[host].shims[start.attempt]?.handed = true
                if hosts[host].refusesUntil > now {
                    tell(host, .shimRefused(start.attempt, reason: "the host is full"))
                    continue
                }
                // Now and then the shim is not given the processor for long.
                let delay = !faults.isEmpty && random.chance(4) ? random.below(120_000) : random.below(5)
                schedule(.shimStart(agent: host, boot: hosts[host].boot, start.attempt), after: delay)
            case .stopShim(let attempt, let reason, let grace):
                try stopShim(host, attempt, reason: reason, graceMs: grace)
            case .forgetShim(let attempt): try forgetShim(host, attempt)
            case .claimStartFile(let attempt):
                let won = hosts[host].startFiles.insert(attempt).inserted
                answer(host, .claimed(attempt, won: won))
            case .cleanWorkspace, .exit: break
            }
        }
    }

    private mutating func sendLog(_ host: Int, link: UInt64, _ attempt: AttemptID, from: UInt64, upTo: UInt64) {
        let spool = hosts[host].shims[attempt]?.spool ?? []
        let end = min(Int(upTo), spool.count, Int(from) + 2_000)
        guard end > Int(from) else {
            return answer(
                host,
                .logUnreadable(
                    link: link, attempt: attempt, from: from, length: upTo - from, reason: "the spool is short"))
        }
        sendToController(Int(link), .log(attempt, from: from, Array(spool[Int(from)..<end])))
        answer(host, .logSent(link: link, attempt: attempt, from: from, end: UInt64(end)))
    }
}
