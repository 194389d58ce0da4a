import ControllerCore
import Testing

@Suite struct DeliveryLifecycleTests {
    @Test func pausesDoubleUpToABoundAndEnd() {
        var delivery = DeliveryLifecycle(dueAt: 0)
        var now: Int64 = 0
        var pauses: [Int64] = []
        while delivery.state == .waiting {
            #expect(delivery.begin(now: now - 1) == .none)
            #expect(delivery.begin(now: now) == .send)
            #expect(delivery.begin(now: now) == .none)
            if case .retry(let at) = delivery.answered(.later(why: "No.", after: nil), now: now, jitter: 0) {
                pauses.append(at - now)
                now = at
            }
        }
        #expect(
            pauses == [2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 900_000, 900_000])
        #expect(delivery.state == .gaveUp)
        #expect(delivery.tries == 12)
        #expect(delivery.error == "No. It was tried 12 times.")
        #expect(delivery.begin(now: .max) == .none)
        #expect(delivery.answered(.taken, now: now, jitter: 0) == .none)
        #expect(delivery.state == .gaveUp)
    }

    @Test func aPauseThatIsAskedForIsKeptWithinABound() {
        var delivery = DeliveryLifecycle(dueAt: 5)
        #expect(delivery.begin(now: 5) == .send)
        #expect(delivery.answered(.later(why: "x", after: 90_000), now: 10, jitter: 1) == .retry(at: 90_010))
        #expect(delivery.begin(now: 90_010) == .send)
        #expect(delivery.answered(.later(why: "x", after: .max), now: 0, jitter: 1) == .retry(at: 6 * 3_600_000))
        #expect(delivery.begin(now: .max) == .send)
        #expect(delivery.answered(.later(why: "x", after: -5), now: 0, jitter: 7) == .retry(at: 20_000))
    }

    @Test func anEndIsAnEnd() {
        for (outcome, action) in [
            (DeliveryLifecycle.Outcome.taken, DeliveryLifecycle.AnsweredAction.sent), (.refused(why: "No."), .gaveUp),
        ] {
            var delivery = DeliveryLifecycle(dueAt: 0)
            #expect(delivery.answered(outcome, now: 0, jitter: 0) == .none)
            #expect(delivery.begin(now: 0) == .send)
            #expect(delivery.answered(outcome, now: 0, jitter: 0) == action)
            #expect(delivery.begin(now: .max) == .none)
        }
    }

    @Test func whatWasUnderWayAtACrashWaitsAgain() {
        var delivery = DeliveryLifecycle(dueAt: 0)
        #expect(delivery.begin(now: 0) == .send)
        var again = DeliveryLifecycle(
            state: delivery.state, tries: delivery.tries, dueAt: delivery.dueAt, error: delivery.error)
        #expect(again.begin(now: 0) == .send)
        #expect(again.tries == 2)
    }

    @Test func linesForForges() {
        #expect(RunWords.line("a\nb\tc") == "a b c")
        let long = RunWords.line(String(repeating: "é", count: 200))
        #expect(long.utf8.count <= 140)
        #expect(long.hasSuffix("…"))
        #expect(CommitStatus.isCommit(String(repeating: "0a", count: 20)))
        #expect(!CommitStatus.isCommit(String(repeating: "0A", count: 20)))
        #expect(!CommitStatus.isCommit("../../../../../etc"))
        #expect(!CommitStatus.isCommit(""))
    }
}
