import AnsFlowProtocol
import ControllerCore
import Synchronization

@testable import ControllerHTTP

extension World {
    /// A matrix of two cells, a clean-up step, and a deployment with an approval behind a need that may fail.
    static let lifePlan = RunPlan(
        name: "demo",
        jobs: ["debug", "release"].map { mode in
            JobPlan(
                id: "build[mode=\(mode),n=2]", group: "build",
                matrix: [
                    MatrixValue(axis: "mode", value: .text(mode)), MatrixValue(axis: "n", value: .number(2)),
                ],
                steps: [
                    StepPlan(
                        id: "test", action: .run(commands: ["x"], shell: .sh), allowFailure: .exitCodes([42]),
                        retry: RetryPlan(max: 2, exitCodes: [75], backoffMs: 5000)),
                    StepPlan(id: "finally-1", stage: .finally, action: .run(commands: ["y"], shell: .sh)),
                ])
        } + [
            JobPlan(
                id: "deploy",
                needs: [NeedPlan("build[mode=debug,n=2]", allowFailure: true), "build[mode=release,n=2]"],
                concurrency: ConcurrencyPlan(group: "prod", onNew: .queue),
                approval: ApprovalPlan(
                    by: [.maintainer],
                    inputs: [InputPlan(name: "region", kind: .choice, options: ["eu", "us"], required: true)],
                    message: "Ship it?"),
                deployment: "production", steps: [StepPlan(id: "go", action: .run(commands: ["z"], shell: .sh))])
        ],
        concurrency: ConcurrencyPlan(group: "ci-main", limit: 2, onNew: .cancelRunning))

    /// Run `id` with ``lifePlan``: one cell has failed once and is tried again, the deployment waits for a maintainer.
    func addLifeRun(_ id: Int64) {
        var detail = addRun(id)
        detail.plan = Self.lifePlan
        detail.run.origin = RunID(90)
        detail.run.rerun = .failed
        detail.run.group = "ci-main"
        detail.run.trusted = false
        var (jobs, steps): ([JobRow], [StepRow]) = ([], [])
        for (index, plan) in Self.lifePlan.jobs.enumerated() {
            let job = JobRow(
                id: JobID(id * 10 + Int64(index)), run: detail.run.id, index: index, name: plan.id,
                phase: index == 0 ? .running : .blocked, environment: plan.deployment)
            jobs.append(job)
            for (place, step) in plan.steps.enumerated() {
                steps.append(
                    StepRow(
                        id: StepID(id * 100 + Int64(index * 10 + place)), job: job.id, run: detail.run.id, index: place,
                        name: step.id, phase: .blocked))
            }
        }
        steps[0].retries = 1
        steps[0].retryAt = 9000
        jobs[1].phase = .finished
        jobs[1].outcome = .success
        jobs[1].carriedFrom = JobAttemptID(3)
        jobs[1].carriedOutputs = ["version": "1"]
        detail.jobs = jobs
        detail.steps = steps
        detail.jobAttempts = [
            JobAttemptRow(
                id: JobAttemptID(id), job: jobs[0].id, run: detail.run.id, agent: AgentID(1), number: 1,
                startedAt: World.now)
        ]
        detail.attempts = [
            AttemptRow(
                id: AttemptID(id * 10), step: steps[0].id, job: jobs[0].id, jobAttempt: JobAttemptID(id),
                run: detail.run.id, agent: AgentID(1), number: 1, phase: .finished, outcome: .failed, cause: .exit,
                exitCode: 75, createdAt: World.now, deadline: 0)
        ]
        detail.approvals = [
            ApprovalRow(run: detail.run.id, job: jobs[2].id, askedAt: World.now, deadline: 60_000)
        ]
        state.withLock { [detail] in $0.runs[detail.run.id] = detail }
    }
}

extension World: ApprovalQueries, DeploymentQueries {
    func waitingApprovals(
        project: ProjectID?, visible: Visibility, page: Int, perPage: Int
    ) async throws -> Page<ApprovalView> {
        state.withLock { state in
            let all = state.runs.values.sorted { $0.run.id < $1.run.id }.flatMap { detail in
                detail.approvals.filter { $0.state == .waiting && visible.includes(detail.run.project) }.map { row in
                    let job = detail.jobs.first { $0.id == row.job }
                    return ApprovalView(
                        row: row, run: detail.run, job: job, plan: job.flatMap { detail.plan.jobs[$0.index].approval })
                }
            }
            return Page(items: Array(all.dropFirst((page - 1) * perPage).prefix(perPage)), total: all.count)
        }
    }
    func engineClock() async throws -> Int64 { 20_000 }

    func environments(of project: ProjectID) async throws -> [EnvironmentView] {
        guard project == .main, let newest = deployment else { return [] }
        return [EnvironmentView(name: "production", newest: newest)]
    }
    func deployments(
        to environment: String, of project: ProjectID, page: Int, perPage: Int
    ) async throws -> Page<DeploymentView> {
        guard project == .main, environment == "production", let found = deployment else {
            return Page(items: [], total: 0)
        }
        return Page(items: [found], total: 1)
    }
    private var deployment: DeploymentView? {
        state.withLock { state in
            guard let detail = state.runs[RunID(1)], let job = detail.jobs.last else { return nil }
            return DeploymentView(job: job, run: detail.run, approval: detail.approvals.first, agent: "one")
        }
    }
}
