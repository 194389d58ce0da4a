import AnsFlowProtocol
import ControllerCore

// The controller's end of logs, and what must hold of ends.
extension World {
    mutating func controllerReceives(_ message: ToController, link: Int) throws {
        let agent = hosts[links[link].agent].agent
        let session = links[link].session
        switch message {
        case .log(let attempt, let from, let bytes):
            guard controller.machine?.mayLog(attempt, agent: agent) ?? false else { return }
            try append(attempt, from: from, bytes, link: link)
        case .message(.hello(let hello)): submit(.connected(link: link, hello))
        case .message(.started(let attempt)): submit(.started(attempt, agent, session))
        case .message(.declined(let attempt, let reason)): submit(.declined(attempt, reason, agent, session))
        case .message(.finish(let finish)): finishCame(finish, agent: agent, session: session)
        case .message(.gap), .message(.eof), .message(.heartbeat), .message(.log): break
        }
    }

    private mutating func append(_ attempt: AttemptID, from: UInt64, _ bytes: [UInt8], link: Int) throws {
        var segment = controller.segments[attempt] ?? Segment()
        guard !segment.sealed else { return }
        guard from == UInt64(segment.bytes.count) else {
            return sendToAgent(link, .logAck(attempt, next: UInt64(segment.durable)))
        }
        segment.bytes += bytes
        try checkPrefix(attempt, segment.bytes)
        if mutant == .ackBeforeFsync { sendToAgent(link, .logAck(attempt, next: UInt64(segment.bytes.count))) }
        controller.segments[attempt] = segment
        controller.syncing[attempt] = segment.bytes.count
        if !controller.syncScheduled {
            controller.syncScheduled = true
            schedule(.synced(life: controller.life), after: 2 + random.below(40))
        }
    }

    mutating func synced() {
        controller.syncScheduled = false
        guard diskWorks else {
            controller.syncScheduled = true
            return schedule(.synced(life: controller.life), after: 1_000)
        }
        for (attempt, count) in controller.syncing.sorted(by: { $0.key < $1.key }) {
            let durable = min(count, controller.segments[attempt]?.bytes.count ?? 0)
            controller.segments[attempt]?.durable = durable
            guard let agent = controller.store.attempts[attempt]?.agent else { continue }
            if mutant != .ackBeforeFsync, let link = currentLink(of: agent) {
                sendToAgent(link, .logAck(attempt, next: UInt64(durable)))
            }
            guard let session = currentLink(of: agent).map({ links[$0].session }) else { continue }
            let action = controller.segments[attempt]?.reception.durable(UInt64(durable)) ?? .none
            act(action, agent: agent, session: session)
        }
        controller.syncing = [:]
    }

    private mutating func finishCame(_ finish: Finish, agent: AgentID, session: SessionID) {
        var finish = finish
        let attempt = finish.attempt
        if finish.result == .lost {
            oracle.lost.insert(attempt)
            if mutant == .finallyOnLostAgent { finish.result = .failed }
        }
        let next = UInt64(controller.segments[attempt]?.bytes.count ?? 0)
        guard controller.machine?.mayLog(attempt, agent: agent) ?? false else {
            let summary = LogSummary(state: .incomplete, bytes: next, lines: 0)
            return submit(.finished(finish, summary, agent, session))
        }
        let action = controller.segments[attempt, default: Segment()].reception.finishCame(finish, next: next)
        act(action, agent: agent, session: session)
    }

    private mutating func act(_ action: LogReception.Action, agent: AgentID, session: SessionID) {
        switch action {
        case .none: break
        case .verify(let finish):
            let verdict = verify(finish)
            let next = controller.segments[finish.attempt, default: Segment()].reception.verified(verdict)
            act(next, agent: agent, session: session)
        case .resend(let attempt):
            controller.segments[attempt]?.bytes = []
            controller.segments[attempt]?.durable = 0
            oracle.acknowledged[attempt] = nil
            if let link = currentLink(of: agent) { sendToAgent(link, .logResend(attempt, from: 0)) }
        case .settle(let finish, let summary): submit(.finished(finish, summary, agent, session))
        }
    }

    private func verify(_ finish: Finish) -> LogVerdict {
        let segment = controller.segments[finish.attempt] ?? Segment()
        guard UInt64(segment.durable) >= finish.log.total else { return .waiting(next: UInt64(segment.bytes.count)) }
        let hash = StepScript.hash(segment.bytes)
        let summary = LogSummary(
            state: .complete, bytes: UInt64(segment.bytes.count), lines: 0,
            sha256: hash, dropped: finish.log.dropped)
        let agrees = finish.log.sha256 == nil || finish.log.sha256 == hash
        return agrees && UInt64(segment.bytes.count) == finish.log.total ? .complete(summary) : .mismatch(summary)
    }

    /// LOG: what is stored is always a prefix of what the step wrote.
    private func checkPrefix(_ attempt: AttemptID, _ bytes: [UInt8]) throws {
        let written = oracle.attempts[attempt]?.bytes ?? []
        guard bytes.count <= written.count, bytes.elementsEqual(written.prefix(bytes.count)) else {
            throw Violation(
                invariant: "LOG",
                detail:
                    "attempt \(attempt) has \(bytes.count) stored bytes that are not what it wrote (\(written.count))")
        }
    }

    /// LOG, CLEAN and honesty, when an attempt's end is about to be committed.
    func checkEnds(_ batch: CommitBatch) throws {
        for row in batch.attempts where row.outcome != nil && controller.store.attempts[row.id]?.outcome == nil {
            let written = oracle.attempts[row.id]
            let segment = controller.segments[row.id] ?? Segment()
            if row.logState == .complete, row.cause != .startFailed {
                guard Int(row.logBytes) == segment.durable || segment.bytes.isEmpty else {
                    throw Violation(
                        invariant: "LOG",
                        detail: "attempt \(row.id) ends with \(row.logBytes) bytes, \(segment.durable) are durable")
                }
                guard segment.bytes.elementsEqual(written?.bytes ?? []) else {
                    throw Violation(
                        invariant: "LOG", detail: "attempt \(row.id) is called complete and is not what the step wrote")
                }
            }
            switch row.cause {
            case .deadlinePassed, .agentGone, .agentRevoked, .forceCancelled, .agentStateLost, .unkillable: break
            default:
                guard !(written?.alive ?? false) else {
                    throw Violation(
                        invariant: "CLEAN",
                        detail: "attempt \(row.id) ends as \(row.outcome!) (\(row.cause as Any)) and its processes live"
                    )
                }
            }
            if row.cause == .neverStarted, (written?.starts ?? 0) > 0 {
                throw Violation(
                    invariant: "ONCE", detail: "attempt \(row.id) is said never to have started, and it was")
            }
            if row.outcome == .success, (written?.starts ?? 0) != 1 {
                throw Violation(invariant: "ONCE", detail: "attempt \(row.id) succeeded and was never started")
            }
            if row.cause == .deadlinePassed { try checkDeadline(row, alive: written?.alive ?? false) }
            try checkWhole(row, written: written?.bytes.count ?? 0)
        }
    }

    /// Only time that the controller was up counts against a silent host.
    private func checkDeadline(_ row: AttemptRow, alive: Bool) throws {
        let up = controller.uptime - (oracle.uptimeAtCommit[row.id] ?? 0)
        guard !alive, up + 3_000 >= 81_000 else {
            throw Violation(
                invariant: "LOST", detail: "attempt \(row.id) was given up after \(up) ms of the controller's time")
        }
    }

    /// A log may lack bytes only where a host lost them.
    private func checkWhole(_ row: AttemptRow, written: Int) throws {
        guard row.outcome != .lost, row.cause != .neverStarted, row.cause != .startFailed else { return }
        guard row.logState == .complete, Int(row.logBytes) == written else {
            throw Violation(
                invariant: "LOG",
                detail:
                    "attempt \(row.id) ended as \(row.outcome!), and \(row.logBytes) of its \(written) bytes are \(row.logState)"
            )
        }
    }
}
