/// The agent's first message on a connection. It is composed after everything of the connection before was dropped.
package struct Hello: Codable, Equatable, Sendable {
    /// How the agent can contain a step's processes.
    package enum Containment: String, Codable, Sendable {
        case cgroup2
        case bestEffort = "best_effort"
    }

    package enum AttemptState: String, Codable, Sendable {
        /// In the journal; its start file is not there.
        case accepted
        case running
        /// Its exit record is there and FORGET is not.
        case exited
        /// It ended without an exit record: the agent has killed what was left of it.
        case lost
        /// The agent claimed its start file: it never ran and never will.
        case neverStarted = "never_started"
    }

    package struct Known: Codable, Equatable, Sendable {
        package var attempt: AttemptID
        package var state: AttemptState
        /// Bytes that its spool holds by now.
        package var spooled: UInt64

        package init(attempt: AttemptID, state: AttemptState, spooled: UInt64) {
            self.attempt = attempt
            self.state = state
            self.spooled = spooled
        }
    }

    package var protocolMin: Int
    package var protocolMax: Int
    /// The agent's version, for people.
    package var version: String
    /// Made at random when the agent's process starts.
    package var processNonce: String
    /// The kernel's boot id.
    package var bootID: String
    /// Made at random with the agent's data directory.
    package var storeID: String
    /// The highest attempt id that the agent ever accepted; 0 before the first.
    package var highestAttemptSeen: AttemptID
    package var containment: Containment
    package var slots: Int
    package var labels: [String: String]
    package var attempts: [Known]
    /// Whether the agent takes no new job attempts, by its own operator's wish.
    package var draining: Bool

    package init(
        protocolMin: Int = ProtocolVersion.oldest, protocolMax: Int = ProtocolVersion.current, version: String,
        processNonce: String, bootID: String, storeID: String, highestAttemptSeen: AttemptID, containment: Containment,
        slots: Int, labels: [String: String], attempts: [Known], draining: Bool = false
    ) {
        self.protocolMin = protocolMin
        self.protocolMax = protocolMax
        self.version = version
        self.processNonce = processNonce
        self.bootID = bootID
        self.storeID = storeID
        self.highestAttemptSeen = highestAttemptSeen
        self.containment = containment
        self.slots = slots
        self.labels = labels
        self.attempts = attempts
        self.draining = draining
    }

    enum CodingKeys: String, CodingKey {
        case version, containment, slots, labels, attempts, draining
        case protocolMin = "proto_min"
        case protocolMax = "proto_max"
        case processNonce = "process_nonce"
        case bootID = "boot_id"
        case storeID = "store_id"
        case highestAttemptSeen = "highest_attempt_seen"
    }
}

/// The controller's answer to ``Hello``.
package struct Welcome: Codable, Equatable, Sendable {
    package enum Verdict: String, Codable, Sendable {
        /// Go on; the log continues from `logNext`.
        case proceed = "continue"
        /// A START follows, or the START that the agent has is still good.
        case start
        /// Stop it; a STOP follows.
        case stop
        /// Its end is durable: forget it.
        case forget
        /// This controller does not know it. Keep it; an administrator decides.
        case orphan
    }

    package struct Entry: Codable, Equatable, Sendable {
        package var attempt: AttemptID
        package var verdict: Verdict
        /// The first byte that the controller does not hold durably.
        package var logNext: UInt64

        package init(attempt: AttemptID, verdict: Verdict, logNext: UInt64) {
            self.attempt = attempt
            self.verdict = verdict
            self.logNext = logNext
        }

        enum CodingKeys: String, CodingKey {
            case attempt, verdict
            case logNext = "log_next"
        }
    }

    /// The version that both ends speak from here on.
    package var proto: Int
    /// Changes when the controller's data was restored from a backup.
    package var generation: Int64
    package var agent: AgentID
    package var verdicts: [Entry]
    package var writable: Bool

    package init(proto: Int, generation: Int64, agent: AgentID, verdicts: [Entry], writable: Bool) {
        self.proto = proto
        self.generation = generation
        self.agent = agent
        self.verdicts = verdicts
        self.writable = writable
    }
}
