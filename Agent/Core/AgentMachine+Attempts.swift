import AnsFlowProtocol

extension AgentMachine {
    // MARK: From the controller

    mutating func started(_ start: Start, now: UInt64, _ effects: inout [AgentEffect]) {
        let id = start.attempt
        if records[id] != nil {
            again(start, now: now, &effects)
            return
        }
        if tombstones.contains(id) {
            sayForgotten(id, &effects)
            return
        }
        if let reason = refusal(start) {
            sayNotNow(id, reason, &effects)
            return
        }
        var record = AttemptRecord(life: AttemptLifecycle(start, now: now))
        record.report.isWanted = true
        records[id] = record
        highestAttemptSeen = max(highestAttemptSeen, id)
        effects += workspaces.use(start.spec.jobAttempt, now: now).map { .cleanWorkspace($0) }
        effects.append(.journal(.accept(id, start.spec.jobAttempt)))
    }

    private mutating func again(_ start: Start, now: UInt64, _ effects: inout [AgentEffect]) {
        let id = start.attempt
        records[id]?.report.isWanted = true
        switch records[id]?.life.start(start, now: now) {
        case .journal: effects.append(.journal(.accept(id, start.spec.jobAttempt)))
        case .claim: effects.append(.claimStartFile(id))
        case .sayStarted: send(.started(id), &effects)
        case .report:
            records[id]?.report.finishAt = 0
            pump(id, now: now, &effects)
        case .some(.none), nil: break
        }
    }

    /// Why a new attempt can't be taken; `nil` where it can.
    private func refusal(_ start: Start) -> String? {
        let job = start.spec.jobAttempt
        if start.attempt.rawValue <= 0 { return "An attempt's id is 1 or more." }
        if !isWritable { return "The controller said that it can't make anything durable, so nothing is started." }
        if isDraining, !workspaces.contains(job) { return "The agent is draining and takes no new job." }
        if records.count >= ProtocolLimits.attemptsPerHelloMax {
            return "The agent knows \(records.count) attempts, which is the most it can hold; some must end first."
        }
        let jobs = Set(records.values.filter(\.holdsSlot).map(\.life.jobAttempt))
        if !jobs.contains(job), jobs.count >= profile.slots {
            return "All \(profile.slots) slots of the agent hold other jobs."
        }
        return nil
    }

    /// The obstacle will pass, so this costs the attempt nothing: the controller makes a new row of it.
    private func sayNotNow(_ id: AttemptID, _ reason: String, _ effects: inout [AgentEffect]) {
        let end = LogEnd(attempt: id, total: 0, sha256: Report.emptyHash, dropped: 0)
        send(.finish(Finish(attempt: id, result: .error, cause: .neverStarted, message: reason, log: end)), &effects)
    }

    /// The controller asks for an attempt whose end it has acknowledged: one of the two has lost its state.
    private func sayForgotten(_ id: AttemptID, _ effects: inout [AgentEffect]) {
        let end = LogEnd(attempt: id, total: 0, sha256: nil, dropped: nil)
        let finish = Finish(
            attempt: id, result: .lost, cause: .agentStateLost,
            message: "The agent had this attempt and was told to forget it.", log: end)
        send(.finish(finish), &effects)
    }

    mutating func stop(
        _ id: AttemptID, _ stop: AttemptLifecycle.Stop, now: UInt64, _ effects: inout [AgentEffect]
    ) {
        guard records[id] != nil else {
            stopUnknown(id, stop, &effects)
            return
        }
        // The end of an orphan that an administrator stops is wanted too.
        if !(records[id]?.report.isForgotten ?? true) { records[id]?.report.isWanted = true }
        switch records[id]?.life.stop(stop) {
        case .claim: effects.append(.claimStartFile(id))
        case .stopShim(let stop): effects.append(stopShim(id, stop))
        case .report:
            records[id]?.report.finishAt = 0
            pump(id, now: now, &effects)
        case .some(.none), nil: break
        }
    }

    /// START got lost and the attempt was stopped since: it must not be started later either.
    private mutating func stopUnknown(
        _ id: AttemptID, _ stop: AttemptLifecycle.Stop, _ effects: inout [AgentEffect]
    ) {
        guard id.rawValue > 0 else { return }
        if tombstones.contains(id) {
            sayForgotten(id, &effects)
            return
        }
        guard records.count < ProtocolLimits.attemptsPerHelloMax else {
            send(.declined(id, reason: "The agent never had this attempt."), &effects)
            return
        }
        var record = AttemptRecord(life: AttemptLifecycle(stopped: id, stop))
        record.report.isWanted = true
        records[id] = record
        highestAttemptSeen = max(highestAttemptSeen, id)
        effects.append(.claimStartFile(id))
    }

    /// The controller holds the attempt's end.
    mutating func forget(_ id: AttemptID, now: UInt64, _ effects: inout [AgentEffect]) {
        guard let record = records[id] else { return }
        records[id]?.report.isForgotten = true
        records[id]?.report.isWanted = false
        if record.life.ending == nil {
            // It ended there for another reason, as by an operator's word. What still runs is stopped first.
            stop(id, AttemptLifecycle.Stop(reason: .ended, graceMs: Self.endedGraceMs), now: now, &effects)
        }
        dropIfForgotten(id, now: now, &effects)
    }

    private mutating func dropIfForgotten(_ id: AttemptID, now: UInt64, _ effects: inout [AgentEffect]) {
        guard let record = records[id], record.report.isForgotten, !record.holdsSlot else { return }
        records[id] = nil
        tombstones.insert(id)
        effects.append(.journal(.forgotten(id)))
        effects.append(.forgetShim(id))
        let job = record.life.jobAttempt
        release(job, now: now, &effects)
    }

    private mutating func release(_ job: JobAttemptID, now: UInt64, _ effects: inout [AgentEffect]) {
        guard !records.values.contains(where: { $0.life.jobAttempt == job }) else { return }
        effects += workspaces.release(job, now: now).map { .cleanWorkspace($0) }
    }

    // MARK: From shims, journal and claims

    mutating func attemptInput(_ input: AgentInput, now: UInt64, _ effects: inout [AgentEffect]) {
        switch input {
        case .journalled(let id):
            switch records[id]?.life.journalled(now: now) {
            case .hand(let start): effects.append(.startShim(start))
            case .claim: effects.append(.claimStartFile(id))
            case .some(.none), nil: break
            }
        case .notJournalled(let id, let reason): notJournalled(id, reason: reason, now: now, &effects)
        case .shimStarted(let id):
            switch records[id]?.life.shimStarted() {
            case .stopShim(let stop): effects.append(stopShim(id, stop))
            case .sayStarted, .some(.none), nil: break
            }
            pump(id, now: now, &effects)
        case .shimRefused(let id, _):
            if records[id]?.life.shimRefused() == true { ended(id, now: now, &effects) }
        case .shimUnable(let id, let reason):
            if records[id]?.life.shimUnable(String(reason.prefix(300))) == true { effects.append(.claimStartFile(id)) }
        case .exited(let id, let ending):
            if records[id]?.life.exited(ending) == true { ended(id, now: now, &effects) }
        case .shimLost(let id, let spooled):
            switch records[id]?.life.shimLost(spooled: spooled) {
            case .claim: effects.append(.claimStartFile(id))
            case .report: ended(id, now: now, &effects)
            case .some(.none), nil: break
            }
        case .vacated(let id):
            records[id]?.report.isVacant = true
            dropIfForgotten(id, now: now, &effects)
        case .claimed(let id, let won): claimed(id, won: won, now: now, &effects)
        default: break
        }
    }

    private mutating func notJournalled(
        _ id: AttemptID, reason: String, now: UInt64, _ effects: inout [AgentEffect]
    ) {
        switch records[id]?.life.notJournalled() {
        case .decline:
            let job = records[id]?.life.jobAttempt
            let forgotten = records[id]?.report.isForgotten ?? false
            records[id] = nil
            tombstones.insert(id)
            // Whether the entry reached the disk is unknown; this one says that it counts no more.
            effects.append(.journal(.forgotten(id)))
            effects.append(.forgetShim(id))
            if !forgotten { send(.declined(id, reason: String(reason.prefix(300))), &effects) }
            if let job { release(job, now: now, &effects) }
        case .claim: effects.append(.claimStartFile(id))
        case .some(.none), nil: break
        }
    }

    private mutating func claimed(_ id: AttemptID, won: Bool, now: UInt64, _ effects: inout [AgentEffect]) {
        switch records[id]?.life.claimed(won: won) {
        case .journalNeverStarted:
            effects.append(.journal(.neverStarted(id)))
            ended(id, now: now, &effects)
        case .report: ended(id, now: now, &effects)
        case .sayStarted: pump(id, now: now, &effects)
        case .stopShim(let stop):
            effects.append(stopShim(id, stop))
            pump(id, now: now, &effects)
        case .some(.none), nil: break
        }
        if unsettled.remove(id) != nil { dialIfSettled(&effects) }
    }

    private mutating func ended(_ id: AttemptID, now: UInt64, _ effects: inout [AgentEffect]) {
        records[id]?.noteEnd(now: now)
        pump(id, now: now, &effects)
        dropIfForgotten(id, now: now, &effects)
        if revokedAt != nil { exitIfDone(now: now, &effects) }
    }

    private func stopShim(_ id: AttemptID, _ stop: AttemptLifecycle.Stop) -> AgentEffect {
        .stopShim(id, reason: stop.reason, graceMs: stop.graceMs)
    }

    func send(_ message: AgentMessage, _ effects: inout [AgentEffect]) {
        if let number = link.ready { effects.append(.send(link: number, message)) }
    }

    private static let endedGraceMs: UInt64 = 10_000
}
