package import ControllerCore

/// What a run is compiled for.
package struct CompileContext: Sendable {
    /// The name where the file has none: the stored pipeline's.
    package var pipelineName: String
    package var event: String
    package var ref: String?
    package var branch: String?
    package var tag: String?
    /// A full commit id.
    package var commit: String?
    /// The pipeline's repository; without one nothing is checked out.
    package var repository: String?
    package var inputs: [String: InputValue]
    package var allowLocalRepositories: Bool
    package var pullRequest: RunFacts.PullRequest?
    /// What came with the event, at most ``PlanLimits/payloadBytesMax``: whoever received it saw to that.
    package var payload: PlanJSON?
    /// `nil` where nobody knows what changed.
    package var changedPaths: [String]?
    /// Whether who wrote the code may use the project's secrets.
    package var trusted: Bool
    /// Whether no run is started, so that inputs need not be given.
    package var isDraft: Bool
    /// Of every step, under those that the file gives: the project's own.
    package var variables: [String: String]

    package init(
        pipelineName: String = "pipeline", event: String = "manual", ref: String? = nil, branch: String? = nil,
        tag: String? = nil, commit: String? = nil, repository: String? = nil, inputs: [String: InputValue] = [:],
        allowLocalRepositories: Bool = false, pullRequest: RunFacts.PullRequest? = nil, payload: PlanJSON? = nil,
        changedPaths: [String]? = nil, trusted: Bool = true, isDraft: Bool = false,
        variables: [String: String] = [:]
    ) {
        self.pipelineName = pipelineName
        self.event = event
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
        self.repository = repository
        self.inputs = inputs
        self.allowLocalRepositories = allowLocalRepositories
        self.pullRequest = pullRequest
        self.payload = payload
        self.changedPaths = changedPaths
        self.trusted = trusted
        self.isDraft = isDraft
        self.variables = variables
    }

    /// A list of changed paths that is too long counts as unknown.
    var facts: RunFacts {
        RunFacts(
            event: event, ref: ref, branch: branch, tag: tag, commit: commit,
            repository: repository.map { RunFacts.Repository(url: $0, allowLocal: allowLocalRepositories) },
            pullRequest: pullRequest, payload: payload,
            changedPaths: changedPaths.flatMap { $0.count <= PlanLimits.changedPathsMax ? $0 : nil }, trusted: trusted)
    }
}

/// A plan, or why there is none.
package struct CompileOutcome: Sendable, Equatable {
    /// `nil` where a diagnostic is an error.
    package var plan: RunPlan?
    package var diagnostics: [Diagnostic]
}
