/// A set of steps that share one workspace on one agent.
package struct JobPlan: Codable, Equatable, Sendable {
    package var id: String
    /// For people; the id where the file gives no name.
    package var name: String
    /// Ids of jobs that must have ended well before.
    package var needs: [String]
    /// `nil` means: when all needs ended well. See ``ConditionRule``.
    package var condition: Expression?
    /// Labels that the agent must have. A value may hold `*`; see ``Glob/matches(_:pattern:slashes:)`` with `slashes: true`.
    package var agentLabels: [String: String]
    /// From the job attempt's start.
    package var timeoutMs: UInt64
    /// Steps that run side by side, at most.
    package var parallel: Int
    /// A failure of the job leaves the run a warning.
    package var allowFailure: Bool
    package var environment: [String: String]
    /// `nil` where nothing is checked out. Otherwise ``steps`` begins with the built-in step `checkout`.
    package var checkout: CheckoutOptions?
    /// In the order of the file, behind a built-in `checkout`.
    package var steps: [StepPlan]

    package init(
        id: String, name: String? = nil, needs: [String] = [], condition: Expression? = nil,
        agentLabels: [String: String] = [:], timeoutMs: UInt64 = PlanLimits.jobTimeoutMsDefault,
        parallel: Int = PlanLimits.parallelDefault, allowFailure: Bool = false, environment: [String: String] = [:],
        checkout: CheckoutOptions? = nil, steps: [StepPlan]
    ) {
        self.id = id
        self.name = name ?? id
        self.needs = needs
        self.condition = condition
        self.agentLabels = agentLabels
        self.timeoutMs = timeoutMs
        self.parallel = parallel
        self.allowFailure = allowFailure
        self.environment = environment
        self.checkout = checkout
        self.steps = steps
    }

    enum CodingKeys: String, CodingKey {
        case id, name, needs, condition, parallel, environment, checkout, steps
        case agentLabels = "agent_labels"
        case timeoutMs = "timeout_ms"
        case allowFailure = "allow_failure"
    }
}
