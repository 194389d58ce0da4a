import AnsFlowProtocol

extension AgentMachine {
    /// Says whatever can be said of an attempt now: that it started, more of its output, its end.
    mutating func pump(_ id: AttemptID, now: UInt64, _ effects: inout [AgentEffect]) {
        guard let number = link.ready, var record = records[id], record.report.isWanted, !record.report.isForgotten
        else { return }
        if !record.report.saidStarted, record.life.state == .running {
            record.report.saidStarted = true
            effects.append(.send(link: number, .started(id)))
        }
        if isWritable {
            if let read = record.log.next() {
                effects.append(.sendLog(link: number, attempt: id, from: read.from, upTo: read.upTo))
            }
            sayEnd(&record, on: number, now: now, &effects)
        }
        records[id] = record
    }

    /// EOF and FINISH, once the output is on its way and its hash is known; and no log may hold the end back for ever.
    private func sayEnd(_ record: inout AttemptRecord, on number: UInt64, now: UInt64, _ effects: inout [AgentEffect]) {
        guard let ending = record.life.ending, now >= record.report.finishAt else { return }
        guard record.log.isSent || record.log.isStalled(since: record.report.endedAt, now: now) else { return }
        if record.report.hash == .unasked {
            if ending.total == 0 {
                record.report.hash = .known(Report.emptyHash)
            } else {
                record.report.hash = .asked
                effects.append(.hashLog(record.life.attempt, total: ending.total))
            }
        }
        guard case .known(let hash) = record.report.hash else { return }
        let finish = record.finish(ending, hash: hash)
        effects.append(.send(link: number, .eof(finish.log)))
        effects.append(.send(link: number, .finish(finish)))
        record.report.finishAt = now + Report.repeatMs
    }

    mutating func logInput(_ input: AgentInput, now: UInt64, _ effects: inout [AgentEffect]) {
        switch input {
        case .logSent(let number, let id, let from, let end):
            guard link.ready == number else { return }
            records[id]?.log.wasSent(from: from, end: end)
            pump(id, now: now, &effects)
        case .logUnreadable(let number, let id, let from, let length, let reason):
            guard link.ready == number else { return }
            if records[id]?.log.wasUnreadable(from: from, length: length) == true {
                let gap = AgentMessage.gap(id, offset: from, length: length, reason: String(reason.prefix(300)))
                effects.append(.send(link: number, gap))
            }
            pump(id, now: now, &effects)
        case .hashed(let id, let total, let sha256):
            guard let record = records[id], record.report.hash == .asked, record.life.ending?.total == total else {
                return
            }
            records[id]?.report.hash = .known(sha256)
            pump(id, now: now, &effects)
        default: break
        }
    }

    mutating func tick(now: UInt64, _ effects: inout [AgentEffect]) {
        if let silent = link.silent(now: now) { effects.append(.close(link: silent, code: .silence)) }
        if let number = link.heartbeatDue(now: now) { effects.append(.sendHeartbeat(link: number)) }
        for id in records.keys.sorted() {
            if records[id]?.life.tick(now: now) == true { effects.append(.claimStartFile(id)) }
            if isWritable { records[id]?.log.resendIfStuck(now: now) }
            pump(id, now: now, &effects)
        }
        effects += workspaces.tick(now: now).map { .cleanWorkspace($0) }
        exitIfDone(now: now, &effects)
    }
}
