import AnsFlowProtocol

/// One attempt that the agent knows: its life, its output and what was said of it.
struct AttemptRecord: Equatable, Sendable {
    var life: AttemptLifecycle
    var log: LogSender
    var report = Report()

    init(life: AttemptLifecycle, spooled: UInt64 = 0) {
        self.life = life
        log = LogSender(spooled: spooled)
    }

    init(_ recovered: RecoveredState.Attempt, now: UInt64) {
        life = AttemptLifecycle(recovered, now: now)
        log = LogSender()
        if case .running(let spooled) = recovered.condition { log.spooled(spooled) }
        noteEnd(now: now)
    }

    /// Takes over what the end says, once it is there.
    mutating func noteEnd(now: UInt64) {
        guard let ending = life.ending else { return }
        log.complete(total: ending.total)
        report.endedAt = now
        report.isVacant = !ending.leavesProcesses
        report.finishAt = 0
    }

    /// Whether a process of it may be there or may come.
    var holdsSlot: Bool { life.ending == nil || !report.isVacant }

    /// The end as the controller is to hear it, with what it holds taken into account.
    func finish(_ ending: AttemptEnding, hash: String?) -> Finish {
        // Where the controller holds more than a shortened spool, its bytes stand, and the agent can't vouch for them.
        let total = max(ending.total, log.acked)
        let vouched = total == ending.total && !log.isDamaged
        let end = LogEnd(
            attempt: life.attempt, total: total, sha256: vouched ? hash : nil, dropped: ending.dropped)
        return Finish(
            attempt: life.attempt, result: ending.result, cause: ending.cause, exitCode: ending.exitCode,
            signal: ending.signal, message: ending.message, usage: ending.usage, log: end, outputs: ending.outputs)
    }
}
