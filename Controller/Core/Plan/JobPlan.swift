/// A set of steps that share one workspace on one agent. A matrix makes one of these for each of its cells.
package struct JobPlan: Equatable, Sendable {
    /// Unique in the plan: the file's id, for a cell with its values, as `build[arch=amd64,mode=release]`.
    package var id: String
    /// The file's id.
    package var group: String
    /// The cell's values, in the order of the file; empty without a matrix.
    package var matrix: [MatrixValue]
    /// For people; the id where the file gives no name.
    package var name: String
    /// Jobs that must have ended before; one edge for each cell of what is needed.
    package var needs: [NeedPlan]
    /// `nil` means: when all needs ended well. See ``ConditionRule``.
    package var condition: Expression?
    /// Labels that the agent must have. A value may hold `*`; see ``Glob/matches(_:pattern:slashes:)`` with `slashes: true`.
    package var agentLabels: [String: String]
    /// From the job attempt's start.
    package var timeoutMs: UInt64
    /// Steps that run side by side, at most.
    package var parallel: Int
    /// Which failures of the job leave the run a warning.
    package var allowFailure: FailureAllowance
    package var environment: [String: String]
    /// Variables whose values are only known when the job starts, over ``environment``.
    package var lateEnvironment: [String: PlanText]
    /// Higher goes first, within its project's share of the agents. Added to the run's own.
    package var priority: Int
    package var retry: RetryPlan?
    package var concurrency: ConcurrencyPlan?
    package var approval: ApprovalPlan?
    /// The environment that it deploys to, with its own secrets and history.
    package var deployment: String?
    /// `nil` where nothing is checked out. Otherwise ``steps`` begins with the built-in step `checkout`.
    package var checkout: CheckoutOptions?
    /// In the order in which they are shown: built-in `checkout` and `fetch-artifacts`, the file's steps, the built-in
    /// `store-artifacts`, then those of `finally`.
    package var steps: [StepPlan]

    package init(
        id: String, group: String? = nil, matrix: [MatrixValue] = [], name: String? = nil, needs: [NeedPlan] = [],
        condition: Expression? = nil, agentLabels: [String: String] = [:],
        timeoutMs: UInt64 = PlanLimits.jobTimeoutMsDefault, parallel: Int = PlanLimits.parallelDefault,
        allowFailure: FailureAllowance = .never, environment: [String: String] = [:],
        lateEnvironment: [String: PlanText] = [:], priority: Int = 0, retry: RetryPlan? = nil,
        concurrency: ConcurrencyPlan? = nil, approval: ApprovalPlan? = nil, deployment: String? = nil,
        checkout: CheckoutOptions? = nil, steps: [StepPlan]
    ) {
        self.id = id
        self.group = group ?? id
        self.matrix = matrix
        self.name = name ?? id
        self.needs = needs
        self.condition = condition
        self.agentLabels = agentLabels
        self.timeoutMs = timeoutMs
        self.parallel = parallel
        self.allowFailure = allowFailure
        self.environment = environment
        self.lateEnvironment = lateEnvironment
        self.priority = priority
        self.retry = retry
        self.concurrency = concurrency
        self.approval = approval
        self.deployment = deployment
        self.checkout = checkout
        self.steps = steps
    }
}

/// One axis of a matrix and its value in a cell.
package struct MatrixValue: Codable, Equatable, Hashable, Sendable {
    package var axis: String
    package var value: InputValue

    package init(axis: String, value: InputValue) {
        self.axis = axis
        self.value = value
    }

    /// The variable in which steps find the value: letters in upper case, `-` as `_`.
    package var variableName: String { "ANSFLOW_MATRIX_" + String(axis.uppercased().map { $0 == "-" ? "_" : $0 }) }
}

// What is empty is not written: most jobs use few of these words, and a plan is written for every run. Times and limits are
// always written, so that another default in a later version does not change a stored plan.
extension JobPlan: Codable {
    enum CodingKeys: String, CodingKey {
        case id, group, matrix, name, needs, condition, parallel, environment, priority, retry, concurrency, approval
        case deployment, checkout, steps
        case agentLabels = "agent_labels"
        case timeoutMs = "timeout_ms"
        case allowFailure = "allow_failure"
        case lateEnvironment = "late_environment"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        group = try container.decodeIfPresent(String.self, forKey: .group) ?? id
        matrix = try container.decodeIfPresent([MatrixValue].self, forKey: .matrix) ?? []
        name = try container.decodeIfPresent(String.self, forKey: .name) ?? id
        needs = try container.decodeIfPresent([NeedPlan].self, forKey: .needs) ?? []
        condition = try container.decodeIfPresent(Expression.self, forKey: .condition)
        agentLabels = try container.decodeIfPresent([String: String].self, forKey: .agentLabels) ?? [:]
        timeoutMs = try container.decode(UInt64.self, forKey: .timeoutMs)
        parallel = try container.decode(Int.self, forKey: .parallel)
        allowFailure = try container.decodeIfPresent(FailureAllowance.self, forKey: .allowFailure) ?? .never
        environment = try container.decodeIfPresent([String: String].self, forKey: .environment) ?? [:]
        lateEnvironment = try container.decodeIfPresent([String: PlanText].self, forKey: .lateEnvironment) ?? [:]
        priority = try container.decodeIfPresent(Int.self, forKey: .priority) ?? 0
        retry = try container.decodeIfPresent(RetryPlan.self, forKey: .retry)
        concurrency = try container.decodeIfPresent(ConcurrencyPlan.self, forKey: .concurrency)
        approval = try container.decodeIfPresent(ApprovalPlan.self, forKey: .approval)
        deployment = try container.decodeIfPresent(String.self, forKey: .deployment)
        checkout = try container.decodeIfPresent(CheckoutOptions.self, forKey: .checkout)
        steps = try container.decode([StepPlan].self, forKey: .steps)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        if group != id { try container.encode(group, forKey: .group) }
        if !matrix.isEmpty { try container.encode(matrix, forKey: .matrix) }
        if name != id { try container.encode(name, forKey: .name) }
        if !needs.isEmpty { try container.encode(needs, forKey: .needs) }
        try container.encodeIfPresent(condition, forKey: .condition)
        if !agentLabels.isEmpty { try container.encode(agentLabels, forKey: .agentLabels) }
        try container.encode(timeoutMs, forKey: .timeoutMs)
        try container.encode(parallel, forKey: .parallel)
        if allowFailure != .never { try container.encode(allowFailure, forKey: .allowFailure) }
        if !environment.isEmpty { try container.encode(environment, forKey: .environment) }
        if !lateEnvironment.isEmpty { try container.encode(lateEnvironment, forKey: .lateEnvironment) }
        if priority != 0 { try container.encode(priority, forKey: .priority) }
        try container.encodeIfPresent(retry, forKey: .retry)
        try container.encodeIfPresent(concurrency, forKey: .concurrency)
        try container.encodeIfPresent(approval, forKey: .approval)
        try container.encodeIfPresent(deployment, forKey: .deployment)
        try container.encodeIfPresent(checkout, forKey: .checkout)
        try container.encode(steps, forKey: .steps)
    }
}
