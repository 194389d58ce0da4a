package import AnsFlowProtocol

/// One page of a list.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Rows that match, on all pages.
    package var total: Int

    package init(items: [Item], total: Int) {
        self.items = items
        self.total = total
    }
}

extension Page: Equatable where Item: Equatable {}

/// What the list of runs may be narrowed to. Every field that is nil matches all.
package struct RunFilter: Hashable, Sendable {
    package var pipeline: PipelineID?
    /// Only the one with this number; only together with a pipeline.
    package var number: Int?
    package var project: ProjectID?
    /// Only of these projects: what the caller may see.
    package var visible = Visibility.all
    package var status: Status?
    package var branch: String?
    package var event: String?
    /// Who began it.
    package var actor: String?
    /// Created at or after, in ms since 1970.
    package var since: Int64?
    package var until: Int64?
    /// Part of the pipeline's name, the commit or the branch.
    package var text: String?
    package var isOldestFirst = false
    /// Only those that stand behind this one in the list.
    package var after: RunID?

    package init() {}
}

/// A run with all that belongs to it, read in one transaction: `run.seq` is the number of the last event it includes.
package struct RunDetail: Equatable, Sendable {
    package var run: RunRow
    package var plan: RunPlan
    package var jobs: [JobRow]
    package var steps: [StepRow]
    package var jobAttempts: [JobAttemptRow]
    /// All attempts of all steps, by id.
    package var attempts: [AttemptRow]
    package var approvals: [ApprovalRow]
    package var agentNames: [AgentID: String]

    package init(
        run: RunRow, plan: RunPlan, jobs: [JobRow], steps: [StepRow], jobAttempts: [JobAttemptRow],
        attempts: [AttemptRow], approvals: [ApprovalRow] = [], agentNames: [AgentID: String]
    ) {
        self.run = run
        self.plan = plan
        self.jobs = jobs
        self.steps = steps
        self.jobAttempts = jobAttempts
        self.attempts = attempts
        self.approvals = approvals
        self.agentNames = agentNames
    }
}

/// How far a run has come that has not ended.
package struct RunProgress: Equatable, Sendable {
    package var jobs: Int
    package var finished: Int
    /// Whether nothing of it runs, and somebody's word is waited for.
    package var awaitsApproval: Bool

    package init(jobs: Int, finished: Int, awaitsApproval: Bool) {
        self.jobs = jobs
        self.finished = finished
        self.awaitsApproval = awaitsApproval
    }
}

/// Reading runs. Readers never wait for the writer.
package protocol RunQueries: Sendable {
    /// Newest first. `page` counts from 1.
    func runs(_ filter: RunFilter, page: Int, perPage: Int) async throws -> Page<RunRow>
    /// Of at most a page's runs.
    func progress(of runs: [RunID]) async throws -> [RunID: RunProgress]
    func run(_ id: RunID) async throws -> RunRow?
    func runDetail(_ id: RunID) async throws -> RunDetail?
    /// Events with a `seq` above `after`, in order.
    func events(of run: RunID, after: Int64, limit: Int) async throws -> [EventRow]
    /// Events of all runs with an instance-wide id above `after`, in order.
    func events(after: Int64, pipeline: PipelineID?, limit: Int) async throws -> [EventRow]
    /// The highest number that a run of the pipeline ever had, also of runs that were deleted; 0 where it has had none.
    func lastNumber(of pipeline: PipelineID) async throws -> Int64
    func lastEventID() async throws -> Int64
    func generation() async throws -> Int64
    func idempotentRun(_ key: String) async throws -> RunID?
}

package enum PipelineChange: Error, Equatable, Sendable {
    case nameTaken, notFound
    /// `If-Match` named another version.
    case stale(current: Int)
}

/// Pipelines: saved texts with their history.
package protocol PipelineRepository: Sendable {
    /// By name.
    ///
    /// - Parameter visible: only of these projects: what the caller may see.
    func pipelines(
        project: ProjectID?, visible: Visibility, text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<PipelineRow>
    func pipeline(_ id: PipelineID) async throws -> PipelineRow?
    func pipeline(named name: String) async throws -> PipelineRow?
    /// Newest first.
    func versions(of id: PipelineID) async throws -> [PipelineVersion]
    /// Durable on return. Throws ``PipelineChange/nameTaken``.
    func create(_ draft: PipelineDraft, by actor: String, at: Int64) async throws -> PipelineRow
    /// A changed definition becomes a new version. `expected` is the version that the caller saw, or nil.
    func update(_ id: PipelineID, _ draft: PipelineDraft, expected: Int?, by actor: String, at: Int64) async throws
        -> PipelineRow
    /// Its finished runs stay readable. Throws ``PipelineChange/notFound``.
    func delete(_ id: PipelineID, by actor: String, at: Int64) async throws
}

package struct PipelineDraft: Equatable, Sendable {
    package var project: ProjectID
    package var name: String
    package var definition: String
    package var repositoryURL: String
    package var ref: String
    package var path: String
    package var credential: String
    package var enabled: Bool

    package init(
        project: ProjectID = .main, name: String, definition: String, repositoryURL: String = "", ref: String = "",
        path: String = "", credential: String = "", enabled: Bool = true
    ) {
        self.project = project
        self.name = name
        self.definition = definition
        self.repositoryURL = repositoryURL
        self.ref = ref
        self.path = path
        self.credential = credential
        self.enabled = enabled
    }
}

package struct PipelineVersion: Equatable, Sendable {
    package var version: Int
    package var definition: String
    package var savedBy: String
    package var savedAt: Int64

    package init(version: Int, definition: String, savedBy: String, savedAt: Int64) {
        self.version = version
        self.definition = definition
        self.savedBy = savedBy
        self.savedAt = savedAt
    }
}

extension PipelineRepository {
    /// By name.
    package func pipelines(
        project: ProjectID?, visible: Visibility, text: String?, page: Int, perPage: Int
    ) async throws -> Page<PipelineRow> {
        try await pipelines(
            project: project, visible: visible, text: text, order: .name, page: page, perPage: perPage)
    }
}
