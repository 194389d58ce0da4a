import AgentCore
import AnsFlowProtocol
import Testing

/// The resume table, a test for each row, from the agent's side.
@Suite("Resume")
struct ResumeTests {
    private func connected(_ condition: RecoveredState.Condition) -> (Bench, Hello?) {
        var bench = Bench(recovering: recovered(condition))
        bench.feed(.linkOpened(1))
        return (bench, bench.hello)
    }

    @Test("not terminal, absent: the same START again is taken")
    func absent() {
        var bench = Bench(recovering: RecoveredState(highestAttemptSeen: AttemptID(9)))
        bench.connect()
        #expect(bench.tell(.start(start(5))) == [.journal(.accept(five, JobAttemptID(1)))])
    }

    @Test("not terminal, accepted: START again brings the specification back")
    func accepted() {
        var (bench, hello) = connected(.parked)
        #expect(hello?.attempts == [.init(attempt: five, state: .accepted, spooled: 0)])
        #expect(hello?.highestAttemptSeen == AttemptID(9))
        bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .start, logNext: 0)]))))
        #expect(bench.feed(.received(1, .start(start(5)))) == [.journal(.accept(five, JobAttemptID(1)))])
        #expect(bench.feed(.journalled(five)) == [.startShim(start(5))])
    }

    @Test("not terminal, accepted, cancelled since: STOP claims it")
    func acceptedStopped() {
        var (bench, _) = connected(.parked)
        bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .stop, logNext: 0)]))))
        #expect(bench.feed(.received(1, .stop(five, reason: .cancel, graceMs: 1))) == [.claimStartFile(five)])
    }

    @Test("not terminal, running: the log goes on from log_next")
    func running() {
        var (bench, hello) = connected(.running(spooled: 900))
        #expect(hello?.attempts == [.init(attempt: five, state: .running, spooled: 900)])
        bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .proceed, logNext: 400)]))))
        #expect(bench.effects == [.sendLog(link: 1, attempt: five, from: 400, upTo: 900)])
    }

    @Test("not terminal, exited: the rest of the log, then the end")
    func exited() {
        var (bench, hello) = connected(.exited(success(total: 900)))
        #expect(hello?.attempts == [.init(attempt: five, state: .exited, spooled: 900)])
        bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .proceed, logNext: 400)]))))
        #expect(bench.effects == [.sendLog(link: 1, attempt: five, from: 400, upTo: 900)])
        bench.feed(.logSent(link: 1, attempt: five, from: 400, end: 900))
        #expect(bench.effects == [.hashLog(five, total: 900)])
        bench.feed(.hashed(five, total: 900, sha256: "ab"))
        #expect(bench.finish?.log == LogEnd(attempt: five, total: 900, sha256: "ab", dropped: 0))
    }

    @Test("not terminal, started, shim gone: lost")
    func shimGone() {
        let (_, hello) = connected(.gone(startFile: true, spooled: 30))
        #expect(hello?.attempts == [.init(attempt: five, state: .lost, spooled: 30)])
    }

    @Test("not terminal, not started, shim gone: claimed before HELLO, then never started")
    func shimGoneBeforeStart() {
        var bench = Bench(recovering: recovered(.gone(startFile: false, spooled: 0)))
        #expect(bench.effects == [.claimStartFile(five)])
        #expect(bench.feed(.claimed(five, won: true)) == [.journal(.neverStarted(five)), .dial])
        bench.feed(.linkOpened(1))
        #expect(bench.hello?.attempts == [.init(attempt: five, state: .neverStarted, spooled: 0)])
    }

    @Test("another boot: lost, and what the controller holds stands")
    func otherBoot() {
        var (bench, hello) = connected(.otherBoot(spooled: 100))
        #expect(hello?.attempts.first?.state == .lost)
        bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .proceed, logNext: 700)]))))
        #expect(bench.effects == [.hashLog(five, total: 100)])
        bench.feed(.hashed(five, total: 100, sha256: "ab"))
        #expect(bench.finish?.result == .lost)
        #expect(bench.finish?.log == LogEnd(attempt: five, total: 700, sha256: nil, dropped: nil))
    }

    @Test("terminal, alive: STOP; ended: FORGET")
    func terminal() {
        var (bench, _) = connected(.running(spooled: 0))
        bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .stop, logNext: 0)]))))
        bench.feed(.received(1, .stop(five, reason: .ended, graceMs: 1)))
        #expect(bench.effects == [.stopShim(five, reason: .ended, graceMs: 1)])
        var (ended, _) = connected(.exited(success()))
        ended.feed(.received(1, .welcome(ended.welcome([.init(attempt: five, verdict: .forget, logNext: 0)]))))
        #expect(ended.effects == [.journal(.forgotten(five)), .forgetShim(five)])
    }

    @Test("unknown to the controller: kept, nothing is said of it, until an administrator decides")
    func orphan() {
        var (bench, _) = connected(.running(spooled: 10))
        #expect(
            bench.feed(.received(1, .welcome(bench.welcome([.init(attempt: five, verdict: .orphan, logNext: 0)]))))
                .isEmpty)
        #expect(bench.feed(.spooled(five, 100)).isEmpty)
        #expect(bench.feed(.exited(five, success(total: 100))).isEmpty)
        #expect(bench.machine.attempts.count == 1)
    }
}

@Suite("The link")
struct LinkTests {
    @Test("HELLO waits for the end of the link before")
    func replaced() {
        var bench = Bench()
        bench.connect()
        #expect(bench.feed(.linkOpened(2)) == [.close(link: 1, code: .replaced)])
        #expect(bench.feed(.received(1, .start(start(5)))).isEmpty)
        bench.feed(.linkClosed(1, code: nil))
        #expect(bench.hello != nil)
        #expect(bench.feed(.received(1, .start(start(5)))).isEmpty)
    }

    @Test("silence of 30 s closes it; a probe is answered at once; heartbeats go every 10 s")
    func time() {
        var bench = Bench()
        bench.connect()
        #expect(bench.pass(10_000) == [.sendHeartbeat(link: 1)])
        #expect(bench.pass(9_000).isEmpty)
        #expect(bench.tell(.probe) == [.sendHeartbeat(link: 1)])
        #expect(!bench.pass(29_000).contains(.close(link: 1, code: .silence)))
        #expect(bench.pass(1_000).contains(.close(link: 1, code: .silence)))
        #expect(bench.feed(.linkClosed(1, code: nil)) == [.dial])
    }

    @Test("a START before WELCOME, or a second WELCOME, is a violation")
    func order() {
        var bench = Bench()
        bench.feed(.linkOpened(1))
        #expect(bench.feed(.received(1, .start(start(5)))) == [.close(link: 1, code: .malformed)])
        bench.feed(.received(1, .welcome(bench.welcome())))
        #expect(bench.feed(.received(1, .welcome(bench.welcome()))) == [.close(link: 1, code: .malformed)])
    }
}
