import AnsFlowProtocol

/// The agent's one link to the controller.
///
///     closed -> dialling -> helloSent -> ready -> closed ...
///                  |  ^
///                  v  |   a link that opens while another is up waits until that one is closed
///               replacing
///
/// HELLO is composed only when no other link can bring anything any more. Inputs of any other link are ignored.
package struct LinkLifecycle: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case closed
        case dialling
        /// `new` is open; HELLO waits for the end of `old`.
        case replacing(old: UInt64, new: UInt64)
        case helloSent(UInt64)
        case ready(UInt64)
        /// Revoked or drained: never again.
        case finished
    }

    package enum OpenedAction: Equatable, Sendable {
        case sendHello
        case closeOld(UInt64)
        /// It is not wanted.
        case closeNew
    }

    package enum ClosedAction: Equatable, Sendable {
        case dial
        case sendHello(UInt64)
        case ignoreStale
    }

    package private(set) var state = State.closed
    /// When anything last came in, or the link opened.
    package private(set) var heardAt: UInt64 = 0
    package private(set) var heartbeatAt: UInt64 = 0

    package init() {}

    /// The link whose inputs count; `nil` where there is none.
    package var current: UInt64? {
        switch state {
        case .helloSent(let link), .ready(let link): link
        case .closed, .dialling, .replacing, .finished: nil
        }
    }

    /// The link on which attempts may be spoken of.
    package var ready: UInt64? {
        if case .ready(let link) = state { link } else { nil }
    }

    /// - Returns: Whether to dial.
    mutating func dial() -> Bool {
        guard state == .closed else { return false }
        state = .dialling
        return true
    }

    mutating func opened(_ link: UInt64, now: UInt64) -> OpenedAction {
        switch state {
        case .closed, .dialling:
            begin(link, now: now)
            return .sendHello
        case .helloSent(let old), .ready(let old):
            guard link > old else { return .closeNew }
            state = .replacing(old: old, new: link)
            return .closeOld(old)
        case .replacing, .finished:
            return .closeNew
        }
    }

    mutating func closed(_ link: UInt64, now: UInt64) -> ClosedAction {
        switch state {
        case .helloSent(link), .ready(link):
            state = .dialling
            return .dial
        case .replacing(old: link, let new):
            begin(new, now: now)
            return .sendHello(new)
        case .replacing(let old, new: link):
            // The old one is being closed already; what it still brings is ignored.
            state = .helloSent(old)
            return .ignoreStale
        case .closed, .dialling, .helloSent, .ready, .replacing, .finished:
            return .ignoreStale
        }
    }

    /// - Returns: Whether `link` is the one that counts.
    mutating func heard(_ link: UInt64, now: UInt64) -> Bool {
        guard current == link else { return false }
        heardAt = now
        return true
    }

    mutating func welcomed(_ link: UInt64) {
        if state == .helloSent(link) { state = .ready(link) }
    }

    mutating func finish() { state = .finished }

    /// - Returns: The link that has been silent for too long; once, then again after the same time.
    mutating func silent(now: UInt64) -> UInt64? {
        guard let link = current, now >= heardAt + silenceMaxMs else { return nil }
        heardAt = now
        return link
    }

    mutating func heartbeatDue(now: UInt64) -> UInt64? {
        guard let link = ready, now >= heartbeatAt else { return nil }
        heartbeatAt = now + heartbeatIntervalMs
        return link
    }

    private mutating func begin(_ link: UInt64, now: UInt64) {
        state = .helloSent(link)
        heardAt = now
        heartbeatAt = now + heartbeatIntervalMs
    }
}

private let silenceMaxMs = milliseconds(ProtocolLimits.silenceMax)
private let heartbeatIntervalMs = milliseconds(ProtocolLimits.heartbeatInterval)

func milliseconds(_ duration: Duration) -> UInt64 {
    UInt64(duration.components.seconds) * 1000 + UInt64(duration.components.attoseconds / 1_000_000_000_000_000)
}
