import AnsFlowProtocol
import ControllerCore

/// From checked words to a definition: names, the graph and expressions are judged here.
struct DefinitionBuilder {
    /// A file whose words were checked.
    struct Document {
        var fields: SchemaFields
        var root: YamlNode
    }

    var findings: Findings
    var inputs: [String: ExpressionType] = [:]
    /// All jobs of the files, also those whose content is wrong.
    var jobIDs: [String] = []
    var jobIDSet: Set<String> = []
    /// Combinations of all matrices, whatever becomes of them.
    var combinationCount = 0

    /// - Parameter documents: the pipeline's own file, and behind it those that it includes.
    static func build(_ documents: [Document], _ findings: inout Findings) -> PipelineDefinition {
        var builder = DefinitionBuilder(findings: findings)
        let definition = builder.pipeline(documents)
        findings = builder.findings
        return definition
    }

    private mutating func pipeline(_ documents: [Document]) -> PipelineDefinition {
        let fields = documents[0].fields
        let inputs = merged(documents, "inputs", "input").compactMap { input($0) }
        checkVariableNames(inputs)
        self.inputs = Dictionary(inputs.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        var scope = ExpressionScope(place: .value, inputs: self.inputs)
        scope.hasEnvironment = false
        var definition = PipelineDefinition(
            name: template(fields["name"], scope.withEnvironment), environment: environment(documents, scope),
            inputs: inputs, timeoutMs: fields["timeout"]?.amount, priority: fields["priority"]?.integer, jobs: [])
        scope.hasEnvironment = true
        definition.defaults = defaults(documents, scope)
        definition.concurrency = concurrency(fields["concurrency"], scope)
        definition.hasTriggers = fields.has("on")
        if let value = fields["on"] { definition.triggers = triggers(value) }
        definition.includes = Self.includes(of: fields).map(\.path)
        definition.notify = Self.notify(fields)
        checkTop(fields, documents[0].root)
        let jobs = merged(documents, "jobs", "job")
        if documents.contains(where: { $0.fields.has("jobs") }) {
            jobIDs = documents.flatMap { $0.fields["jobs"]?.node.keys ?? [] }
            jobIDSet = Set(jobIDs)
            for entry in jobs {
                guard let words = entry.value.fields else { continue }
                definition.jobs.append(job(entry.key, words, entry.keySpan, entry.value))
            }
            for document in documents {
                guard let jobs = document.fields["jobs"], case .mapping(let raw) = jobs.node.content, raw.isEmpty else {
                    continue
                }
                findings.report(.invalidValue, "There are no jobs.", at: jobs.span, path: jobs.path)
            }
        } else if fields.has("steps") {
            let whole = SchemaValue(content: .object(fields), node: documents[0].root, path: DocumentPath())
            var words = fields
            // At the top these are the run's.
            let ofTheRun = ["name", "env", "timeout", "needs", "concurrency", "priority"]
            words.present.removeAll { ofTheRun.contains($0.word) }
            definition.jobs = [
                job("main", words, fields.keySpan("steps") ?? documents[0].root.span, whole)
            ]
        }
        checkJobCycles(definition.jobs)
        checkFetches(definition.jobs)
        if checkSteps(definition) { checkCells(definition.jobs) }
        return definition
    }

    /// The paths of `include`, with their places.
    static func includes(of fields: SchemaFields) -> [(path: String, span: SourceSpan, place: DocumentPath)] {
        (fields["include"]?.items ?? []).compactMap { item in
            (item.fields?["local"] ?? item).literal.map { ($0, item.span, item.path) }
        }
    }

    /// The entries of a word in all files. A name that two files have is an error.
    private mutating func merged(_ documents: [Document], _ word: String, _ what: String) -> [SchemaValue.Entry] {
        var spans: [String: SourceSpan] = [:]
        var entries: [SchemaValue.Entry] = []
        for document in documents {
            for entry in document.fields[word]?.entries ?? [] {
                if let first = spans[entry.key] {
                    findings.report(
                        .duplicateID,
                        "The \(what) `\(entry.key)` is in `\(findings.files[first.file])` too, in line \(first.line).",
                        at: entry.keySpan, path: entry.value.path, hint: "Rename one of them.")
                    continue
                }
                spans[entry.key] = entry.keySpan
                entries.append(entry)
            }
        }
        return entries
    }

    /// Variables of the pipeline's own file win over those of included ones, and later includes over earlier ones.
    private mutating func environment(_ documents: [Document], _ scope: ExpressionScope) -> [NamedTemplate] {
        let order = documents.dropFirst() + documents.prefix(1)
        var seen: Set<String> = []
        let all = order.flatMap { named($0.fields["env"], scope) }
        return all.reversed().filter { seen.insert($0.name).inserted }.reversed()
    }

    private mutating func defaults(_ documents: [Document], _ scope: ExpressionScope) -> PipelineDefinition.Defaults {
        var defaults = PipelineDefinition.Defaults()
        for document in documents {
            guard let fields = document.fields["defaults"]?.fields else { continue }
            if defaults.stepTimeoutMs == nil { defaults.stepTimeoutMs = fields["timeout"]?.amount }
            if defaults.shell == nil { defaults.shell = shell(fields) }
            if let agents = fields["agents"], defaults.agents == nil { defaults.agents = named(agents, scope) }
        }
        return defaults
    }

    private mutating func checkTop(_ fields: SchemaFields, _ root: YamlNode) {
        if fields.has("jobs") {
            for word in PipelineSchema.soleJobWords.intersection(fields.present.map(\.word)).sorted() {
                findings.report(
                    .conflict, "`\(word)` can't stand at the top beside `jobs`.",
                    at: fields.keySpan(word) ?? root.span,
                    path: word, hint: "Move it into a job.")
            }
        } else if !fields.has("steps"), !fields.has("include") {
            findings.report(
                .missingWord, "A pipeline needs `jobs`, or `steps` for a single job.", at: root.span)
        }
    }

    /// Whether there are not too many.
    private mutating func checkSteps(_ definition: PipelineDefinition) -> Bool {
        var count = 0
        for job in definition.jobs {
            count += (job.steps.count + job.finally.count) * job.cells.count
            if count > PlanLimits.stepsMax {
                findings.report(
                    .tooMany,
                    "The run would have more than \(PlanLimits.stepsMax) steps, all cells counted; that is the most "
                        + "that it may have.", at: job.span, path: job.path)
                return false
            }
        }
        return true
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
            at: need?.span ?? .start, path: need?.path.text ?? "", hint: "Remove one of these `needs`.")
    }

    func shell(_ fields: SchemaFields) -> StepSpec.Shell? {
        fields["shell"]?.literal.flatMap(StepSpec.Shell.init(rawValue:))
    }
}

extension ExpressionScope {
    /// The same where an enclosing `env` exists.
    var withEnvironment: ExpressionScope {
        var scope = self
        scope.hasEnvironment = true
        return scope
    }
}
