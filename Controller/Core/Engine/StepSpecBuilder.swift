import AnsFlowProtocol

/// Makes what an agent is told to execute.
enum StepSpecBuilder {
    /// Why a step can't be started with the values that it has now; a sentence.
    struct Fault: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// The same rows give the same specification, so that a START can be said again.
    static func spec(
        of run: RunLifecycle, at place: StepPlace, attempt: AttemptRow, agent: AgentRow, publicURL: String?
    ) -> Result<StepSpec, Fault> {
        let job = run.plan.jobs[place.job]
        let step = job.steps[place.step]
        var environment: [String: String]
        switch fileVariables(of: run, at: place) {
        case .failure(let fault): return .failure(fault)
        case .success(let variables): environment = variables
        }
        // What AnsFlow says wins over what a file says of the same name.
        environment.merge(run.plan.standardVariables) { _, own in own }
        for (name, value) in run.jobs[place.job].givenInputs {
            environment[InputPlan.variableName(name)] = value.variable
        }
        for value in job.matrix { environment[value.variableName] = value.value.variable }
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
        if let url = publicURL { environment["ANSFLOW_RUN_URL"] = "\(url)/api/v1/pipeline-runs/\(run.row.id.rawValue)" }
        if let deployment = job.deployment { environment["ANSFLOW_ENVIRONMENT"] = deployment }
        if step.stage == .finally { environment["ANSFLOW_JOB_RESULT"] = run.work(of: place.job).outcome.rawValue }
        let spec = StepSpec(
            jobAttempt: attempt.jobAttempt, title: "\(run.row.pipelineName)/\(job.id)/\(step.id)",
            action: action(of: step, in: run, job: place.job), environment: environment, timeoutMs: step.timeoutMs,
            graceMs: step.graceMs, logLimitBytes: step.logLimitBytes)
        let bytes = SpecSize.bytes(of: spec)
        guard bytes <= PlanLimits.stepSpecBytesMax else {
            return .failure(
                Fault(
                    description:
                        "commands and variables of this step have \(bytes) bytes together with the values that are only "
                        + "known now; at most \(PlanLimits.stepSpecBytesMax) are allowed. Hand large texts on as artifacts."
                ))
        }
        return .success(spec)
    }

    /// What the file gives: the run's, over it the job's, over it the step's; what is only known now over what was known before.
    private static func fileVariables(of run: RunLifecycle, at place: StepPlace) -> Result<[String: String], Fault> {
        let job = run.plan.jobs[place.job]
        let step = job.steps[place.step]
        guard !job.lateEnvironment.isEmpty || !step.lateEnvironment.isEmpty else {
            return .success(run.plan.environment(of: step, in: job))
        }
        let texts = Array(job.lateEnvironment.values) + Array(step.lateEnvironment.values)
        let expressions = texts.flatMap(\.parts).compactMap { part in
            if case .expression(let expression) = part { expression } else { nil }
        }
        let context = run.context(job: place.job, step: place.step, needed: Needed(), seeing: expressions)
        var environment = run.plan.environment(of: nil, in: job)
        for (late, own) in [(job.lateEnvironment, [:]), (step.lateEnvironment, step.environment)] {
            environment.merge(own) { _, inner in inner }
            for (name, text) in late.sorted(by: { $0.key < $1.key }) {
                let value = text.filled(in: context)
                guard value.utf8.count <= PlanLimits.outputBytesMax else {
                    return .failure(
                        Fault(
                            description:
                                "the variable \(name) has more than \(PlanLimits.outputBytesMax) bytes with the values that "
                                + "are only known now. Hand large texts on as artifacts."))
                }
                guard !value.utf8.contains(0) else {
                    return .failure(Fault(description: "the variable \(name) would hold a NUL character."))
                }
                environment[name] = value
            }
        }
        return .success(environment)
    }

    private static func action(of step: StepPlan, in run: RunLifecycle, job: Int) -> StepSpec.Action {
        let facts = run.plan.facts
        switch step.action {
        case .run(let commands, let shell):
            return .run(commands: commands, shell: shell)
        case .checkout(let options):
            return .checkout(
                StepSpec.Checkout(
                    url: facts.repository?.url ?? "", ref: facts.ref ?? "", commit: run.row.commit,
                    depth: options.depth, submodules: options.submodules, lfs: options.lfs, clean: options.clean,
                    allowLocal: facts.repository?.allowLocal ?? false))
        case .fetchArtifacts(let sources):
            return .fetchArtifacts(
                StepSpec.FetchArtifacts(
                    sources: sources.map { .init(jobs: $0.jobs, paths: $0.paths, into: $0.into) }))
        case .storeArtifacts(let rules, let reports):
            // Which rules hold is decided here, where the job's result is known.
            let outcome = run.work(of: job).outcome
            return .storeArtifacts(
                StepSpec.StoreArtifacts(
                    rules: rules.filter { $0.when.applies(to: outcome) }.map {
                        .init(paths: $0.paths, keepMs: $0.keepMs, optional: $0.optional)
                    }, reports: reports.map { .init(step: $0.step, paths: $0.paths) }))
        }
    }
}

/// How many bytes a step's specification has on its way to the agent, at most.
enum SpecSize {
    static func bytes(of spec: StepSpec) -> Int {
        var total = 512 + json(spec.title)
        for (name, value) in spec.environment { total += json(name) + json(value) }
        if case .run(let commands, _) = spec.action { total += commands.reduce(0) { $0 + json($1) } }
        return total
    }

    /// A JSON text with quotes and a separator, at its longest: encoders may escape slashes too.
    private static func json(_ text: String) -> Int {
        text.utf8.reduce(3) { total, byte in
            switch byte {
            case 8, 9, 10, 12, 13, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): total + 2
            case 0..<32: total + 6
            default: total + 1
            }
        }
    }
}
