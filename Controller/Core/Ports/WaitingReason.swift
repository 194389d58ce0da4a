/// Why a job or step does not run yet, for people and for scripts.
package struct WaitingReason: Equatable, Sendable, Codable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// Needs that have not finished.
        case needs
        /// Somebody's word, for this job or the whole run.
        case approval
        /// Other runs or jobs of its concurrency group.
        case group
        /// The back-off before it is tried again.
        case retry
        /// No enrolled agent has the labels.
        case noAgent = "no_agent"
        /// Agents with the labels are known, none is connected.
        case agentsOffline = "agents_offline"
        /// Agents with the labels are connected, but paused or draining.
        case agentsPaused = "agents_paused"
        /// All slots of the agents with the labels are taken.
        case slots
        /// Steps of the job that run now take all of its `parallel`.
        case parallel
        /// The agent is silent.
        case unreachable
        /// The controller can't make anything durable.
        case halted
    }

    /// A run, or a job of it, that is in front of this one.
    package struct Front: Equatable, Sendable, Codable {
        package var run: RunID
        package var pipeline: String
        package var number: Int64
        /// Nil where the whole run is in the group.
        package var job: String?
        /// Whether it holds the group; else it waits as well.
        package var holds: Bool

        package init(run: RunID, pipeline: String, number: Int64, job: String? = nil, holds: Bool) {
            self.run = run
            self.pipeline = pipeline
            self.number = number
            self.job = job
            self.holds = holds
        }
    }

    /// What one agent lacks.
    package struct Candidate: Equatable, Sendable, Codable {
        package var agent: String
        package var lacks: String
        package init(agent: String, lacks: String) {
            self.agent = agent
            self.lacks = lacks
        }
    }

    /// Empty where the whole run waits.
    package var job: String
    /// Nil where the whole job waits.
    package var step: String?
    package var kind: Kind
    /// A sentence.
    package var message: String
    /// Place in the queue from 1, where it has one.
    package var position: Int?
    package var candidates: [Candidate]
    /// Of a group: who holds it, then who waits before; at most ``frontMax``.
    package var front: [Front]
    /// Milliseconds of the engine's clock until the wait ends by itself, where that is known: a back-off, an approval, a group.
    package var remainingMs: Int64?

    package static let frontMax = 10

    package init(
        job: String, step: String? = nil, kind: Kind, message: String, position: Int? = nil,
        candidates: [Candidate] = [], front: [Front] = [], remainingMs: Int64? = nil
    ) {
        self.job = job
        self.step = step
        self.kind = kind
        self.message = message
        self.position = position
        self.candidates = candidates
        self.front = front
        self.remainingMs = remainingMs
    }
}
