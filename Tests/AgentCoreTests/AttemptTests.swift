import AgentCore
import AnsFlowProtocol
import Testing

@Suite("An attempt on the agent")
struct AttemptTests {
    @Test("is journalled, then handed over, then reported until FORGET")
    func wholeLife() {
        var bench = Bench()
        #expect(bench.effects == [.dial])
        bench.connect()
        #expect(bench.tell(.start(start(5))) == [.journal(.accept(five, JobAttemptID(1)))])
        #expect(bench.feed(.journalled(five)) == [.startShim(start(5))])
        #expect(bench.feed(.shimStarted(five)) == [.send(link: 1, .started(five))])
        bench.feed(.exited(five, success()))
        let finish = Finish(
            attempt: five, result: .success, cause: .exit, exitCode: 0,
            log: LogEnd(attempt: five, total: 0, sha256: emptyHash, dropped: 0))
        #expect(bench.sent == [.eof(finish.log), .finish(finish)])
        #expect(bench.pass(9_000).isEmpty)
        bench.pass(1_000)
        #expect(bench.finish == finish)
        #expect(bench.tell(.forget(five)) == [.journal(.forgotten(five)), .forgetShim(five)])
        #expect(bench.machine.isIdle)
        bench.pass(20_000)
        #expect(bench.finish == nil)
    }

    @Test("ignores the same START and never starts a forgotten one")
    func repeatedStart() {
        var bench = Bench()
        bench.connect()
        bench.tell(.start(start(5)))
        #expect(bench.tell(.start(start(5))).isEmpty)
        bench.feed(.journalled(five))
        #expect(bench.tell(.start(start(5))).isEmpty)
        bench.feed(.shimStarted(five))
        #expect(bench.tell(.start(start(5))) == [.send(link: 1, .started(five))])
        bench.feed(.exited(five, success()))
        bench.tell(.start(start(5)))
        #expect(bench.finish?.result == .success)
        bench.tell(.forget(five))
        bench.tell(.start(start(5)))
        #expect(bench.finish?.cause == .agentStateLost)
        #expect(bench.effects.count == 1)
    }

    @Test("may have an id below the highest that was seen")
    func lowerID() {
        var bench = Bench()
        bench.connect()
        bench.run(9)
        #expect(bench.tell(.start(start(5))) == [.journal(.accept(five, JobAttemptID(1)))])
    }

    @Test("that is not started in time is claimed and never starts")
    func startWithin() {
        var bench = Bench()
        bench.connect()
        bench.tell(.start(start(5)))
        bench.feed(.journalled(five))
        bench.pass(59_000)
        #expect(!bench.effects.contains(.claimStartFile(five)))
        bench.tell(.heartbeat(ControllerHeartbeat(nowMs: 0, writable: true)))
        #expect(bench.pass(1_000).contains(.claimStartFile(five)))
        bench.feed(.claimed(five, won: true))
        #expect(bench.effects.first == .journal(.neverStarted(five)))
        #expect(bench.finish?.cause == .neverStarted)
        #expect(bench.finish?.result == .error)
    }

    @Test("whose claim comes too late runs, and is stopped where that was the wish")
    func lateClaim() {
        var bench = Bench()
        bench.connect()
        bench.tell(.start(start(5)))
        bench.feed(.journalled(five))
        #expect(bench.tell(.stop(five, reason: .cancel, graceMs: 7)) == [.claimStartFile(five)])
        bench.feed(.claimed(five, won: false))
        #expect(bench.effects.first == .stopShim(five, reason: .cancel, graceMs: 7))
        #expect(bench.sent == [.started(five)])
        #expect(bench.feed(.shimStarted(five)).isEmpty)
    }

    @Test("stopped before it starts ends as cancelled, never started", arguments: [false, true])
    func stopBeforeStart(known: Bool) {
        var bench = Bench()
        bench.connect()
        if known {
            bench.tell(.start(start(5)))
            #expect(bench.tell(.stop(five, reason: .cancel, graceMs: 7)).isEmpty)
            #expect(bench.feed(.journalled(five)) == [.claimStartFile(five)])
        } else {
            #expect(bench.tell(.stop(five, reason: .cancel, graceMs: 7)) == [.claimStartFile(five)])
        }
        bench.feed(.claimed(five, won: true))
        #expect(bench.effects.first == .journal(.neverStarted(five)))
        #expect(bench.finish?.result == .cancelled)
        #expect(bench.finish?.cause == .neverStarted)
    }

    @Test("that no shim can start ends as an error that says why")
    func unable() {
        var bench = Bench()
        bench.connect()
        bench.tell(.start(start(5)))
        bench.feed(.journalled(five))
        #expect(bench.feed(.shimUnable(five, reason: "The disk is full.")) == [.claimStartFile(five)])
        bench.feed(.claimed(five, won: true))
        #expect(bench.finish?.cause == .startFailed)
        #expect(bench.finish?.message == "The disk is full.")
    }

    @Test("that can't be journalled is declined and stays away")
    func notJournalled() {
        var bench = Bench()
        bench.connect()
        bench.tell(.start(start(5)))
        bench.feed(.notJournalled(five, reason: "The disk is full."))
        #expect(bench.sent == [.declined(five, reason: "The disk is full.")])
        #expect(bench.feed(.journalled(five)).isEmpty)
        #expect(bench.machine.isIdle)
    }

    @Test("is refused without cost while slots are full, the controller can't write, or the agent drains")
    func refusals() {
        var bench = Bench(slots: 1)
        bench.connect(writable: false)
        bench.tell(.start(start(5)))
        #expect(bench.finish?.cause == .neverStarted)
        bench.tell(.heartbeat(ControllerHeartbeat(nowMs: 0, writable: true)))
        bench.run(6)
        bench.tell(.start(start(7, job: 2)))
        #expect(bench.finish?.cause == .neverStarted)
        #expect(bench.tell(.start(start(8, job: 1))) == [.journal(.accept(AttemptID(8), JobAttemptID(1)))])
        #expect(bench.tell(.drain) == [.close(link: 1, code: .normal)])
        bench.feed(.linkClosed(1, code: .normal))
        bench.feed(.linkOpened(2))
        #expect(bench.hello?.draining == true)
    }

    @Test("FORGET for one that runs stops it first")
    func forgetRunning() {
        var bench = Bench()
        bench.connect()
        bench.run(5)
        #expect(bench.tell(.forget(five)) == [.stopShim(five, reason: .ended, graceMs: 10_000)])
        #expect(bench.feed(.exited(five, success())) == [.journal(.forgotten(five)), .forgetShim(five)])
    }

    @Test("that can't be killed keeps its slot until it is gone")
    func unkillable() {
        var bench = Bench(slots: 1)
        bench.connect()
        bench.run(5)
        var ending = success()
        ending.cause = .unkillable
        bench.feed(.exited(five, ending))
        #expect(bench.tell(.forget(five)).isEmpty)
        bench.tell(.start(start(6, job: 2)))
        #expect(bench.finish?.cause == .neverStarted)
        #expect(bench.feed(.vacated(five)) == [.journal(.forgotten(five)), .forgetShim(five)])
        #expect(bench.tell(.start(start(7, job: 2))).contains(.journal(.accept(AttemptID(7), JobAttemptID(2)))))
    }

    @Test("revocation kills all, dials no more and leaves")
    func revoked() {
        var bench = Bench()
        bench.connect()
        bench.run(5)
        bench.tell(.start(start(6)))
        bench.feed(.journalled(AttemptID(6)))
        bench.feed(.linkClosed(1, code: .revoked))
        #expect(
            bench.effects == [.stopShim(five, reason: .revoked, graceMs: 0), .claimStartFile(AttemptID(6))])
        bench.feed(.claimed(AttemptID(6), won: true))
        #expect(bench.feed(.exited(five, success())) == [.exit(.revoked)])
        #expect(bench.feed(.linkOpened(2)).isEmpty)
    }

    @Test("the end of its last job lets a draining agent leave, and not the end of a step between two")
    func drained() {
        var bench = Bench()
        bench.connect()
        bench.run(5)
        bench.feed(.drain)
        bench.reconnect([.init(attempt: five, verdict: .proceed, logNext: 0)])
        bench.feed(.exited(five, success()))
        bench.pass(5_000)
        #expect(!bench.effects.contains(.exit(.drained)))
        bench.tell(.forget(five))
        bench.pass(60_000)
        #expect(!bench.effects.contains(.exit(.drained)), "its job may have a further step")
        let job = JobAttemptID(1)
        #expect(bench.tell(.jobEnded(job)) == [.cleanWorkspace(job)])
        bench.pass(1_000)
        #expect(!bench.effects.contains(.exit(.drained)))
        #expect(bench.pass(3_000).contains(.exit(.drained)))
    }

    @Test("a workspace goes when its job has ended and its last attempt is forgotten, whichever comes first")
    func workspaces() {
        var bench = Bench()
        bench.connect()
        bench.run(5)
        let job = JobAttemptID(1)
        #expect(bench.tell(.jobEnded(job)).isEmpty, "an attempt of it is still here")
        bench.feed(.exited(five, success()))
        #expect(bench.tell(.forget(five)).contains(.cleanWorkspace(job)))
        #expect(bench.tell(.jobEnded(job)).isEmpty)
    }

    @Test("a workspace whose job's end was never heard goes after a while")
    func idleWorkspaces() {
        var bench = Bench()
        bench.connect()
        bench.run(5)
        bench.feed(.exited(five, success()))
        bench.tell(.forget(five))
        #expect(bench.pass(9 * 60_000).allSatisfy { $0 != .cleanWorkspace(JobAttemptID(1)) })
        #expect(bench.pass(61_000).contains(.cleanWorkspace(JobAttemptID(1))))
    }
}
