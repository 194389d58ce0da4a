import AnsFlowProtocol

/// Makes what an agent is told to execute.
enum StepSpecBuilder {
    static func spec(of run: RunLifecycle, at place: StepPlace, attempt: AttemptRow, agent: AgentRow) -> StepSpec {
        let job = run.plan.jobs[place.job]
        let step = job.steps[place.step]
        var environment = run.plan.environment(of: step, in: job)
        // What AnsFlow says wins over what a file says of the same name.
        environment.merge(run.plan.standardVariables) { _, own in own }
        environment.merge([
            "ANSFLOW_RUN_ID": String(run.row.id.rawValue),
            "ANSFLOW_RUN_NUMBER": String(run.row.number),
            "ANSFLOW_PROJECT": String(run.row.project.rawValue),
            "ANSFLOW_PIPELINE": run.row.pipelineName,
            "ANSFLOW_JOB": job.id,
            "ANSFLOW_STEP": step.id,
            "ANSFLOW_ATTEMPT": String(attempt.number),
            "ANSFLOW_AGENT": agent.name,
        ]) { _, own in own }
        return StepSpec(
            jobAttempt: attempt.jobAttempt, title: "\(run.row.pipelineName)/\(job.id)/\(step.id)",
            action: action(of: step, facts: run.plan.facts, commit: run.row.commit), environment: environment,
            timeoutMs: step.timeoutMs, graceMs: step.graceMs, logLimitBytes: step.logLimitBytes)
    }

    private static func action(of step: StepPlan, facts: RunFacts, commit: String) -> StepSpec.Action {
        switch step.action {
        case .run(let commands, let shell):
            return .run(commands: commands, shell: shell)
        case .checkout(let options):
            return .checkout(
                StepSpec.Checkout(
                    url: facts.repository?.url ?? "", ref: facts.ref ?? "", commit: commit, depth: options.depth,
                    submodules: options.submodules, lfs: options.lfs, clean: options.clean,
                    allowLocal: facts.repository?.allowLocal ?? false))
        // The compiler makes none of these yet.
        case .fetchArtifacts, .storeArtifacts: return .run(commands: ["false"], shell: .sh)
        }
    }
}
