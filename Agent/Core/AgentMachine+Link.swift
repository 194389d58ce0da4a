import AnsFlowProtocol

extension AgentMachine {
    mutating func linkOpened(_ number: UInt64, now: UInt64, _ effects: inout [AgentEffect]) {
        guard revokedAt == nil else {
            effects.append(.close(link: number, code: .goingAway))
            return
        }
        switch link.opened(number, now: now) {
        case .sendHello: sendHello(on: number, &effects)
        case .closeOld(let old): effects.append(.close(link: old, code: .replaced))
        case .closeNew: effects.append(.close(link: number, code: .goingAway))
        }
    }

    mutating func linkClosed(_ number: UInt64, code: CloseCode?, now: UInt64, _ effects: inout [AgentEffect]) {
        let counted = link.current == number
        let action = link.closed(number, now: now)
        if action != .ignoreStale { forgetWhatWasSaid() }
        if counted, code == .revoked {
            revoke(now: now, &effects)
            return
        }
        switch action {
        case .dial: effects.append(.dial)
        case .sendHello(let new): sendHello(on: new, &effects)
        case .ignoreStale: break
        }
    }

    private mutating func forgetWhatWasSaid() {
        isWritable = false
        for id in records.keys {
            records[id]?.report.interrupt()
            records[id]?.log.interrupt()
        }
    }

    private mutating func sendHello(on number: UInt64, _ effects: inout [AgentEffect]) {
        forgetWhatWasSaid()
        var known: [Hello.Known] = []
        for id in records.keys.sorted() {
            guard let record = records[id], !record.report.isForgotten else { continue }
            let state = record.life.helloState
            known.append(Hello.Known(attempt: id, state: state, spooled: record.log.spooled))
            records[id]?.report.saidStarted = state != .accepted
        }
        let hello = Hello(
            version: profile.version, processNonce: profile.processNonce, bootID: profile.bootID,
            storeID: profile.storeID, highestAttemptSeen: highestAttemptSeen, containment: profile.containment,
            slots: profile.slots, labels: profile.labels, attempts: known, draining: isDraining)
        effects.append(.send(link: number, .hello(hello)))
    }

    mutating func received(
        _ message: ControllerMessage, on number: UInt64, now: UInt64, _ effects: inout [AgentEffect]
    ) {
        guard link.heard(number, now: now) else { return }
        if case .welcome(let welcome) = message {
            guard link.ready == nil else { return violation(number, &effects) }
            welcomed(welcome, on: number, now: now, &effects)
            return
        }
        if case .probe = message {
            effects.append(.sendHeartbeat(link: number))
            return
        }
        if case .heartbeat(let heartbeat) = message {
            setWritable(heartbeat.writable, now: now, &effects)
            return
        }
        guard link.ready != nil else { return violation(number, &effects) }
        switch message {
        case .start(let start): started(start, now: now, &effects)
        case .stop(let id, let reason, let grace):
            stop(id, AttemptLifecycle.Stop(reason: reason, graceMs: grace), now: now, &effects)
        case .logAck(let id, let next):
            records[id]?.log.acknowledged(next: next, now: now)
            pump(id, now: now, &effects)
        case .logResend(let id, let from):
            records[id]?.log.rewind(to: from, now: now)
            records[id]?.report.finishAt = 0
            pump(id, now: now, &effects)
        case .forget(let id): forget(id, now: now, &effects)
        case .jobEnded(let job):
            effects += workspaces.ended(job, now: now).map { .cleanWorkspace($0) }
            exitIfDone(now: now, &effects)
        case .drain: drain(now: now, &effects)
        case .welcome, .probe, .heartbeat: break
        }
    }

    /// The controller breaks the order of messages: the link can't be trusted.
    private func violation(_ number: UInt64, _ effects: inout [AgentEffect]) {
        effects.append(.close(link: number, code: .malformed))
    }

    private mutating func welcomed(
        _ welcome: Welcome, on number: UInt64, now: UInt64, _ effects: inout [AgentEffect]
    ) {
        guard (ProtocolVersion.oldest...ProtocolVersion.current).contains(welcome.proto) else {
            effects.append(.close(link: number, code: .version))
            return
        }
        link.welcomed(number)
        isWritable = welcome.writable
        for entry in welcome.verdicts where records[entry.attempt] != nil {
            let id = entry.attempt
            switch entry.verdict {
            case .orphan: continue
            case .forget: forget(id, now: now, &effects)
            case .proceed, .start, .stop:
                records[id]?.report.isWanted = true
                records[id]?.log.resume(next: entry.logNext, now: now)
                pump(id, now: now, &effects)
            }
        }
    }

    private mutating func setWritable(_ writable: Bool, now: UInt64, _ effects: inout [AgentEffect]) {
        guard writable != isWritable else { return }
        isWritable = writable
        guard writable else { return }
        for id in records.keys.sorted() {
            records[id]?.report.finishAt = 0
            pump(id, now: now, &effects)
        }
    }

    // MARK: Leaving

    /// The controller wants nothing more of this agent: every step is killed, and none is ever spoken of again.
    mutating func revoke(now: UInt64, _ effects: inout [AgentEffect]) {
        guard revokedAt == nil else { return }
        link.finish()
        revokedAt = now
        for id in records.keys.sorted() where records[id]?.life.ending == nil {
            stop(id, AttemptLifecycle.Stop(reason: .revoked, graceMs: 0), now: now, &effects)
        }
        exitIfDone(now: now, &effects)
    }

    /// HELLO is the only message that says it, so a link that is up is renewed.
    mutating func drain(now: UInt64, _ effects: inout [AgentEffect]) {
        guard !isDraining else { return }
        isDraining = true
        idleSince = records.isEmpty ? now : nil
        if let number = link.current { effects.append(.close(link: number, code: .normal)) }
    }

    mutating func exitIfDone(now: UInt64, _ effects: inout [AgentEffect]) {
        if let revokedAt {
            let alive = records.values.contains { $0.life.ending == nil }
            if !alive || now >= revokedAt + Self.revokedPatienceMs { exit(.revoked, &effects) }
            return
        }
        guard isDraining else { return }
        guard records.isEmpty, !workspaces.hasOpenJobs(now: now) else {
            idleSince = nil
            return
        }
        // Nothing more comes of the jobs that this process knew; of one that it found at its start a step may follow at once.
        let since = idleSince ?? now
        idleSince = since
        if now >= since + Self.drainedQuietMs { exit(.drained, &effects) }
    }

    private mutating func exit(_ reason: AgentExitReason, _ effects: inout [AgentEffect]) {
        hasExited = true
        if let number = link.current { effects.append(.close(link: number, code: .goingAway)) }
        link.finish()
        effects.append(.exit(reason))
    }

    private static let revokedPatienceMs: UInt64 = 60_000
    private static let drainedQuietMs: UInt64 = 3_000
}
