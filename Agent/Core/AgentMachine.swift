package import AnsFlowProtocol

/// The whole agent without its hands: inputs in, effects out. It has no clock, no randomness and does no I/O.
///
/// The shell calls ``begin(now:)`` once, then ``handle(_:now:)`` for everything that happens, one input at a time, and performs the
/// effects in their order. `now` is in milliseconds of a clock that does not go back. After a crash, a machine made from the
/// ``RecoveredState`` of the same data directory goes on.
package struct AgentMachine: Equatable, Sendable {
    package let profile: AgentProfile
    package internal(set) var link = LinkLifecycle()
    package internal(set) var highestAttemptSeen: AttemptID
    package internal(set) var isDraining = false
    /// Whether the controller can make anything durable, as it last said.
    package internal(set) var isWritable = false
    /// Set once the controller refused this agent for good.
    package internal(set) var revokedAt: UInt64?

    var records: [AttemptID: AttemptRecord] = [:]
    var tombstones: Tombstones
    var workspaces: WorkspaceKeeper
    /// Attempts whose recovery needs a claim; the first HELLO waits for them.
    var unsettled: Set<AttemptID> = []
    /// Since when a draining agent has had nothing to do.
    var idleSince: UInt64?
    var hasExited = false

    package init(profile: AgentProfile, recovering state: RecoveredState = RecoveredState(), now: UInt64) {
        self.profile = profile
        highestAttemptSeen = max(state.highestAttemptSeen, state.attempts.map(\.attempt).max() ?? AttemptID(0))
        tombstones = Tombstones(floor: state.floor, ids: state.forgotten)
        for attempt in state.attempts { records[attempt.attempt] = AttemptRecord(attempt, now: now) }
        workspaces = WorkspaceKeeper(
            slots: profile.slots, existing: state.workspaces, inUse: Set(state.attempts.map(\.jobAttempt)), now: now)
        for (id, record) in records where record.life.state == .claiming { unsettled.insert(id) }
    }

    /// The first effects: claims for what an earlier process left open, then the first connection.
    package mutating func begin(now: UInt64) -> [AgentEffect] {
        var effects: [AgentEffect] = unsettled.sorted().map { .claimStartFile($0) }
        dialIfSettled(&effects)
        return effects
    }

    package mutating func handle(_ input: AgentInput, now: UInt64) -> [AgentEffect] {
        guard !hasExited else { return [] }
        var effects: [AgentEffect] = []
        switch input {
        case .linkOpened(let link): linkOpened(link, now: now, &effects)
        case .linkClosed(let link, let code): linkClosed(link, code: code, now: now, &effects)
        case .revoked: revoke(now: now, &effects)
        case .received(let link, let message): received(message, on: link, now: now, &effects)
        case .journalled, .notJournalled, .shimStarted, .shimRefused, .shimUnable, .exited, .shimLost, .vacated,
            .claimed:
            attemptInput(input, now: now, &effects)
        case .spooled(let id, let bytes):
            guard records[id] != nil else { break }
            records[id]?.log.spooled(bytes)
            pump(id, now: now, &effects)
        case .logSent, .logUnreadable, .hashed: logInput(input, now: now, &effects)
        case .drain: drain(now: now, &effects)
        case .tick: tick(now: now, &effects)
        }
        return effects
    }

    // MARK: What others may look at

    package struct Overview: Equatable, Sendable {
        package var attempt: AttemptID
        package var jobAttempt: JobAttemptID
        package var state: Hello.AttemptState
        package var spooled: UInt64
        package var acknowledged: UInt64
    }

    /// All known attempts, ascending.
    package var attempts: [Overview] {
        records.values.sorted { $0.life.attempt < $1.life.attempt }.map { record in
            Overview(
                attempt: record.life.attempt, jobAttempt: record.life.jobAttempt, state: record.life.helloState,
                spooled: record.log.spooled, acknowledged: record.log.acked)
        }
    }

    /// Whether nothing is known and nothing is owed.
    package var isIdle: Bool { records.isEmpty }

    mutating func dialIfSettled(_ effects: inout [AgentEffect]) {
        if unsettled.isEmpty, revokedAt == nil, link.dial() { effects.append(.dial) }
    }
}
