package import AnsFlowProtocol

/// What the shell found in the data directory before the machine begins.
package struct RecoveredState: Equatable, Sendable {
    /// One attempt of the journal that is not forgotten, as its files and its shim's lock show it.
    package enum Condition: Equatable, Sendable {
        /// Its shim is alive and was never given the START, and the start file is not there.
        case parked
        /// Its shim is alive and has the START, but has not yet said that it started.
        case handed
        /// Its shim is alive and the step runs.
        case running(spooled: UInt64)
        case exited(AttemptEnding)
        /// The lock is free and there is no exit record. What was left of the tree has been killed.
        case gone(startFile: Bool, spooled: UInt64)
        /// Accepted before the host's last start: whatever ran is gone.
        case otherBoot(spooled: UInt64)
        /// The journal says that the agent claimed its start file.
        case neverStarted
    }

    package struct Attempt: Equatable, Sendable {
        package var attempt: AttemptID
        package var jobAttempt: JobAttemptID
        package var condition: Condition

        package init(attempt: AttemptID, jobAttempt: JobAttemptID, condition: Condition) {
            self.attempt = attempt
            self.jobAttempt = jobAttempt
            self.condition = condition
        }
    }

    package var attempts: [Attempt]
    package var highestAttemptSeen: AttemptID
    /// Ids whose end the controller holds; the newest ``Tombstones/capacity`` at most.
    package var forgotten: [AttemptID]
    /// No unknown id up to here is ever accepted: older tombstones were dropped.
    package var floor: AttemptID
    /// Workspaces on the disk.
    package var workspaces: [JobAttemptID]

    package init(
        attempts: [Attempt] = [], highestAttemptSeen: AttemptID = AttemptID(0), forgotten: [AttemptID] = [],
        floor: AttemptID = AttemptID(0), workspaces: [JobAttemptID] = []
    ) {
        self.attempts = attempts
        self.highestAttemptSeen = highestAttemptSeen
        self.forgotten = forgotten
        self.floor = floor
        self.workspaces = workspaces
    }
}
