package import AnsFlowProtocol

/// A request to start a run, compiled and checked.
package struct RunRequest: Equatable, Sendable {
    package var pipeline: PipelineRow
    package var plan: RunPlan
    package var event: String
    package var ref: String
    package var branch: String
    package var tag: String
    package var commit: String
    package var inputs: [String: String]
    package var priority: Int
    package var actor: String
    /// Where it repeats an earlier run; see ``Rerun/request(of:pipeline:mode:actor:)``.
    package var origin: RunOrigin?
    /// Why there is nothing to run, where its definition could not be compiled: the run is made all the same, with an empty plan, and
    /// ends at once as `invalid`, so that whoever looks for it finds out why.
    package var fault: String?
    /// The caller and its `Idempotency-Key`: the same again gives the run that the first made.
    package var idempotencyKey: String?
    /// Who asked, and from where; kept in the run's own transaction. Nil where AnsFlow itself starts it: that is told as well.
    package var audit: AuditEntry?
    /// Why it is started, a sentence for people; empty where somebody asked for it. It is not kept with the run.
    package var reason: String

    package init(
        pipeline: PipelineRow, plan: RunPlan, event: String = "manual", ref: String = "", branch: String = "",
        tag: String = "", commit: String = "", inputs: [String: String] = [:], priority: Int = 0, actor: String,
        origin: RunOrigin? = nil, fault: String? = nil, idempotencyKey: String? = nil, reason: String = ""
    ) {
        self.pipeline = pipeline
        self.plan = plan
        self.event = event
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
        self.inputs = inputs
        self.priority = priority
        self.actor = actor
        self.origin = origin
        self.fault = fault
        self.idempotencyKey = idempotencyKey
        self.reason = reason
    }
}

/// The run that another repeats, and what is taken over from it.
package struct RunOrigin: Equatable, Sendable {
    package var run: RunID
    package var number: Int64
    package var kind: RerunKind
    /// Jobs that do not run again, by their id in the plan.
    package var carried: [String: CarriedJob]

    package init(run: RunID, number: Int64, kind: RerunKind, carried: [String: CarriedJob] = [:]) {
        self.run = run
        self.number = number
        self.kind = kind
        self.carried = carried
    }
}

/// How a job of an earlier run ended.
package struct CarriedJob: Equatable, Sendable {
    package struct Step: Equatable, Sendable {
        package var outcome: Outcome
        package var cause: Cause?
        package var message: String?
        package var exitCode: Int32?

        package init(outcome: Outcome, cause: Cause? = nil, message: String? = nil, exitCode: Int32? = nil) {
            self.outcome = outcome
            self.cause = cause
            self.message = message
            self.exitCode = exitCode
        }
    }

    package var outcome: Outcome
    package var cause: Cause?
    /// Whose outputs and artifacts count for it; `nil` where it never ran.
    package var attempt: JobAttemptID?
    package var outputs: [String: String]
    /// By place in the plan.
    package var steps: [Step]

    package init(
        outcome: Outcome, cause: Cause? = nil, attempt: JobAttemptID? = nil, outputs: [String: String] = [:],
        steps: [Step] = []
    ) {
        self.outcome = outcome
        self.cause = cause
        self.attempt = attempt
        self.outputs = outputs
        self.steps = steps
    }
}
