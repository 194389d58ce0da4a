package import AnsFlowProtocol

/// An agent as the engine sees it: its row, and what is only true while this controller runs.
package struct AgentState: Equatable, Sendable {
    package struct Session: Equatable, Sendable {
        package var id: SessionID
        package var remote: String
        package var load: Double?
        package var diskFreeBytes: UInt64?
        package var clockAheadMs: Int64?
        /// By the wish of the agent's own operator: it ends with that process, unlike a drain that was asked for here.
        package var draining = false
    }

    package internal(set) var row: AgentRow
    package internal(set) var session: Session?
    /// Engine clock since when it is absent; nil while connected.
    package internal(set) var absentSince: Int64?
    /// Its live step attempts, in order.
    package internal(set) var live: [AttemptID] = []
    /// Engine clock until when what it was told to stop must have ended.
    var stops: [AttemptID: Int64] = [:]
    /// Jobs that hold its slots.
    package internal(set) var jobs: [JobPlace] = []
    /// Engine clock until when it is given nothing new, since it did not start what it was given.
    package internal(set) var holdUntil: Int64?
    var holdMs: Int64 = 0
    /// Attempts that it knows and nobody here does.
    package internal(set) var orphans: [AttemptID] = []
    package internal(set) var alarms: [AgentAlarm] = []
    /// Attempts of it that were given up as lost, oldest first.
    var givenUp: [AttemptID] = []

    /// How many new job attempts it may be given.
    var slotsToGive: Int {
        guard session != nil, !row.paused, !isDraining, !row.revoked, holdUntil == nil else { return 0 }
        return max(0, row.slots - jobs.count)
    }

    var isDraining: Bool { row.draining || session?.draining ?? false }
}

/// A job's place in the engine.
package struct JobPlace: Hashable, Comparable, Sendable {
    package var run: RunID
    package var job: Int

    package static func < (left: JobPlace, right: JobPlace) -> Bool {
        (left.run, left.job) < (right.run, right.job)
    }
}

/// An attempt's place in the engine.
package struct AttemptPlace: Hashable, Sendable {
    package var run: RunID
    package var step: StepPlace
    package var agent: AgentID
}
