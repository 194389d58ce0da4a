import AnsFlowProtocol
import ControllerCore

extension DefinitionBuilder {
    mutating func job(
        _ id: String, _ fields: SchemaFields, _ span: SourceSpan, _ value: SchemaValue
    ) -> JobDefinition {
        var job = JobDefinition(id: id, span: span, path: value.path)
        var scope = ExpressionScope(place: .value, inputs: inputs)
        if let value = fields["matrix"] {
            job.matrix = matrix(value, id, scope)
            // Of a matrix that is wrong nothing is known: names of axes are then no further errors.
            scope.matrix = job.matrix?.types ?? Self.axes(of: value)
        }
        job.needs = needs(fields["needs"], "job", scope) ?? []
        checkNeeds(job.needs, among: jobIDs, set: jobIDSet, "job")
        scope.needs = job.needs.map(\.id)
        if let value = fields["approval"] { job.approval = approval(value, &scope) }
        job.name = template(fields["name"], scope)
        if let agents = fields["agents"] { job.agents = named(agents, scope) }
        job.environment = named(fields["env"], scope.at(.environment))
        scope.lateVariables = Set(job.environment.filter(\.value.isLate).map(\.name))
        job.timeoutMs = fields["timeout"]?.amount
        job.parallel = fields["parallel"]?.integer
        job.allowFailure = jobAllowance(fields["allow_failure"])
        job.checkout = checkout(fields["checkout"])
        job.logLimitBytes = fields["limits"]?.fields?["log"]?.amount
        job.retry = retry(fields["retry"], ofJob: true)
        job.concurrency = concurrency(fields["concurrency"], scope)
        job.priority = fields["priority"]?.integer
        job.deployment = template(fields["environment"], scope)
        job.secrets = secrets(fields["secrets"], beside: job.environment)
        artifacts(fields["artifacts"], of: &job, scope)
        job.condition = condition(fields, scope.at(.condition))
        guard let list = fields["steps"] else {
            // At the top, and where `steps` itself was wrong, that is already said.
            if !fields.has("steps") {
                findings.report(.missingWord, "A job needs `steps`.", at: span, path: value.path)
            }
            return job
        }
        if case .sequence(let nodes) = list.node.content, nodes.isEmpty {
            findings.report(.invalidValue, "A job needs at least one step.", at: list.span, path: list.path)
        }
        steps(list, fields["finally"], of: &job, scope)
        return job
    }

    /// The axes of a matrix that could not be read.
    private static func axes(of value: SchemaValue) -> [String: ExpressionType] {
        Dictionary(value.node.keys.map { ($0, .unknown) }) { first, _ in first }
    }

    private mutating func checkout(_ value: SchemaValue?) -> JobDefinition.Checkout {
        guard let value else { return .asDefault }
        if value.boolean == false { return .off }
        guard let fields = value.fields else { return .asDefault }
        var options = CheckoutOptions()
        if let depth = fields["depth"]?.integer { options.depth = depth }
        if let submodules = fields["submodules"]?.boolean { options.submodules = submodules }
        if let lfs = fields["lfs"]?.boolean { options.lfs = lfs }
        if let clean = fields["clean"]?.boolean { options.clean = clean }
        return .with(options)
    }

    private mutating func steps(
        _ list: SchemaValue, _ finally: SchemaValue?, of job: inout JobDefinition, _ scope: ExpressionScope
    ) {
        let items = list.items.filter { $0.fields != nil }
        var lines: [String: Int] = [:]
        let ids = stepIDs(items, job, "step", &lines)
        for (item, id) in zip(items, ids) {
            job.steps.append(step(id, item, job, scope))
        }
        // Few jobs have a step that names another, and only they need it.
        var order: StepOrder?
        let known = job.steps.map(\.id) + job.builtInBefore
        let set = Set(known)
        var inner = scope
        for (index, item) in items.enumerated() {
            checkNeeds(job.steps[index].needs ?? [], among: known, set: set, "step")
            var awaited: Set<String> = []
            if namesSteps(item) {
                let known = order ?? StepOrder(of: job.steps, builtIn: job.builtInBefore)
                awaited = known.awaited(by: index)
                order = known
            }
            inner.steps = ExpressionScope.Steps(all: known, awaited: awaited)
            finish(&job.steps[index], item, inner)
        }
        checkStepCycles(job)
        guard let finally else { return }
        let last = finally.items.filter { $0.fields != nil }
        inner.steps = ExpressionScope.Steps(all: known, awaited: set)
        for (item, id) in zip(last, stepIDs(last, job, "finally", &lines)) {
            var step = step(id, item, job, scope)
            finish(&step, item, inner)
            // Whatever happened: there is no implied `success()`.
            if let condition = step.condition, !condition.callsStatusFunction {
                step.condition = .all([.call(.always, []), condition])
            }
            job.finally.append(step)
        }
    }

    /// Whether `if` or `env` of a step name other steps, so that it must be known which have ended.
    private func namesSteps(_ item: SchemaValue) -> Bool {
        guard let fields = item.fields else { return false }
        if fields["if"]?.expression?.names(.steps) ?? false { return true }
        return (fields["env"]?.entries ?? []).contains { entry in
            entry.value.literal == nil
                && (entry.value.parts ?? []).contains { part in
                    if case .expression(let syntax) = part { syntax.names(.steps) } else { false }
                }
        }
    }

    private mutating func checkStepCycles(_ job: JobDefinition) {
        let steps = job.steps
        guard steps.contains(where: { $0.needs != nil }) else { return }
        let places = Dictionary(zip(steps.map(\.id), steps.indices), uniquingKeysWith: { first, _ in first })
        for cycle in Cycles.find(steps.map { ($0.needs ?? []).compactMap { places[$0.id] } }) {
            reportCycle(
                cycle.map { steps[$0].id }, of: "steps",
                need: need(steps[cycle[cycle.count - 2]].needs ?? [], steps[cycle[0]].id))
        }
    }

    /// The file's ids, and `step-<n>` by the place in the list where it gives none.
    ///
    /// - Parameter lines: of the ids that the job has.
    private mutating func stepIDs(
        _ items: [SchemaValue], _ job: JobDefinition, _ prefix: String, _ lines: inout [String: Int]
    ) -> [(text: String, isOwn: Bool)] {
        var ids: [String?] = []
        for item in items {
            guard let value = item.fields?["id"], let id = value.literal else {
                ids.append(nil)
                continue
            }
            if !SchemaKeys.id.accepts(id) {
                findings.report(
                    .invalidID, "`\(id)` is not allowed as an id.", at: value.span, path: value.path,
                    hint: "Ids follow \(SchemaKeys.id.pattern).")
            }
            if let line = lines[id] {
                findings.report(
                    .duplicateID, "The id `\(id)` is there twice in this job; the first is in line \(line).",
                    at: value.span, path: value.path)
            }
            let isCheckout = id == StepPlan.checkoutID && job.checkout != .off
            if isCheckout || id == StepPlan.fetchID || id == StepPlan.storeID {
                findings.report(
                    .reservedName, "`\(id)` is a built-in step.", at: value.span, path: value.path,
                    hint: isCheckout
                        ? "Take another id, or write `checkout: false` in the job." : "Take another id.")
            }
            lines[id] = lines[id] ?? value.span.line
            ids.append(id)
        }
        var made: [(text: String, isOwn: Bool)] = []
        for (index, id) in ids.enumerated() {
            if let id {
                made.append((id, true))
                continue
            }
            var text = "\(prefix)-\(index + 1)"
            while lines[text] != nil { text += "-x" }
            lines[text] = items[index].span.line
            made.append((text, false))
        }
        return made
    }

    /// A step without what needs the order of all steps: ``finish(_:_:_:)`` adds that.
    private mutating func step(
        _ id: (text: String, isOwn: Bool), _ value: SchemaValue, _ job: JobDefinition, _ scope: ExpressionScope
    ) -> StepDefinition {
        let fields = value.fields ?? SchemaFields()
        if let run = fields["run"], case .sequence(let nodes) = run.node.content, nodes.isEmpty {
            findings.report(.invalidValue, "There is no command.", at: run.span, path: run.path)
        }
        var step = StepDefinition(
            id: id.text, hasOwnID: id.isOwn, name: template(fields["name"], scope),
            needs: needs(fields["needs"], "step", scope.at(.facts)), condition: nil,
            commands: templates(fields["run"], scope.at(.command)), shell: shell(fields), span: value.span,
            path: value.path)
        step.timeoutMs = fields["timeout"]?.amount
        step.allowFailure = allowance(fields["allow_failure"])
        step.logLimitBytes = fields["limits"]?.fields?["log"]?.amount
        step.retry = retry(fields["retry"], ofJob: false)
        if let paths = fields["reports"]?.fields?["junit"] {
            step.reports = [ReportDefinition(kind: .junit, paths: templates(paths, scope))]
        }
        return step
    }

    private mutating func finish(_ step: inout StepDefinition, _ item: SchemaValue, _ scope: ExpressionScope) {
        guard let fields = item.fields else { return }
        step.environment = named(fields["env"], scope.at(.environment))
        step.condition = condition(fields, scope.at(.condition))
        step.secrets = secrets(fields["secrets"], beside: step.environment)
    }
}

extension JobDefinition {
    /// The built-in steps that may come before the first.
    var builtInBefore: [String] {
        (checkout == .off ? [] : [StepPlan.checkoutID]) + (fetched.isEmpty ? [] : [StepPlan.fetchID])
    }
}
