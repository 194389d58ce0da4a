package import AnsFlowProtocol

/// One command, the unit that is assigned to an agent.
package struct StepPlan: Equatable, Sendable {
    package enum Action: Codable, Equatable, Sendable {
        /// Runs each command with the shell, in order; the first that fails ends the step.
        case run(commands: [String], shell: StepSpec.Shell)
        /// The built-in step that checks ``RunFacts/repository`` out.
        case checkout(CheckoutOptions)
        /// The built-in step that puts artifacts of earlier jobs into the workspace.
        case fetchArtifacts([ArtifactSource])
        /// The built-in step that keeps artifacts and test reports.
        case storeArtifacts([ArtifactRule], reports: [ReportRule])
    }

    /// When in its job's life a step runs.
    package enum Stage: String, Codable, Sendable, CaseIterable {
        /// The work itself, ordered by ``StepPlan/needs``.
        case body
        /// Behind the body, whatever its result; not once the job is stopped.
        case collect
        /// Behind everything, one after the other, whatever happened, but never on an agent that was lost.
        case finally
    }

    /// Unique within the job. Steps for which the file gives none are `step-1`, `step-2`, by their place in the list, and
    /// `finally-1`, `finally-2`.
    package var id: String
    /// For people.
    package var name: String
    package var stage: Stage
    /// Steps of the same job and the body that must have ended before. All edges are explicit here: the rule that
    /// steps without `needs` run in the order of the list is already applied, and so is the edge to `checkout`.
    package var needs: [NeedPlan]
    /// `nil` means: when all needs ended well; of `finally`: always. See ``ConditionRule``.
    package var condition: Expression?
    package var action: Action
    /// The step's own; ``RunPlan/environment(of:in:)`` gives all of it.
    package var environment: [String: String]
    /// Variables whose values are only known when the step starts, over ``environment``.
    package var lateEnvironment: [String: PlanText]
    /// Secrets that the step gets: the secret's name by the variable's.
    package var secrets: [String: String]
    /// From the child's start until TERM.
    package var timeoutMs: UInt64
    /// Between TERM and KILL.
    package var graceMs: UInt64
    /// Which failures of the step leave the job a warning and count as success for the steps that need it.
    package var allowFailure: FailureAllowance
    package var retry: RetryPlan?
    package var logLimitBytes: UInt64

    package init(
        id: String, name: String? = nil, stage: Stage = .body, needs: [NeedPlan] = [], condition: Expression? = nil,
        action: Action, environment: [String: String] = [:], lateEnvironment: [String: PlanText] = [:],
        secrets: [String: String] = [:], timeoutMs: UInt64 = PlanLimits.stepTimeoutMsDefault,
        graceMs: UInt64 = PlanLimits.graceMsDefault, allowFailure: FailureAllowance = .never, retry: RetryPlan? = nil,
        logLimitBytes: UInt64 = PlanLimits.logBytesDefault
    ) {
        self.id = id
        self.name = name ?? id
        self.stage = stage
        self.needs = needs
        self.condition = condition
        self.action = action
        self.environment = environment
        self.lateEnvironment = lateEnvironment
        self.secrets = secrets
        self.timeoutMs = timeoutMs
        self.graceMs = graceMs
        self.allowFailure = allowFailure
        self.retry = retry
        self.logLimitBytes = logLimitBytes
    }

    /// Ids of the built-in steps. No other step of a job has them.
    package static let checkoutID = "checkout"
    package static let fetchID = "fetch-artifacts"
    package static let storeID = "store-artifacts"

    /// Whether AnsFlow adds the step itself.
    package var isBuiltIn: Bool {
        switch action {
        case .run: false
        case .checkout, .fetchArtifacts, .storeArtifacts: true
        }
    }
}

// What is empty is not written, as in ``JobPlan``.
extension StepPlan: Codable {
    enum CodingKeys: String, CodingKey {
        case id, name, stage, needs, condition, action, environment, secrets, retry
        case lateEnvironment = "late_environment"
        case timeoutMs = "timeout_ms"
        case graceMs = "grace_ms"
        case allowFailure = "allow_failure"
        case logLimitBytes = "log_limit_bytes"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        name = try container.decodeIfPresent(String.self, forKey: .name) ?? id
        stage = try container.decodeIfPresent(Stage.self, forKey: .stage) ?? .body
        needs = try container.decodeIfPresent([NeedPlan].self, forKey: .needs) ?? []
        condition = try container.decodeIfPresent(Expression.self, forKey: .condition)
        action = try container.decode(Action.self, forKey: .action)
        environment = try container.decodeIfPresent([String: String].self, forKey: .environment) ?? [:]
        lateEnvironment = try container.decodeIfPresent([String: PlanText].self, forKey: .lateEnvironment) ?? [:]
        secrets = try container.decodeIfPresent([String: String].self, forKey: .secrets) ?? [:]
        timeoutMs = try container.decode(UInt64.self, forKey: .timeoutMs)
        graceMs = try container.decode(UInt64.self, forKey: .graceMs)
        allowFailure = try container.decodeIfPresent(FailureAllowance.self, forKey: .allowFailure) ?? .never
        retry = try container.decodeIfPresent(RetryPlan.self, forKey: .retry)
        logLimitBytes = try container.decode(UInt64.self, forKey: .logLimitBytes)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        if name != id { try container.encode(name, forKey: .name) }
        if stage != .body { try container.encode(stage, forKey: .stage) }
        if !needs.isEmpty { try container.encode(needs, forKey: .needs) }
        try container.encodeIfPresent(condition, forKey: .condition)
        try container.encode(action, forKey: .action)
        if !environment.isEmpty { try container.encode(environment, forKey: .environment) }
        if !lateEnvironment.isEmpty { try container.encode(lateEnvironment, forKey: .lateEnvironment) }
        if !secrets.isEmpty { try container.encode(secrets, forKey: .secrets) }
        try container.encode(timeoutMs, forKey: .timeoutMs)
        try container.encode(graceMs, forKey: .graceMs)
        if allowFailure != .never { try container.encode(allowFailure, forKey: .allowFailure) }
        try container.encodeIfPresent(retry, forKey: .retry)
        try container.encode(logLimitBytes, forKey: .logLimitBytes)
    }
}
