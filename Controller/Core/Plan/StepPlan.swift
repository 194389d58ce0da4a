package import AnsFlowProtocol

/// One command, the unit that is assigned to an agent.
package struct StepPlan: Codable, Equatable, Sendable {
    package enum Action: Codable, Equatable, Sendable {
        /// Runs each command with the shell, in order; the first that fails ends the step.
        case run(commands: [String], shell: StepSpec.Shell)
        /// The built-in step that checks ``RunFacts/repository`` out.
        case checkout(CheckoutOptions)
    }

    /// Unique within the job. Steps for which the file gives none are `step-1`, `step-2`, by their place in the list.
    package var id: String
    /// For people.
    package var name: String
    /// Ids of steps of the same job that must have ended well before. All edges are explicit here: the rule that
    /// steps without `needs` run in the order of the list is already applied, and so is the edge to `checkout`.
    package var needs: [String]
    /// `nil` means: when all needs ended well. See ``ConditionRule``.
    package var condition: Expression?
    package var action: Action
    /// The step's own; ``RunPlan/environment(of:in:)`` gives all of it.
    package var environment: [String: String]
    /// From the child's start until TERM.
    package var timeoutMs: UInt64
    /// Between TERM and KILL.
    package var graceMs: UInt64
    /// A failure of the step leaves the job a warning and counts as success for the steps that need it.
    package var allowFailure: Bool
    package var logLimitBytes: UInt64

    package init(
        id: String, name: String? = nil, needs: [String] = [], condition: Expression? = nil, action: Action,
        environment: [String: String] = [:], timeoutMs: UInt64 = PlanLimits.stepTimeoutMsDefault,
        graceMs: UInt64 = PlanLimits.graceMsDefault, allowFailure: Bool = false,
        logLimitBytes: UInt64 = PlanLimits.logBytesDefault
    ) {
        self.id = id
        self.name = name ?? id
        self.needs = needs
        self.condition = condition
        self.action = action
        self.environment = environment
        self.timeoutMs = timeoutMs
        self.graceMs = graceMs
        self.allowFailure = allowFailure
        self.logLimitBytes = logLimitBytes
    }

    /// The id of the built-in step. No other step has it while the job checks out.
    package static let checkoutID = "checkout"

    enum CodingKeys: String, CodingKey {
        case id, name, needs, condition, action, environment
        case timeoutMs = "timeout_ms"
        case graceMs = "grace_ms"
        case allowFailure = "allow_failure"
        case logLimitBytes = "log_limit_bytes"
    }
}

/// How a job's repository is checked out.
package struct CheckoutOptions: Codable, Equatable, Sendable {
    /// Commits of history; 0 for all.
    package var depth: Int
    package var submodules: Bool
    package var lfs: Bool
    /// Whether files that git does not know are removed first.
    package var clean: Bool

    package init(depth: Int = 1, submodules: Bool = false, lfs: Bool = false, clean: Bool = true) {
        self.depth = depth
        self.submodules = submodules
        self.lfs = lfs
        self.clean = clean
    }
}
