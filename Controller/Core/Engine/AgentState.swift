package import AnsFlowProtocol

/// An agent as the engine sees it: its row, and what is only true while this controller runs.
package struct AgentState: Equatable, Sendable {
    package struct Session: Equatable, Sendable {
        package var id: SessionID
        package var remote: String
        package var load: Double?
        package var diskFreeBytes: UInt64?
    }

    package internal(set) var row: AgentRow
    package internal(set) var session: Session?
    /// Engine clock since when it is absent; nil while connected.
    package internal(set) var absentSince: Int64?
    /// Its live step attempts, in order.
    package internal(set) var live: [AttemptID] = []
    /// Jobs that hold its slots.
    package internal(set) var jobs: [JobPlace] = []
    /// Attempts that it knows and nobody here does.
    package internal(set) var orphans: [AttemptID] = []

    /// Whether it may be given a new job attempt.
    var takesJobs: Bool {
        session != nil && !row.paused && !row.draining && !row.revoked && jobs.count < row.slots
    }
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
