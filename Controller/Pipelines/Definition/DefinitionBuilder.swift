import AnsFlowProtocol
import ControllerCore

/// From checked words to a definition: names, the graph and expressions are judged here.
struct DefinitionBuilder {
    var findings: Findings
    var inputs: [String: ExpressionType] = [:]
    /// All jobs of the file, also those whose content is wrong.
    var jobIDs: [String] = []
    var jobIDSet: Set<String> = []

    static func build(_ fields: SchemaFields, root: YamlNode, _ findings: inout Findings) -> PipelineDefinition {
        var builder = DefinitionBuilder(findings: findings)
        let definition = builder.pipeline(fields, root)
        findings = builder.findings
        return definition
    }

    private mutating func pipeline(_ fields: SchemaFields, _ root: YamlNode) -> PipelineDefinition {
        let inputs = (fields["inputs"]?.entries ?? []).compactMap { input($0) }
        checkVariableNames(inputs)
        self.inputs = Dictionary(inputs.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        var definition = PipelineDefinition(
            name: template(fields["name"]), environment: named(fields["env"], hasEnvironment: false), inputs: inputs,
            stepTimeoutMs: fields["defaults"]?.fields?["timeout"]?.amount, timeoutMs: fields["timeout"]?.amount,
            jobs: [])
        checkTop(fields, root)
        if fields.has("jobs") {
            jobIDs = fields["jobs"]?.node.keys ?? []
            jobIDSet = Set(jobIDs)
            for entry in fields["jobs"]?.entries ?? [] {
                guard let words = entry.value.fields else { continue }
                definition.jobs.append(job(entry.key, words, entry.keySpan, entry.value))
            }
            if let jobs = fields["jobs"], jobs.entries.isEmpty, case .mapping(let raw) = jobs.node.content, raw.isEmpty
            {
                findings.report(.invalidValue, "There are no jobs.", at: jobs.span, path: jobs.path)
            }
        } else if fields.has("steps") {
            let whole = SchemaValue(content: .object(fields), node: root, path: "")
            var words = fields
            // At the top these are the run's.
            for word in ["name", "env", "timeout", "needs"] { words.present[word] = nil }
            definition.jobs = [job("main", words, fields.present["steps"]?.keySpan ?? root.span, whole)]
        }
        checkSteps(definition)
        checkJobCycles(definition.jobs)
        return definition
    }

    private mutating func checkTop(_ fields: SchemaFields, _ root: YamlNode) {
        if fields.has("jobs") {
            for word in PipelineSchema.soleJobWords.intersection(fields.present.keys).sorted() {
                findings.report(
                    .conflict, "`\(word)` can't stand at the top beside `jobs`.",
                    at: fields.present[word]?.keySpan ?? root.span,
                    path: word, hint: "Move it into a job.")
            }
        } else if !fields.has("steps") {
            findings.report(
                .missingWord, "A pipeline needs `jobs`, or `steps` for a single job.", at: root.span)
        }
    }

    private mutating func checkSteps(_ definition: PipelineDefinition) {
        var count = 0
        for job in definition.jobs {
            count += job.steps.count
            if count > PlanLimits.stepsMax {
                findings.report(
                    .tooMany,
                    "The file has more than \(PlanLimits.stepsMax) steps; that is the most that a run may have.",
                    at: job.span, path: job.path)
                return
            }
        }
    }

    private mutating func checkJobCycles(_ jobs: [JobDefinition]) {
        let places = Dictionary(
            zip(jobs.map(\.id), jobs.indices), uniquingKeysWith: { first, _ in first })
        for cycle in Cycles.find(jobs.map { $0.needs.compactMap { places[$0.id] } }) {
            reportCycle(
                cycle.map { jobs[$0].id }, of: "jobs", need: need(jobs[cycle[cycle.count - 2]].needs, jobs[cycle[0]].id)
            )
        }
    }

    func need(_ needs: [NeedDefinition], _ id: String) -> NeedDefinition? { needs.first { $0.id == id } }

    mutating func reportCycle(_ ids: [String], of what: String, need: NeedDefinition?) {
        guard !findings.isFull else { return }
        var shown = ids.map { "`\($0)`" }
        if shown.count > 12 { shown.replaceSubrange(6..<(shown.count - 6), with: ["…"]) }
        findings.report(
            .cycle, "These \(what) need each other in a circle: \(shown.joined(separator: " needs ")).",
            at: need?.span ?? .start, path: need?.path ?? "", hint: "Remove one of these `needs`.")
    }

    mutating func needs(_ value: SchemaValue?) -> [NeedDefinition]? {
        guard let value else { return nil }
        var seen: Set<String> = []
        var needs: [NeedDefinition] = []
        for item in value.items {
            guard let id = item.literal else { continue }
            guard seen.insert(id).inserted else {
                findings.report(.duplicateNeed, "`\(id)` is needed twice.", at: item.span, path: item.path)
                continue
            }
            needs.append(NeedDefinition(id: id, span: item.span, path: item.path))
        }
        return needs
    }

    /// Reports needs that name nothing.
    mutating func checkNeeds(_ needs: [NeedDefinition], among known: [String], set: Set<String>, _ what: String) {
        for need in needs where !set.contains(need.id) {
            guard !findings.isFull else { return }
            let list = known.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
            findings.report(
                .unknownNeed, "There is no \(what) `\(need.id)`.", at: need.span, path: need.path,
                hint: Nearest.hint(need.id, among: known) ?? (known.isEmpty ? nil : "There are \(list)."))
        }
    }
}
