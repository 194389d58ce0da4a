/// A job that deploys to an environment, with its run.
package struct DeploymentView: Equatable, Sendable {
    package var job: JobRow
    package var run: RunRow
    package var approval: ApprovalRow?
    /// Where it ran.
    package var agent: String?

    package init(job: JobRow, run: RunRow, approval: ApprovalRow? = nil, agent: String? = nil) {
        self.job = job
        self.run = run
        self.approval = approval
        self.agent = agent
    }
}

/// An environment that jobs have deployed to.
package struct EnvironmentView: Equatable, Sendable {
    package var name: String
    package var newest: DeploymentView
    /// The newest that ended well: what is there now.
    package var current: DeploymentView?

    package init(name: String, newest: DeploymentView, current: DeploymentView? = nil) {
        self.name = name
        self.newest = newest
        self.current = current
    }
}

/// Reading what was deployed where. Jobs that were skipped, or taken over from an earlier run, have deployed nothing and are
/// left out.
package protocol DeploymentQueries: Sendable {
    /// By name.
    func environments(of project: ProjectID) async throws -> [EnvironmentView]
    /// Newest first. `page` counts from 1.
    func deployments(
        to environment: String, of project: ProjectID, page: Int, perPage: Int
    ) async throws -> Page<DeploymentView>
}
