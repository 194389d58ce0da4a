/// One thing that is to reach another server, from try to try.
///
///     waiting(due) ──begin──▶ sending ──answered──▶ sent
///          ▲                     │
///          └──────later──────────┴──refused, or tries used up──▶ gaveUp
///
/// What was being sent when the controller ended waits again afterwards: it is sent at least once.
package struct DeliveryLifecycle: Equatable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case waiting, sent
        case gaveUp = "gave_up"
    }

    /// What a try came to.
    package enum Outcome: Equatable, Sendable {
        case taken
        /// It may work later.
        ///
        /// - why: A sentence.
        /// - after: Milliseconds that the server asked to wait.
        case later(why: String, after: Int64?)
        /// It may be that the server does not know yet what this is about, as a commit that is still being pushed.
        case unsure(why: String)
        /// The same again would not help.
        case refused(why: String)
    }

    package enum BeginAction: Equatable, Sendable {
        case send
        case none
    }

    package enum AnsweredAction: Equatable, Sendable {
        case sent
        case retry(at: Int64)
        case gaveUp
        /// Nothing was being sent.
        case none
    }

    /// How often it is tried, and how long is waited.
    package struct Rule: Equatable, Sendable {
        package var triesMax = 12
        package var unsureTriesMax = 4
        package var firstPauseMs: Int64 = 5_000
        package var pauseMsMax: Int64 = 1_800_000
        /// A server that asks for a longer pause is asked again after this one.
        package var askedPauseMsMax: Int64 = 6 * 3_600_000

        package init() {}
    }

    package private(set) var state: State
    /// Tries that were begun.
    package private(set) var tries: Int
    /// Wall clock, in milliseconds since 1970.
    package private(set) var dueAt: Int64
    /// Why the last try failed.
    package private(set) var error: String?
    private var isSending = false

    package init(dueAt: Int64) {
        self.init(state: .waiting, tries: 0, dueAt: dueAt, error: nil)
    }

    /// As it was stored.
    package init(state: State, tries: Int, dueAt: Int64, error: String?) {
        self.state = state
        self.tries = tries
        self.dueAt = dueAt
        self.error = error
    }

    package mutating func begin(now: Int64) -> BeginAction {
        // A time beyond any pause was noted by a clock that has been set back since.
        guard state == .waiting, !isSending, dueAt <= now || dueAt > now + Rule().askedPauseMsMax else {
            return .none
        }
        isSending = true
        tries += 1
        return .send
    }

    /// - Parameter jitter: from 0 to 1; spreads what failed together.
    package mutating func answered(
        _ outcome: Outcome, now: Int64, jitter: Double, rule: Rule = Rule()
    ) -> AnsweredAction {
        guard isSending else { return .none }
        isSending = false
        switch outcome {
        case .taken:
            state = .sent
            error = nil
            return .sent
        case .refused(let why):
            return giveUp(why)
        case .unsure(let why):
            return again(why, after: nil, triesMax: rule.unsureTriesMax, now, jitter, rule)
        case .later(let why, let after):
            return again(why, after: after, triesMax: rule.triesMax, now, jitter, rule)
        }
    }

    private mutating func again(
        _ why: String, after: Int64?, triesMax: Int, _ now: Int64, _ jitter: Double, _ rule: Rule
    ) -> AnsweredAction {
        guard tries < triesMax else { return giveUp("\(why) It was tried \(tries) times.") }
        error = why
        let doubled = rule.firstPauseMs << Int64(min(tries - 1, 30))
        let pause = min(doubled, rule.pauseMsMax)
        // Between half of it and all of it.
        let spread = pause / 2 + Int64(Double(pause / 2) * min(max(jitter, 0), 1))
        let asked = min(max(after ?? 0, 0), rule.askedPauseMsMax)
        dueAt = now + max(spread, asked)
        return .retry(at: dueAt)
    }

    private mutating func giveUp(_ why: String) -> AnsweredAction {
        state = .gaveUp
        error = why
        return .gaveUp
    }
}
