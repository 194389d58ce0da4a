import AnsFlowProtocol
import ControllerCore

/// From a definition and what starts a run to the run's plan: inputs are judged, texts filled in, cells and edges written out.
struct DefinitionCompiler {
    let definition: PipelineDefinition
    let context: CompileContext
    var findings: Findings
    /// Sees facts, inputs and the cell's values; its environment is that of the place that is filled in.
    var scope = ExpressionContext()
    private(set) var hasRepository: Bool
    private let index: JobIndex
    /// Bytes of all texts that were filled in.
    private var filledBytes = 0

    init(_ definition: PipelineDefinition, _ context: CompileContext, _ findings: Findings) {
        self.definition = definition
        self.context = context
        self.findings = findings
        hasRepository = context.repository != nil
        index = JobIndex(definition.jobs)
    }

    /// The plan with nothing but defaults, for the graph.
    static func preview(_ definition: PipelineDefinition, hasRepository: Bool) -> RunPlan {
        var compiler = DefinitionCompiler(definition, CompileContext(isDraft: true), Findings(file: ""))
        compiler.hasRepository = hasRepository
        return compiler.compile()
    }

    mutating func compile() -> RunPlan {
        checkFacts()
        scope.facts = context.facts
        let inputs = inputs()
        for input in inputs { scope.inputs[input.name] = input.value?.expressionValue }
        var plan = RunPlan(name: context.pipelineName, inputs: inputs, jobs: [], facts: scope.facts)
        plan.environment = context.variables.merging(values(definition.environment)) { _, file in file }
        scope.environment = plan.environment
        if let name = definition.name { plan.name = shortened(fill(name)) }
        if let timeout = definition.timeoutMs { plan.timeoutMs = timeout }
        plan.concurrency = concurrency(definition.concurrency)
        if !definition.notify.isEmpty { plan.notify = definition.notify }
        let sizes = StepSpecSize(fixed: StepSpecSize.bytes(plan.standardVariables), environment: plan.environment)
        for job in definition.jobs {
            for cell in job.cells { plan.jobs.append(self.job(job, cell, plan.environment, sizes)) }
        }
        return plan
    }

    private mutating func job(
        _ job: JobDefinition, _ cell: MatrixDefinition.Cell?, _ run: [String: String], _ runSizes: StepSpecSize
    ) -> JobPlan {
        scope.environment = run
        scope.matrix = cell.map(JobIndex.values) ?? [:]
        let (environment, late) = variables(job.environment + (cell?.environment ?? []))
        let whole = environment.isEmpty ? run : run.merging(environment) { _, inner in inner }
        scope.environment = whole
        var plan = JobPlan(
            id: job.id + (cell?.suffix ?? ""), group: job.id, matrix: cell?.values ?? [], condition: job.condition,
            environment: environment, lateEnvironment: late, steps: [])
        plan.needs = edges(job, cell)
        count(plan.needs.reduce(job.condition?.textBytes ?? 0) { $0 + $1.id.utf8.count }, job.span, job.path)
        plan.name = job.name.map { shortened(fill($0)) } ?? shortened(plan.id)
        plan.agentLabels = labels((job.agents ?? definition.defaults.agents ?? []) + (cell?.agents ?? []))
        plan.allowFailure = cell?.allowFailure ?? job.allowFailure ? .always : .never
        if let timeout = cell?.timeoutMs ?? job.timeoutMs { plan.timeoutMs = timeout }
        if let parallel = job.parallel { plan.parallel = parallel }
        plan.priority = cell?.priority ?? job.priority ?? definition.priority ?? 0
        plan.retry = job.retry
        plan.concurrency = concurrency(job.concurrency)
        plan.approval = approval(job.approval)
        count(plan.approval?.inputs.reduce(0) { $0 + $1.textBytes } ?? 0, job.span, job.path)
        plan.deployment = deployment(job.deployment)
        plan.checkout = checkout(job)
        warnAboutTimeouts(job, plan.timeoutMs)
        let variables = cell.map { StepSpecSize.bytes(of: $0.values) } ?? 0
        steps(job, cell, &plan, whole, runSizes.inside(environment, more: variables, merged: whole))
        return plan
    }

    /// All steps in the order in which they are shown.
    private mutating func steps(
        _ job: JobDefinition, _ cell: MatrixDefinition.Cell?, _ plan: inout JobPlan, _ outer: [String: String],
        _ sizes: StepSpecSize
    ) {
        let sources = fetched(job, cell)
        var builtIn: [String] = []
        if let options = plan.checkout {
            plan.steps.append(builtInStep(StepPlan.checkoutID, "Checkout", .checkout(options), plan))
            builtIn.append(StepPlan.checkoutID)
        }
        if !sources.isEmpty {
            var step = builtInStep(StepPlan.fetchID, "Fetch artifacts", .fetchArtifacts(sources), plan)
            // A checkout removes what git does not know.
            step.needs = builtIn.map { NeedPlan($0) }
            plan.steps.append(step)
            builtIn.append(StepPlan.fetchID)
        }
        for (step, needs) in zip(job.steps, StepOrder.edges(of: job.steps, builtIn: builtIn)) {
            var step = self.step(step, job, plan, outer, sizes)
            step.needs = needs
            plan.steps.append(step)
        }
        let (rules, reports) = (kept(job), reports(job))
        if !rules.isEmpty || !reports.isEmpty {
            var step = builtInStep(
                StepPlan.storeID, "Store artifacts", .storeArtifacts(rules, reports: reports), plan)
            step.stage = .collect
            plan.steps.append(step)
        }
        for definition in job.finally {
            var step = self.step(definition, job, plan, outer, sizes)
            step.stage = .finally
            if definition.timeoutMs == nil { step.timeoutMs = PlanLimits.finallyTimeoutMsDefault }
            plan.steps.append(step)
        }
    }

    private func builtInStep(_ id: String, _ name: String, _ action: StepPlan.Action, _ job: JobPlan) -> StepPlan {
        StepPlan(
            id: id, name: name, action: action, timeoutMs: min(PlanLimits.stepTimeoutMsDefault, job.timeoutMs))
    }

    private mutating func step(
        _ step: StepDefinition, _ job: JobDefinition, _ jobPlan: JobPlan, _ outer: [String: String],
        _ sizes: StepSpecSize
    ) -> StepPlan {
        scope.environment = outer
        var (environment, late) = variables(step.environment)
        if !environment.isEmpty { scope.environment.merge(environment) { _, inner in inner } }
        // The step's own value goes over one of the job that is filled in later.
        for (name, value) in environment where jobPlan.lateEnvironment[name] != nil {
            late[name] = PlanText(parts: [.text(value)])
        }
        let commands = step.commands.map { fill($0) }
        if let condition = step.condition { count(condition.textBytes, step.span, step.path) }
        checkSize(step, commands, environment, sizes)
        return StepPlan(
            id: step.id, name: name(step, commands), condition: step.condition,
            action: .run(commands: commands, shell: step.shell ?? definition.defaults.shell ?? .sh),
            environment: environment, lateEnvironment: late,
            secrets: secrets(of: step, in: job, environment),
            timeoutMs: step.timeoutMs ?? definition.defaults.stepTimeoutMs
                ?? min(PlanLimits.stepTimeoutMsDefault, jobPlan.timeoutMs), allowFailure: step.allowFailure,
            retry: step.retry, logLimitBytes: step.logLimitBytes ?? job.logLimitBytes ?? PlanLimits.logBytesDefault)
    }

    /// A variable of the step's own goes over a secret of its job.
    private func secrets(
        of step: StepDefinition, in job: JobDefinition, _ environment: [String: String]
    ) -> [String: String] {
        guard !job.secrets.isEmpty else { return step.secrets }
        return job.secrets.filter { environment[$0.key] == nil }.merging(step.secrets) { _, own in own }
    }

    /// The edges to other jobs. An optional need of what does not exist leaves none.
    private func edges(_ job: JobDefinition, _ cell: MatrixDefinition.Cell?) -> [NeedPlan] {
        var edges: [NeedPlan] = []
        var places: [String: Int] = [:]
        for need in job.needs {
            for id in index.find(need, for: cell) {
                guard let place = places[id] else {
                    places[id] = edges.count
                    edges.append(NeedPlan(id, allowFailure: need.allowFailure))
                    continue
                }
                // Named twice, as a whole and as a cell: the stricter wins.
                if !need.allowFailure { edges[place].allowFailure = false }
            }
        }
        return edges
    }

    private mutating func fetched(_ job: JobDefinition, _ cell: MatrixDefinition.Cell?) -> [ArtifactSource] {
        job.fetched.compactMap { source in
            var jobs: [String] = []
            for need in source.jobs {
                for id in index.find(need, for: cell) where !jobs.contains(id) { jobs.append(id) }
            }
            let into = source.into.map { path($0, isPattern: false) } ?? ""
            let paths = source.paths.map { path($0, isPattern: true) }
            return jobs.isEmpty ? nil : ArtifactSource(jobs: jobs, paths: paths, into: into)
        }
    }

    private mutating func kept(_ job: JobDefinition) -> [ArtifactRule] {
        job.kept.map { rule in
            ArtifactRule(
                paths: rule.paths.map { path($0, isPattern: true) }, keepMs: rule.keepMs, when: rule.when,
                optional: rule.optional)
        }
    }

    private mutating func reports(_ job: JobDefinition) -> [ReportRule] {
        var rules: [ReportRule] = []
        for step in job.steps {
            for report in step.reports {
                rules.append(
                    ReportRule(
                        kind: report.kind, paths: report.paths.map { path($0, isPattern: true) }, step: step.id))
            }
        }
        return rules
    }

    /// Fills a text in. Few bytes of a file can ask for many of a plan, so there is a limit on all together.
    mutating func fill(_ template: Template) -> String {
        guard filledBytes <= PlanLimits.planBytesMax else { return "" }
        let text = template.literal ?? template.render(in: scope, limit: PlanLimits.stepSpecBytesMax + 1)
        count(text.utf8.count, template.span, template.path)
        return text
    }

    private mutating func count(_ bytes: Int, _ span: SourceSpan, _ path: DocumentPath) {
        filledBytes += bytes
        guard filledBytes > PlanLimits.planBytesMax else { return }
        findings.report(
            .specTooLarge, "The texts of this run have more than \(PlanLimits.planBytesMax) bytes together.", at: span,
            path: path, hint: "Put large texts into files of the repository.")
    }

    mutating func values(_ entries: [NamedTemplate]) -> [String: String] {
        var values: [String: String] = [:]
        for entry in entries { values[entry.name] = fill(entry.value) }
        return values
    }

    /// Those that are known now, and those that are filled in when the job or the step starts.
    private mutating func variables(
        _ entries: [NamedTemplate]
    ) -> (environment: [String: String], late: [String: PlanText]) {
        var environment: [String: String] = [:]
        var late: [String: PlanText] = [:]
        for entry in entries {
            environment[entry.name] = nil
            late[entry.name] = nil
            if entry.value.isLate {
                guard filledBytes <= PlanLimits.planBytesMax else { continue }
                let text = entry.value.late(in: scope)
                late[entry.name] = text
                count(text.textBytes, entry.value.span, entry.value.path)
            } else {
                environment[entry.name] = fill(entry.value)
            }
        }
        return (environment, late)
    }
}

// How much a plan has to keep, so that few bytes of a file can't ask for many.
extension Expression {
    fileprivate var textBytes: Int {
        if case .literal(.text(let text)) = self { return text.utf8.count + 16 }
        return children.reduce(16) { $0 + $1.textBytes }
    }
}

extension PlanText {
    fileprivate var textBytes: Int {
        parts.reduce(0) { total, part in
            switch part {
            case .text(let text): total + text.utf8.count
            case .expression(let expression): total + expression.textBytes
            }
        }
    }
}

extension InputPlan {
    fileprivate var textBytes: Int {
        options.reduce((description ?? "").utf8.count + (defaultValue?.variable ?? "").utf8.count) {
            $0 + $1.utf8.count
        }
    }
}
