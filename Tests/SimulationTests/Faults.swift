/// What may go wrong in one seed. Each seed switches a random subset on.
struct Faults: OptionSet, CustomStringConvertible {
    let rawValue: Int

    static let controllerCrash = Faults(rawValue: 1 << 0)
    static let agentCrash = Faults(rawValue: 1 << 1)
    static let hostCrash = Faults(rawValue: 1 << 2)
    static let shimKill = Faults(rawValue: 1 << 3)
    static let linkBreak = Faults(rawValue: 1 << 4)
    static let halfOpen = Faults(rawValue: 1 << 5)
    static let diskFull = Faults(rawValue: 1 << 6)
    static let cancel = Faults(rawValue: 1 << 7)
    static let storeWipe = Faults(rawValue: 1 << 8)
    static let longOutage = Faults(rawValue: 1 << 9)
    /// Agents that take no new job attempts for a while.
    static let drain = Faults(rawValue: 1 << 10)
    /// Agents that start nothing of what they are given for a while.
    static let refuse = Faults(rawValue: 1 << 11)
    static let all = Faults(rawValue: (1 << 12) - 1)

    static let names: [(Faults, String)] = [
        (.controllerCrash, "controllerCrash"), (.agentCrash, "agentCrash"), (.hostCrash, "hostCrash"),
        (.shimKill, "shimKill"), (.linkBreak, "linkBreak"), (.halfOpen, "halfOpen"), (.diskFull, "diskFull"),
        (.cancel, "cancel"), (.storeWipe, "storeWipe"), (.longOutage, "longOutage"),
        (.drain, "drain"), (.refuse, "refuse"),
    ]

    var description: String {
        Self.names.filter { contains($0.0) }.map(\.1).joined(separator: ",")
    }
}

/// Defects planted on purpose: the simulator must see each of them.
enum Mutant: String, CaseIterable {
    case ackBeforeFsync
    case startBeforeCommit
    case spawnWithoutStartFile
    case spoolDeletedAtEOF
    case downtimeTicksCounted
    case startToAnotherStore
    case cancelOverwritesSuccess
    /// An agent that is silent is taken for gone, so that a retry may run beside what it repeats.
    case silenceEndsAttempts
    /// Clean-up where a part of the job was lost.
    case finallyOnLostAgent
    /// Who holds a group is forgotten at a restart.
    case groupForgotten
    case approvalSurvivesExpiry
    /// How often something was tried is forgotten at a restart.
    case retriesForgotten
    /// Secrets are put into a START without asking whose run it is.
    case secretsToUntrusted
    /// That a run came from outside is forgotten at a restart.
    case untrustedForgotten
    /// A run from outside begins although nobody has said yes.
    case untrustedUnasked
}

/// An invariant that did not hold.
struct Violation: Error, CustomStringConvertible {
    var invariant: String
    var detail: String
    var description: String { "\(invariant): \(detail)" }
}
