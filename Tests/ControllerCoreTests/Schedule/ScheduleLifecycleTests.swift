import ControllerCore
import Testing

@Suite("The life of a schedule") struct ScheduleLifecycleTests {
    private static let minute: Int64 = 60_000
    private static let hour: Int64 = 3_600_000
    /// 2026-03-02T00:00Z.
    private static let start: Int64 = 20_514 * 86_400_000

    private func schedule(
        _ text: String = "0 * * * *", missed: ScheduleTrigger.Missed = .runOnce, settled: Int64 = start
    ) throws -> ScheduleLifecycle {
        ScheduleLifecycle(
            ScheduleTrigger(name: "s", at: try CronExpression(text), missed: missed), zone: .utc, settled: settled)
    }

    @Test("fires when its time has come, once") func onTime() throws {
        var schedule = try schedule()
        let slot = Self.start + Self.hour
        #expect(schedule.next == slot)
        #expect(schedule.tick(now: Self.start) == .none)
        #expect(schedule.tick(now: slot - 1) == .none)
        #expect(schedule.tick(now: slot + 500) == .fire(slot: slot, isLate: false))
        #expect(schedule.tick(now: slot + 1_500) == .none)
        schedule.fired(slot)
        #expect(schedule.settled == slot)
        #expect(schedule.tick(now: slot + 2_500) == .none)
        #expect(schedule.next == slot + Self.hour)
    }

    @Test("missed times: one run for all, or none") func missed() throws {
        let now = Self.start + 10 * Self.hour + 20 * Self.minute
        let last = Self.start + 10 * Self.hour
        var once = try schedule()
        #expect(once.tick(now: now) == .fire(slot: last, isLate: true))
        once.fired(last)
        #expect(once.tick(now: now + 1) == .none)
        #expect(once.next == last + Self.hour)
        var skip = try schedule(missed: .skip)
        #expect(skip.tick(now: now) == .skipped(through: last))
        #expect(skip.tick(now: now + 1) == .none)
        #expect(skip.next == last + Self.hour)
        // What is on time is not missed, whatever was missed before it.
        var both = try schedule(missed: .skip)
        #expect(both.tick(now: last + 30_000) == .fire(slot: last, isLate: false))
    }

    @Test("years of missed minutes cost nothing to speak of") func longAway() throws {
        var schedule = try schedule("* * * * *")
        let now = Self.start + 3 * 365 * 24 * Self.hour + 7
        let before = ContinuousClock.now
        #expect(schedule.tick(now: now) == .fire(slot: now - 7, isLate: false))
        #expect(ContinuousClock.now - before < .seconds(1))
    }

    @Test("a run that can't be made is tried again, and a newer time takes its place") func retry() throws {
        var schedule = try schedule(missed: .skip)
        let slot = Self.start + Self.hour
        #expect(schedule.tick(now: slot) == .fire(slot: slot, isLate: false))
        schedule.failed(slot, retryAt: slot + 10_000)
        #expect(schedule.tick(now: slot + 9_999) == .none)
        #expect(schedule.tick(now: slot + 10_000) == .fire(slot: slot, isLate: false))
        schedule.failed(slot, retryAt: slot + 70 * Self.minute)
        // Begun is not missed: it is not skipped although it is late by now.
        #expect(schedule.tick(now: slot + 70 * Self.minute) == .fire(slot: slot + Self.hour, isLate: true))
        schedule.fired(slot)
        #expect(schedule.settled == Self.start)
        schedule.fired(slot + Self.hour)
        #expect(schedule.settled == slot + Self.hour)
    }

    @Test("while it is paused, times pass") func paused() throws {
        var schedule = try schedule()
        schedule.pass(now: Self.start + 5 * Self.hour + 1)
        #expect(schedule.tick(now: Self.start + 5 * Self.hour + 2) == .none)
        #expect(schedule.next == Self.start + 6 * Self.hour)
    }

    @Test("a clock that goes back repeats nothing") func backwards() throws {
        var schedule = try schedule()
        let slot = Self.start + 3 * Self.hour
        #expect(schedule.tick(now: slot) == .fire(slot: slot, isLate: false))
        schedule.fired(slot)
        #expect(schedule.tick(now: Self.start + Self.hour) == .none)
        #expect(schedule.tick(now: slot) == .none)
        #expect(schedule.tick(now: slot + Self.hour) == .fire(slot: slot + Self.hour, isLate: false))
    }

    @Test("a clock that was years ahead does not stop a schedule for years") func wrongClock() throws {
        var schedule = try schedule()
        let wrong = Self.start + 1_000 * 24 * Self.hour
        #expect(schedule.tick(now: wrong) == .fire(slot: wrong, isLate: false))
        schedule.fired(wrong)
        #expect(schedule.tick(now: Self.start + 90 * Self.minute) == .clockSetBack)
        #expect(schedule.next == Self.start + 2 * Self.hour)
        #expect(
            schedule.tick(now: Self.start + 2 * Self.hour) == .fire(slot: Self.start + 2 * Self.hour, isLate: false))
    }

    @Test("the times to come") func upcoming() throws {
        let schedule = try schedule("0 6 * * *")
        let day = 24 * Self.hour
        #expect(
            schedule.upcoming(after: Self.start + 7 * Self.hour, count: 3)
                == [1, 2, 3].map { Self.start + $0 * day + 6 * Self.hour })
    }

    @Test("whatever the clock does and wherever it restarts, no slot fires twice", arguments: 0..<200 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        var fired: Set<Int64> = []
        var last = Self.start
        var now = Self.start
        var schedule = try schedule("*/5 * * * *")
        for _ in 0..<300 {
            switch random.next(10) {
            case 0: now -= Int64(random.next(20)) * Self.minute
            case 1: now += Int64(random.next(40)) * Self.minute
            case 2: schedule = try self.schedule("*/5 * * * *", settled: last)
            default: now += Int64(random.next(90_000))
            }
            guard case .fire(let slot, _) = schedule.tick(now: now) else { continue }
            #expect(slot <= now)
            if random.next(4) == 0 {
                schedule.failed(slot, retryAt: now + 1_000)
            } else {
                #expect(fired.insert(slot).inserted, "slot \(slot) fired twice")
                last = slot
                schedule.fired(slot)
            }
        }
        #expect(!fired.isEmpty)
    }
}

/// Numbers from a seed.
private struct Random {
    var state: UInt64

    mutating func next(_ bound: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state % bound
    }
}
