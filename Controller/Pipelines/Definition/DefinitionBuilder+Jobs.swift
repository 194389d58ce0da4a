import AnsFlowProtocol
import ControllerCore

extension DefinitionBuilder {
    mutating func job(
        _ id: String, _ fields: SchemaFields, _ span: SourceSpan, _ value: SchemaValue
    ) -> JobDefinition {
        let needs = needs(fields["needs"]) ?? []
        checkNeeds(needs, among: jobIDs, set: jobIDSet, "job")
        var job = JobDefinition(
            id: id, name: template(fields["name"]), needs: needs, condition: nil, agents: named(fields["agents"]),
            timeoutMs: fields["timeout"]?.amount, parallel: fields["parallel"]?.integer,
            allowFailure: fields["allow_failure"]?.boolean ?? false, environment: named(fields["env"]),
            checkout: checkout(fields["checkout"]), logLimitBytes: fields["limits"]?.fields?["log"]?.amount, steps: [],
            span: span, path: value.path)
        let scope = ExpressionScope(place: .condition, inputs: inputs, needs: needs.map(\.id))
        job.condition = condition(fields["if"], scope)
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
        steps(list, of: &job)
        return job
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

    private mutating func steps(_ list: SchemaValue, of job: inout JobDefinition) {
        let items = list.items
        let ids = stepIDs(items, job)
        for (item, id) in zip(items, ids) {
            guard let fields = item.fields else { continue }
            job.steps.append(step(id.text, fields, item, hasOwnID: id.isOwn))
        }
        let order = StepOrder(of: job.steps, checkout: job.checkout != .off)
        var known = job.steps.map(\.id)
        if job.checkout != .off { known.append(StepPlan.checkoutID) }
        let set = Set(known)
        for (index, item) in items.enumerated() {
            checkNeeds(job.steps[index].needs ?? [], among: known, set: set, "step")
            guard let fields = item.fields, let value = fields["if"] else { continue }
            var scope = ExpressionScope(place: .condition, inputs: inputs, needs: job.needs.map(\.id))
            let namesSteps = value.expression?.names(.steps) ?? false
            scope.steps = ExpressionScope.Steps(all: known, awaited: namesSteps ? order.awaited(by: index) : [])
            job.steps[index].condition = condition(value, scope)
        }
        checkStepCycles(job)
    }

    private mutating func checkStepCycles(_ job: JobDefinition) {
        let steps = job.steps
        let places = Dictionary(zip(steps.map(\.id), steps.indices), uniquingKeysWith: { first, _ in first })
        for cycle in Cycles.find(steps.map { ($0.needs ?? []).compactMap { places[$0.id] } }) {
            reportCycle(
                cycle.map { steps[$0].id }, of: "steps",
                need: need(steps[cycle[cycle.count - 2]].needs ?? [], steps[cycle[0]].id))
        }
    }

    /// The file's ids, and `step-<n>` by the place in the list where it gives none.
    private mutating func stepIDs(_ items: [SchemaValue], _ job: JobDefinition) -> [(text: String, isOwn: Bool)] {
        var lines: [String: Int] = [:]
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
            if id == StepPlan.checkoutID, job.checkout != .off {
                findings.report(
                    .reservedName, "`\(id)` is the built-in step that checks the repository out.", at: value.span,
                    path: value.path, hint: "Take another id, or write `checkout: false` in the job.")
            }
            lines[id] = lines[id] ?? value.span.line
            ids.append(id)
        }
        var taken = Set(lines.keys)
        return ids.enumerated().map { index, id in
            if let id { return (id, true) }
            var made = "step-\(index + 1)"
            while !taken.insert(made).inserted { made += "-x" }
            return (made, false)
        }
    }

    private mutating func step(
        _ id: String, _ fields: SchemaFields, _ value: SchemaValue, hasOwnID: Bool
    ) -> StepDefinition {
        let commands = fields["run"]?.items ?? []
        if let run = fields["run"], case .sequence(let nodes) = run.node.content, nodes.isEmpty {
            findings.report(.invalidValue, "There is no command.", at: run.span, path: run.path)
        }
        let scope = ExpressionScope(place: .command, inputs: inputs)
        return StepDefinition(
            id: id, hasOwnID: hasOwnID, name: template(fields["name"]), needs: needs(fields["needs"]), condition: nil,
            commands: commands.compactMap { checked($0, scope) },
            shell: fields["shell"]?.literal.flatMap(StepSpec.Shell.init(rawValue:)) ?? .sh,
            environment: named(fields["env"]), timeoutMs: fields["timeout"]?.amount,
            allowFailure: fields["allow_failure"]?.boolean ?? false,
            logLimitBytes: fields["limits"]?.fields?["log"]?.amount, span: value.span, path: value.path)
    }
}
