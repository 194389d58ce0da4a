import ControllerCore

/// From a definition and what starts a run to the run's plan: inputs are judged, texts filled in, edges written out.
struct DefinitionCompiler {
    let definition: PipelineDefinition
    let context: CompileContext
    var findings: Findings
    /// Sees facts and inputs; its environment is that of the place that is filled in.
    private var scope = ExpressionContext()
    private var hasRepository: Bool
    /// Bytes of all texts that were filled in.
    private var filledBytes = 0

    init(_ definition: PipelineDefinition, _ context: CompileContext, _ findings: Findings) {
        self.definition = definition
        self.context = context
        self.findings = findings
        hasRepository = context.repository != nil
    }

    /// The plan with nothing but defaults, for the graph.
    static func preview(_ definition: PipelineDefinition, hasRepository: Bool) -> RunPlan {
        var compiler = DefinitionCompiler(definition, CompileContext(), Findings(file: ""))
        compiler.hasRepository = hasRepository
        return compiler.compile()
    }

    mutating func compile() -> RunPlan {
        checkFacts()
        scope.facts = context.facts
        let inputs = inputs()
        for input in inputs { scope.inputs[input.name] = input.value?.expressionValue }
        var plan = RunPlan(name: context.pipelineName, inputs: inputs, jobs: [], facts: context.facts)
        plan.environment = values(definition.environment)
        scope.environment = plan.environment
        if let name = definition.name { plan.name = shortened(fill(name)) }
        if let timeout = definition.timeoutMs { plan.timeoutMs = timeout }
        let sizes = StepSpecSize(fixed: StepSpecSize.bytes(plan.standardVariables), environment: plan.environment)
        for job in definition.jobs { plan.jobs.append(self.job(job, plan, sizes)) }
        return plan
    }

    private mutating func job(_ job: JobDefinition, _ run: RunPlan, _ runSizes: StepSpecSize) -> JobPlan {
        scope.environment = run.environment
        let environment = values(job.environment)
        let whole = run.environment.merging(environment) { _, inner in inner }
        scope.environment = whole
        var plan = JobPlan(id: job.id, needs: job.needs.map { NeedPlan($0.id) }, condition: job.condition, steps: [])
        plan.environment = environment
        if let name = job.name { plan.name = shortened(fill(name)) }
        plan.agentLabels = labels(job.agents)
        plan.allowFailure = FailureAllowance(booleanLiteral: job.allowFailure)
        if let timeout = job.timeoutMs { plan.timeoutMs = timeout }
        if let parallel = job.parallel { plan.parallel = parallel }
        plan.checkout = checkout(job)
        warnAboutTimeouts(job, plan.timeoutMs)
        let edges = StepOrder.edges(of: job.steps, checkout: plan.checkout != nil)
        if let options = plan.checkout {
            plan.steps.append(
                StepPlan(
                    id: StepPlan.checkoutID, name: "Checkout", action: .checkout(options),
                    timeoutMs: min(PlanLimits.stepTimeoutMsDefault, plan.timeoutMs)))
        }
        let sizes = runSizes.inside(environment, merged: whole)
        for (step, needs) in zip(job.steps, edges) {
            plan.steps.append(self.step(step, needs, job, plan, whole, sizes))
        }
        return plan
    }

    private mutating func step(
        _ step: StepDefinition, _ needs: [String], _ job: JobDefinition, _ jobPlan: JobPlan, _ outer: [String: String],
        _ sizes: StepSpecSize
    ) -> StepPlan {
        scope.environment = outer
        let environment = values(step.environment)
        if !environment.isEmpty { scope.environment.merge(environment) { _, inner in inner } }
        let commands = step.commands.map { fill($0) }
        checkSize(step, commands, environment, sizes)
        return StepPlan(
            id: step.id, name: name(step, commands), needs: needs.map { NeedPlan($0) }, condition: step.condition,
            action: .run(commands: commands, shell: step.shell), environment: environment,
            timeoutMs: step.timeoutMs ?? definition.stepTimeoutMs
                ?? min(PlanLimits.stepTimeoutMsDefault, jobPlan.timeoutMs),
            allowFailure: FailureAllowance(booleanLiteral: step.allowFailure),
            logLimitBytes: step.logLimitBytes ?? job.logLimitBytes ?? PlanLimits.logBytesDefault)
    }

    private mutating func checkSize(
        _ step: StepDefinition, _ commands: [String], _ environment: [String: String], _ sizes: StepSpecSize
    ) {
        for (command, template) in zip(commands, step.commands) where command.utf8.count > PlanLimits.commandBytesMax {
            findings.report(
                .tooLong,
                "The command has \(command.utf8.count) bytes; at most \(PlanLimits.commandBytesMax) are allowed.",
                at: template.span, path: template.path)
        }
        let bytes = sizes.bytes(commands: commands, environment: environment)
        let limit = PlanLimits.stepSpecBytesMax - PlanLimits.stepSpecReserveBytes
        guard bytes > limit else { return }
        findings.report(
            .specTooLarge,
            "Commands, variables and inputs of this step have \(bytes) bytes together; at most \(limit) are allowed.",
            at: step.span, path: step.path, hint: "Put large texts into files of the repository.")
    }

    /// The file's name, else the id, else the beginning of the command.
    private mutating func name(_ step: StepDefinition, _ commands: [String]) -> String {
        if let name = step.name { return shortened(fill(name)) }
        if step.hasOwnID { return step.id }
        let lines = (commands.first ?? "").split(whereSeparator: \.isNewline)
        let line = lines.first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        return line.isEmpty ? step.id : line.count > 60 ? "\(line.prefix(59))…" : String(line)
    }

    private func shortened(_ name: String) -> String {
        guard name.utf8.count > PlanLimits.nameBytesMax else { return name }
        var short = name.prefix(PlanLimits.nameBytesMax)
        while short.utf8.count > PlanLimits.nameBytesMax - 3 { short.removeLast() }
        return short + "…"
    }

    /// Fills a text in. Few bytes of a file can ask for many of a plan, so there is a limit on all together.
    private mutating func fill(_ template: Template) -> String {
        guard filledBytes <= PlanLimits.planBytesMax else { return "" }
        let text = template.render(in: scope, limit: PlanLimits.stepSpecBytesMax + 1)
        filledBytes += text.utf8.count
        if filledBytes > PlanLimits.planBytesMax {
            findings.report(
                .specTooLarge, "The texts of this run have more than \(PlanLimits.planBytesMax) bytes together.",
                at: template.span, path: template.path, hint: "Put large texts into files of the repository.")
        }
        return text
    }

    private mutating func values(_ entries: [NamedTemplate]) -> [String: String] {
        var values: [String: String] = [:]
        for entry in entries { values[entry.name] = fill(entry.value) }
        return values
    }

    private mutating func labels(_ entries: [NamedTemplate]) -> [String: String] {
        let labels = values(entries)
        for entry in entries {
            let bytes = labels[entry.name]?.utf8.count ?? 0
            guard bytes == 0 || bytes > PlanLimits.labelBytesMax else { continue }
            findings.report(
                .invalidValue,
                "The label `\(entry.name)` is \(bytes == 0 ? "empty" : "longer than \(PlanLimits.labelBytesMax) bytes") "
                    + "in this run.", at: entry.value.span, path: entry.value.path)
        }
        return labels
    }

    private mutating func checkout(_ job: JobDefinition) -> CheckoutOptions? {
        switch job.checkout {
        case .off:
            return nil
        case .asDefault:
            return hasRepository ? CheckoutOptions() : nil
        case .with(let options):
            if hasRepository { return options }
            findings.report(
                .noRepository, "This pipeline has no repository, so nothing is checked out.", at: job.span,
                path: job.path, hint: "Create the pipeline with a repository, or remove `checkout`.", severity: .warning
            )
            return nil
        }
    }

    private mutating func warnAboutTimeouts(_ job: JobDefinition, _ jobTimeoutMs: UInt64) {
        for step in job.steps {
            guard let timeout = step.timeoutMs, timeout > jobTimeoutMs else { continue }
            findings.report(
                .timeoutUnreachable,
                "The step may take \(Amount.durationText(timeout)), but its job only "
                    + "\(Amount.durationText(jobTimeoutMs)).", at: step.span, path: step.path,
                hint: "Give the job a longer `timeout`.", severity: .warning)
        }
    }
}
