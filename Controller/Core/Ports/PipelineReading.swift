/// What a run is compiled for.
package struct CompileRequest: Equatable, Sendable {
    package var definition: String
    /// For messages.
    package var file: String
    package var event: String
    package var ref: String
    package var branch: String
    package var tag: String
    package var commit: String
    /// Empty where the pipeline has no repository.
    package var repositoryURL: String
    package var allowLocalRepositories: Bool
    /// Given inputs, as JSON scalars' texts by name.
    package var inputs: [String: String]
    /// Texts of the files that the definition includes, directly or through others, by their path in the repository.
    package var included: [String: String]
    package var pullRequest: RunFacts.PullRequest?
    /// What came with the event.
    package var payload: PlanJSON?
    /// `nil` where nobody knows what changed.
    package var changedPaths: [String]?
    /// Whether who wrote the code may use the project's secrets.
    package var trusted: Bool
    /// Whether only the text is judged: inputs that a run must be given are not missing then.
    package var isDraft: Bool
    /// The project's variables, under those of the file.
    package var variables: [String: String]

    package init(
        definition: String, file: String = ".ansflow.yml", event: String = "manual", ref: String = "",
        branch: String = "", tag: String = "", commit: String = "", repositoryURL: String = "",
        allowLocalRepositories: Bool = false, inputs: [String: String] = [:],
        included: [String: String] = [:], pullRequest: RunFacts.PullRequest? = nil, payload: PlanJSON? = nil,
        changedPaths: [String]? = nil, trusted: Bool = true, isDraft: Bool = false,
        variables: [String: String] = [:]
    ) {
        self.definition = definition
        self.file = file
        self.event = event
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
        self.repositoryURL = repositoryURL
        self.allowLocalRepositories = allowLocalRepositories
        self.inputs = inputs
        self.included = included
        self.pullRequest = pullRequest
        self.payload = payload
        self.changedPaths = changedPaths
        self.trusted = trusted
        self.isDraft = isDraft
        self.variables = variables
    }
}

/// Turns pipeline text into plans.
package protocol PipelineReading: Sendable {
    /// All diagnostics; the plan is nil where any of them is an error.
    func compile(_ request: CompileRequest) -> (plan: RunPlan?, diagnostics: [Diagnostic])
}
