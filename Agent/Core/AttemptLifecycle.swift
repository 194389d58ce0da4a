package import AnsFlowProtocol

/// One attempt, from START to its end on this host.
///
///     journalling -> handed -> running -> ended
///          |           |                    ^
///          v           v                    |
///     (declined)    claiming ---------------+     never started, or found started and gone
///          ^           ^
///     awaitingStart ---+                          found in the journal, without its specification
///
/// Only the start file decides whether it was started. Before the end is said, the agent either has the shim's word for it or has made
/// the start file itself.
package struct AttemptLifecycle: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// In the journal; the specification died with an earlier process of the agent.
        case awaitingStart
        case journalling(Start)
        /// A shim has the specification.
        case handed
        /// The agent is making the start file.
        case claiming
        case running
        case ended(AttemptEnding)
    }

    package struct Stop: Equatable, Sendable {
        package var reason: StopReason
        package var graceMs: UInt64
    }

    package enum StartAction: Equatable, Sendable {
        case journal
        case claim
        case sayStarted
        case report
        case none
    }
    package enum JournalledAction: Equatable, Sendable {
        case hand(Start)
        case claim
        case none
    }
    package enum NotJournalledAction: Equatable, Sendable {
        /// Say so and drop the attempt.
        case decline
        /// Say that it never started.
        case claim
        case none
    }
    package enum StartedAction: Equatable, Sendable {
        case sayStarted
        case stopShim(Stop)
        case none
    }
    package enum ClaimedAction: Equatable, Sendable {
        case journalNeverStarted
        case sayStarted
        case stopShim(Stop)
        case report
        case none
    }
    package enum StopAction: Equatable, Sendable {
        case claim
        case stopShim(Stop)
        case report
        case none
    }
    package enum LostAction: Equatable, Sendable {
        case claim
        case report
        case none
    }

    package let attempt: AttemptID
    package let jobAttempt: JobAttemptID
    package private(set) var state: State
    package private(set) var stop: Stop?
    /// By the machine's clock: from then on it is too late to start.
    private var deadline = UInt64.max
    /// Whether it stood in the journal before this START.
    private var wasJournalled = false
    /// Why no shim could start it.
    private var obstacle: String?
    /// Its shim is known to be gone; `spooled` bytes are left of it.
    private var gone: UInt64?

    /// A new START.
    init(_ start: Start, now: UInt64) {
        attempt = start.attempt
        jobAttempt = start.spec.jobAttempt
        state = .journalling(start)
        deadline = now + min(start.startWithinMs, startWithinMaxMs)
    }

    /// A STOP for an attempt that never came: it must not be started later either.
    init(stopped attempt: AttemptID, _ stop: Stop) {
        self.attempt = attempt
        jobAttempt = JobAttemptID(0)
        state = .claiming
        self.stop = stop
    }

    init(_ recovered: RecoveredState.Attempt, now: UInt64) {
        attempt = recovered.attempt
        jobAttempt = recovered.jobAttempt
        wasJournalled = true
        switch recovered.condition {
        case .parked: state = .awaitingStart
        case .handed:
            state = .handed
            deadline = now + milliseconds(ProtocolLimits.startWithin)
        case .running: state = .running
        case .exited(let ending): state = .ended(ending)
        case .gone(startFile: false, let spooled):
            state = .claiming
            gone = spooled
        case .gone(startFile: true, let spooled): state = .ended(.lost(spooled: spooled, message: shimGone))
        case .otherBoot(let spooled):
            state = .ended(.lost(spooled: spooled, message: "The agent's host was restarted while the step was there."))
        case .neverStarted: state = .ended(.neverStarted(stop: nil))
        }
    }

    package var ending: AttemptEnding? {
        if case .ended(let ending) = state { ending } else { nil }
    }

    package var helloState: Hello.AttemptState {
        switch state {
        case .awaitingStart, .journalling, .handed, .claiming: .accepted
        case .running: .running
        case .ended(let ending): ending.helloState
        }
    }

    mutating func start(_ start: Start, now: UInt64) -> StartAction {
        switch state {
        case .awaitingStart:
            if stop != nil { return claim() }
            state = .journalling(start)
            deadline = now + min(start.startWithinMs, startWithinMaxMs)
            return .journal
        case .journalling, .handed, .claiming: return .none
        case .running: return .sayStarted
        case .ended: return .report
        }
    }

    mutating func journalled(now: UInt64) -> JournalledAction {
        guard case .journalling(let start) = state else { return .none }
        if stop != nil || now >= deadline {
            state = .claiming
            return .claim
        }
        state = .handed
        return .hand(start)
    }

    mutating func notJournalled() -> NotJournalledAction {
        guard case .journalling = state else { return .none }
        // An entry of an earlier process would come back at the next start, so it must be answered for.
        guard wasJournalled || stop != nil else { return .decline }
        state = .claiming
        return .claim
    }

    mutating func shimStarted() -> StartedAction {
        switch state {
        case .handed, .claiming:
            state = .running
            if let stop { return .stopShim(stop) }
            return .sayStarted
        case .awaitingStart, .journalling, .running, .ended: return .none
        }
    }

    /// The start file was there when the shim wanted to make it, so the claim of an earlier process of this agent won.
    ///
    /// - Returns: Whether the attempt has ended by it.
    mutating func shimRefused() -> Bool {
        guard state == .handed else { return false }
        state = .ended(.neverStarted(stop: stop?.reason))
        return true
    }

    /// No shim can start it. The claim makes sure of it.
    ///
    /// - Returns: Whether to claim the start file.
    mutating func shimUnable(_ reason: String) -> Bool {
        guard state == .handed else { return false }
        obstacle = reason
        state = .claiming
        return true
    }

    mutating func claimed(won: Bool) -> ClaimedAction {
        guard state == .claiming else { return .none }
        if won {
            state = .ended(stop == nil && obstacle != nil ? .unable(obstacle ?? "") : .neverStarted(stop: stop?.reason))
            return .journalNeverStarted
        }
        if let gone {
            state = .ended(.lost(spooled: gone, message: shimGone))
            return .report
        }
        state = .running
        if let stop { return .stopShim(stop) }
        return .sayStarted
    }

    mutating func stop(_ wanted: Stop) -> StopAction {
        if stop == nil { stop = wanted }
        switch state {
        case .awaitingStart, .handed:
            state = .claiming
            return .claim
        case .journalling, .claiming: return .none
        case .running: return .stopShim(wanted)
        case .ended: return .report
        }
    }

    mutating func exited(_ ending: AttemptEnding) -> Bool {
        if case .ended = state { return false }
        state = .ended(ending)
        return true
    }

    mutating func shimLost(spooled: UInt64) -> LostAction {
        switch state {
        case .running:
            state = .ended(.lost(spooled: spooled, message: shimGone))
            return .report
        case .handed:
            gone = spooled
            state = .claiming
            return .claim
        case .claiming:
            gone = spooled
            return .none
        case .awaitingStart, .journalling, .ended: return .none
        }
    }

    /// - Returns: Whether to claim the start file: the time to start has passed.
    mutating func tick(now: UInt64) -> Bool {
        guard state == .handed, now >= deadline else { return false }
        state = .claiming
        return true
    }

    private mutating func claim() -> StartAction {
        state = .claiming
        return .claim
    }
}

private let startWithinMaxMs: UInt64 = 10 * 60 * 1000
private let shimGone =
    "The process that watched over the step is gone, and with it the knowledge of how the step ended."
