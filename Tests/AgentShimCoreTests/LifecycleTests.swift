import AgentShimCore
import Testing

@Suite("The shim's life cycle, step by step")
struct LifecycleTests {
    /// A shim whose step 1 was started at 1000, with a timeout of 60 s and a grace of 10 s.
    private func running() -> ShimLifecycle {
        var shim = ShimLifecycle(now: 0)
        shim.agentCame()
        #expect(shim.startRequested(attempt: 1, timeoutMs: 60_000, graceMs: 10_000) == [.claim])
        #expect(shim.startFileClaimed(now: 1000) == [.release])
        return shim
    }

    @Test("exit, output's end, FORGET")
    func plain() {
        var shim = running()
        #expect(shim.due == 61_000)
        #expect(shim.outputEnded() == [])
        #expect(shim.childExited(.exited(7), treeEmpty: true, now: 2000) == [.finish(.exited(7), unkillable: false)])
        #expect(shim.due == nil)
        #expect(shim.forget() == [.exit])
        #expect(shim.isGone)
    }

    @Test("output that ends after the tree")
    func draining() {
        var shim = running()
        #expect(shim.childExited(.signalled(9), treeEmpty: true, now: 2000) == [])
        #expect(shim.outputEnded() == [.finish(.signalled(9), unkillable: false)])
    }

    @Test("output that a stranger holds is closed after a while")
    func strangerHoldsOutput() {
        var shim = running()
        _ = shim.childExited(.exited(0), treeEmpty: true, now: 2000)
        #expect(shim.due == 2000 + ShimLimits.drainMs)
        #expect(shim.timerDue(now: 3999) == [])
        #expect(shim.timerDue(now: 4000) == [.closeOutput, .finish(.exited(0), unkillable: false)])
    }

    @Test("stop, TERM, grace, KILL, gone")
    func stop() {
        var shim = running()
        #expect(shim.stopRequested(.cancel, graceMs: 500, now: 2000) == [.terminate])
        #expect(shim.timerDue(now: 2499) == [])
        #expect(shim.timerDue(now: 2500) == [.killTree])
        #expect(shim.isKilling)
        #expect(shim.childExited(.signalled(9), treeEmpty: false, now: 2501) == [])
        #expect(shim.outputEnded() == [])
        #expect(shim.treeEmpty(now: 2600) == [.finish(.stopped(.cancel), unkillable: false)])
    }

    @Test("no grace is waited for an empty tree")
    func stopObeyed() {
        var shim = running()
        _ = shim.stopRequested(.cancel, graceMs: 500_000, now: 2000)
        _ = shim.outputEnded()
        #expect(
            shim.childExited(.exited(0), treeEmpty: true, now: 2010) == [.finish(.stopped(.cancel), unkillable: false)])
    }

    @Test("the first of stop and deadline decides")
    func firstDecides() {
        var shim = running()
        #expect(shim.timerDue(now: 61_000) == [.terminate])
        #expect(shim.ending == .timedOut)
        #expect(shim.stopRequested(.cancel, graceMs: 100, now: 61_010) == [], "only the grace gets shorter")
        #expect(shim.due == 61_110)
        #expect(shim.timerDue(now: 61_110) == [.killTree])
        _ = shim.outputEnded()
        #expect(shim.childExited(.exited(0), treeEmpty: true, now: 61_120) == [.finish(.timedOut, unkillable: false)])
    }

    @Test("out of memory kills at once")
    func outOfMemory() {
        var shim = running()
        #expect(shim.outOfMemory(now: 1500) == [.killTree])
        #expect(shim.outOfMemory(now: 1500) == [])
        _ = shim.outputEnded()
        #expect(
            shim.childExited(.signalled(9), treeEmpty: true, now: 1510) == [.finish(.outOfMemory, unkillable: false)])
    }

    @Test("descendants get two seconds")
    func lingering() {
        var shim = running()
        #expect(shim.childExited(.exited(0), treeEmpty: false, now: 2000) == [])
        #expect(shim.due == 2000 + ShimLimits.lingerMs)
        #expect(shim.timerDue(now: 4000) == [.killTree])
        #expect(shim.treeEmpty(now: 4010) == [])
        #expect(shim.outputEnded() == [.finish(.exited(0), unkillable: false)])
    }

    @Test("a survivor of KILL is recorded, and reported when it is gone")
    func unkillable() {
        var shim = running()
        _ = shim.childExited(.exited(0), treeEmpty: false, now: 2000)
        _ = shim.timerDue(now: 4000)
        #expect(shim.timerDue(now: 9000) == [.closeOutput, .finish(.exited(0), unkillable: true)])
        #expect(!shim.isTreeEmpty)
        #expect(shim.forget() == [], "the shim stays while something lives")
        #expect(shim.treeEmpty(now: 20_000) == [.reportEmptied, .exit])
    }

    @Test("a program that can't be executed")
    func startFailed() {
        var shim = running()
        shim.startFailed(.program, errno: 2)
        _ = shim.outputEnded()
        #expect(
            shim.childExited(.exited(127), treeEmpty: true, now: 1001)
                == [.finish(.startFailed(.program, errno: 2), unkillable: false)])
    }

    @Test("a refused shim is warm again; a repeated START starts nothing")
    func refused() {
        var shim = ShimLifecycle(now: 0)
        _ = shim.startRequested(attempt: 1, timeoutMs: 1, graceMs: 1)
        #expect(shim.startFileRefused(.startFileExists, now: 10) == [.refuse(.startFileExists)])
        #expect(shim.isWarm)
        #expect(shim.due == 10 + ShimLimits.orphanMs)
        var other = running()
        #expect(other.startRequested(attempt: 1, timeoutMs: 1, graceMs: 1) == [.reportState])
        #expect(other.startRequested(attempt: 2, timeoutMs: 1, graceMs: 1) == [.refuse(.busy)])
    }

    @Test("a warm shim that nobody speaks to goes; a running one never does")
    func orphan() {
        var shim = ShimLifecycle(now: 0)
        shim.agentCame()
        #expect(shim.due == nil)
        shim.agentLeft(now: 100)
        #expect(shim.timerDue(now: 60_099) == [])
        #expect(shim.timerDue(now: 60_100) == [.exit])
        var other = running()
        other.agentLeft(now: 2000)
        #expect(other.due == 61_000)
    }

    @Test("times at the end of the scale do not trap")
    func extremes() {
        var shim = ShimLifecycle(now: 1 << 40)
        _ = shim.startRequested(attempt: 1, timeoutMs: .max, graceMs: .max)
        _ = shim.startFileClaimed(now: 1 << 40)
        #expect(shim.due == .max)
        #expect(shim.stopRequested(.ended, graceMs: .max, now: 1 << 40) == [.terminate])
        #expect(shim.due == 1 << 40 + ShimLimits.graceMsMax)
    }
}
