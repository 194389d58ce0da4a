/// One schedule of one pipeline, from slot to slot.
///
///     waiting ──slot is due──▶ firing(slot) ──fired──▶ waiting
///                                  │ ▲
///                               failed, retry at
///
/// A slot is one instant of the expression. A slot that was fired, or lies before one that was, is settled and never fires
/// again, whatever the clock does. The owner keeps the last fired slot in the transaction that makes the run, and gives it back
/// after a restart.
package struct ScheduleLifecycle: Sendable {
    package let trigger: ScheduleTrigger
    private let zone: ZoneOffset
    /// Slots up to this instant, inclusive, are settled.
    package private(set) var settled: Int64
    private var state: State

    private enum State: Equatable, Sendable {
        /// Nil: no slot comes any more.
        case waiting(next: Int64?)
        case firing(slot: Int64)
        case retrying(slot: Int64, at: Int64)
    }

    /// What a tick asks for.
    package enum Action: Equatable, Sendable {
        case none
        /// Make the run of this slot, then call ``fired(_:)`` or ``failed(_:retryAt:)``. `isLate` says that its time passed
        /// while nobody looked.
        case fire(slot: Int64, isLate: Bool)
        /// The slots up to this one passed while nobody looked, and the schedule says `missed: skip`. Nothing is to be done.
        case skipped(through: Int64)
        /// The clock was set back by more than a day, so what was settled lies in the future. It is forgotten; what was fired
        /// already is for the owner to know by its record of fired slots.
        case clockSetBack
    }

    /// A slot that is found later than this counts as missed, in milliseconds.
    package static let lateAfterMs: Int64 = 60_000
    /// A settled slot that lies further ahead than this shows that the clock was wrong.
    private static let aheadMaxMs: Int64 = 86_400_000

    /// - Parameter settled: the last slot that was fired, or when the schedule came to be known where none was.
    package init(_ trigger: ScheduleTrigger, zone: ZoneOffset, settled: Int64) {
        self.trigger = trigger
        self.zone = zone
        self.settled = settled
        state = .waiting(next: trigger.at.next(after: settled, in: zone))
    }

    /// When the next run is due, for people; `nil` where none comes any more.
    package var next: Int64? {
        switch state {
        case .waiting(let next): next
        case .firing(let slot), .retrying(let slot, _): slot
        }
    }

    /// The slots behind an instant.
    package func upcoming(after now: Int64, count: Int) -> [Int64] {
        var found: [Int64] = []
        var from = max(now, settled)
        while found.count < count, let slot = trigger.at.next(after: from, in: zone) {
            found.append(slot)
            from = slot
        }
        return found
    }

    /// Call about once a second, with the time of the wall.
    package mutating func tick(now: Int64) -> Action {
        switch state {
        case .waiting(let next):
            if settled > now + Self.aheadMaxMs {
                settle(through: now)
                return .clockSetBack
            }
            guard let next, next <= now else { return .none }
            let slot = latest(from: next, now: now)
            let isLate = now - slot > Self.lateAfterMs
            if isLate, trigger.missed == .skip {
                settle(through: slot)
                return .skipped(through: slot)
            }
            state = .firing(slot: slot)
            return .fire(slot: slot, isLate: isLate)
        case .firing:
            return .none
        case .retrying(let slot, let at):
            // A slot that has come since takes its place: one run for both.
            guard now >= at else { return .none }
            let newest = latest(from: slot, now: max(now, slot))
            state = .firing(slot: newest)
            return .fire(slot: newest, isLate: now - newest > Self.lateAfterMs)
        }
    }

    /// The run of the slot exists.
    package mutating func fired(_ slot: Int64) {
        guard case .firing(slot) = state else { return }
        settle(through: slot)
    }

    /// The run could not be made; it is tried again.
    package mutating func failed(_ slot: Int64, retryAt: Int64) {
        guard case .firing(slot) = state else { return }
        state = .retrying(slot: slot, at: retryAt)
    }

    /// Slots up to now pass without a run: the pipeline is paused.
    package mutating func pass(now: Int64) {
        if case .firing = state { return }
        settle(through: max(now, settled))
    }

    private mutating func settle(through slot: Int64) {
        settled = slot
        state = .waiting(next: trigger.at.next(after: slot, in: zone))
    }

    /// The last slot that is due: looked for in windows that double, so that a year of missed minutes costs no more than a day's.
    private func latest(from first: Int64, now: Int64) -> Int64 {
        var window: Int64 = 60_000
        var found: Int64?
        while found == nil, now - window > first {
            found = trigger.at.next(after: now - window, in: zone).flatMap { $0 <= now ? $0 : nil }
            window *= 2
        }
        var slot = found ?? first
        while let next = trigger.at.next(after: slot, in: zone), next <= now { slot = next }
        return slot
    }
}
