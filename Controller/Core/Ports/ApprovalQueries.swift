/// An approval with what it is about.
package struct ApprovalView: Equatable, Sendable {
    package var row: ApprovalRow
    package var run: RunRow
    /// Nil where the whole run waits.
    package var job: JobRow?
    /// What the plan asks; nil where the whole run waits.
    package var plan: ApprovalPlan?

    package init(row: ApprovalRow, run: RunRow, job: JobRow? = nil, plan: ApprovalPlan? = nil) {
        self.row = row
        self.run = run
        self.job = job
        self.plan = plan
    }
}

/// Reading approvals.
package protocol ApprovalQueries: Sendable {
    /// Those that nobody has answered, the longest waiting run first. `page` counts from 1.
    ///
    /// - Parameter visible: only of these projects: what the caller may see.
    func waitingApprovals(
        project: ProjectID?, visible: Visibility, page: Int, perPage: Int
    ) async throws -> Page<ApprovalView>
    /// The engine's clock as of the last commit: deadlines count by it.
    func engineClock() async throws -> Int64
}
