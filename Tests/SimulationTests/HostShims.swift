import AgentCore
import AgentShimCore
import AnsFlowProtocol

// Shims and the steps' processes.
extension World {
    mutating func shimEvent(_ event: Event) throws {
        switch event {
        case .shimStart(let host, let boot, let attempt):
            guard let shim = living(host, boot, attempt), let start = hosts[host].specs[attempt] else { return }
            guard shim.life.isWarm || !shim.started else { return }
            var life = shim.life
            let actions = life.startRequested(
                attempt: attempt.rawValue, timeoutMs: start.spec.timeoutMs, graceMs: start.spec.graceMs)
            hosts[host].shims[attempt]!.life = life
            if actions.contains(.claim) {
                schedule(.shimClaimed(agent: host, boot: boot, attempt), after: random.below(3))
            }
        case .shimClaimed(let host, let boot, let attempt):
            guard living(host, boot, attempt) != nil else { return }
            try claimAndRelease(host, attempt)
        case .shimWrites(let host, let boot, let attempt):
            guard boot == hosts[host].boot, hosts[host].shims[attempt] != nil else { return }
            try write(host, attempt)
        case .shimTimer(let host, let boot, let attempt):
            guard let shim = living(host, boot, attempt), shim.life.due != nil else { return }
            try shimDo(host, attempt) { [now] in $0.timerDue(now: now) }
        case .treeSwept(let host, let boot, let attempt):
            guard let shim = living(host, boot, attempt), shim.treeEmpty else { return }
            try shimDo(host, attempt) { [now] in $0.treeEmpty(now: now) }
            try shimDo(host, attempt) { $0.outputEnded() }
        default: break
        }
    }

    private func living(_ host: Int, _ boot: Int, _ attempt: AttemptID) -> ShimNode? {
        guard boot == hosts[host].boot, let shim = hosts[host].shims[attempt], shim.alive else { return nil }
        return shim
    }

    private mutating func claimAndRelease(_ host: Int, _ attempt: AttemptID) throws {
        let won = hosts[host].startFiles.insert(attempt).inserted || mutant == .spawnWithoutStartFile
        guard won else {
            try shimDo(host, attempt) { [now] in $0.startFileRefused(.startFileExists, now: now) }
            return tell(host, .shimRefused(attempt, reason: "the start file is there"))
        }
        try shimDo(host, attempt) { [now] in $0.startFileClaimed(now: now) }
        hosts[host].shims[attempt]!.started = true
        hosts[host].shims[attempt]!.mainAlive = true
        hosts[host].shims[attempt]!.childAlive = hosts[host].shims[attempt]!.script.leavesChild
        try checkStart(of: attempt)
        hosts[host].shims[attempt]!.startNumber = try oracle.spawned(attempt)
        tell(host, .shimStarted(attempt))
        armTimer(host, attempt)
        scheduleNextChunk(host, attempt)
    }

    private mutating func scheduleNextChunk(_ host: Int, _ attempt: AttemptID) {
        guard let shim = hosts[host].shims[attempt] else { return }
        let delay = shim.nextChunk < shim.script.chunks.count ? shim.script.chunks[shim.nextChunk].afterMs : 50
        schedule(.shimWrites(agent: host, boot: hosts[host].boot, attempt), after: delay)
    }

    /// The program writes its next chunk, or ends.
    private mutating func write(_ host: Int, _ attempt: AttemptID) throws {
        guard let shim = hosts[host].shims[attempt], shim.mainAlive else { return }
        guard shim.nextChunk < shim.script.chunks.count else {
            hosts[host].shims[attempt]!.mainAlive = false
            noteAlive(host, attempt)
            guard shim.alive else { return }
            let empty = !shim.childAlive
            try shimDo(host, attempt) { [now] in
                $0.childExited(.exited(shim.script.exitCode), treeEmpty: empty, now: now)
            }
            if empty { try shimDo(host, attempt) { $0.outputEnded() } }
            return
        }
        hosts[host].shims[attempt]!.nextChunk += 1
        scheduleNextChunk(host, attempt)
        // Bytes that no shim takes are nobody's: the promise is about what the shim has taken.
        guard shim.alive else { return }
        let base = shim.spool.count
        for offset in base..<(base + shim.script.chunks[shim.nextChunk].bytes) {
            let byte = StepScript.byte(attempt, start: shim.startNumber, offset: offset)
            hosts[host].shims[attempt]!.spool.append(byte)
            oracle.attempts[attempt]!.bytes.append(byte)
        }
        tell(host, .spooled(attempt, UInt64(hosts[host].shims[attempt]!.spool.count)))
    }

    mutating func stopShim(_ host: Int, _ attempt: AttemptID, reason: StopReason, graceMs: UInt64) throws {
        guard hosts[host].shims[attempt]?.alive ?? false else { return }
        let why: ShimStopReason =
            switch reason {
            case .cancel: .cancel
            case .timeout: .timeout
            case .revoked: .revoked
            case .superseded: .superseded
            case .ended: .ended
            }
        try shimDo(host, attempt) { [now] in $0.stopRequested(why, graceMs: min(graceMs, 1_000), now: now) }
    }

    mutating func forgetShim(_ host: Int, _ attempt: AttemptID) throws {
        guard hosts[host].shims[attempt] != nil else { return }
        if hosts[host].shims[attempt]!.alive { try shimDo(host, attempt) { $0.forget() } }
        hosts[host].shims[attempt] = nil
    }

    private mutating func shimDo(
        _ host: Int, _ attempt: AttemptID, _ event: (inout ShimLifecycle) -> [ShimAction]
    ) throws {
        guard hosts[host].shims[attempt] != nil else { return }
        let actions = event(&hosts[host].shims[attempt]!.life)
        for action in actions {
            switch action {
            case .terminate:
                guard !hosts[host].shims[attempt]!.script.ignoresTerm else { continue }
                try mainKilled(host, attempt)
            case .killTree:
                killTree(host, attempt)
                let status = ChildStatus.signalled(9)
                try shimDo(host, attempt) { [now] in $0.childExited(status, treeEmpty: true, now: now) }
                schedule(.treeSwept(agent: host, boot: hosts[host].boot, attempt), after: random.below(20))
            case .finish(let ending, let unkillable):
                let record = hosts[host].shims[attempt]!.ending(ending, unkillable: unkillable)
                hosts[host].shims[attempt]!.record = record
                tell(host, .exited(attempt, record))
            case .claim, .refuse, .reportState, .release, .closeOutput, .reportEmptied: break
            case .exit: hosts[host].shims[attempt]?.alive = false
            }
            guard hosts[host].shims[attempt] != nil else { return }
        }
        armTimer(host, attempt)
    }

    private mutating func mainKilled(_ host: Int, _ attempt: AttemptID) throws {
        guard hosts[host].shims[attempt]!.mainAlive else { return }
        hosts[host].shims[attempt]!.mainAlive = false
        noteAlive(host, attempt)
        let empty = hosts[host].shims[attempt]!.treeEmpty
        try shimDo(host, attempt) { [now] in $0.childExited(.signalled(15), treeEmpty: empty, now: now) }
        if empty { try shimDo(host, attempt) { $0.outputEnded() } }
    }

    private mutating func armTimer(_ host: Int, _ attempt: AttemptID) {
        guard let due = hosts[host].shims[attempt]?.life.due else { return }
        schedule(
            .shimTimer(agent: host, boot: hosts[host].boot, attempt), after: Int(min(due, now + 100_000_000)) - Int(now)
        )
    }

    mutating func killTree(_ host: Int, _ attempt: AttemptID) {
        hosts[host].shims[attempt]?.mainAlive = false
        hosts[host].shims[attempt]?.childAlive = false
        noteAlive(host, attempt)
    }

    private mutating func noteAlive(_ host: Int, _ attempt: AttemptID) {
        oracle.attempts[attempt]?.alive = !(hosts[host].shims[attempt]?.treeEmpty ?? true)
    }

    /// A shim speaks to the agent's process, if there is one.
    mutating func tell(_ host: Int, _ input: AgentInput) {
        guard hosts[host].machine != nil else { return }
        schedule(.agentInput(agent: host, process: hosts[host].process, input), after: random.below(3))
    }

    /// kill -9 of a shim: its step's processes live on until somebody empties their cgroup.
    mutating func killShim(_ host: Int, _ attempt: AttemptID) {
        guard hosts[host].shims[attempt]?.alive ?? false else { return }
        hosts[host].shims[attempt]!.alive = false
        guard hosts[host].machine != nil, hosts[host].shims[attempt]!.record == nil else { return }
        killTree(host, attempt)
        tell(host, .shimLost(attempt, spooled: UInt64(hosts[host].shims[attempt]!.spool.count)))
    }
}
