import ControllerCore

extension DefinitionCompiler {
    /// What started the run: judged before it reaches an agent's git.
    mutating func checkFacts() {
        if let url = context.repository,
            let refusal = RepositoryURL.check(url, allowLocal: context.allowLocalRepositories)
        {
            findings.report(.repositoryInvalid, refusal.description, at: .start, path: "repository")
        }
        for (field, value) in [("ref", context.ref), ("branch", context.branch), ("tag", context.tag)] {
            guard let value, let refusal = GitRef.check(value) else { continue }
            findings.report(.refInvalid, refusal, at: .start, path: field)
        }
        if let commit = context.commit, let refusal = GitRef.checkCommit(commit) {
            findings.report(.refInvalid, refusal, at: .start, path: "commit")
        }
        // The event may be used in commands, so it is a word and nothing else.
        if !SchemaKeys.id.accepts(context.event) {
            findings.report(.refInvalid, "The event is not a word.", at: .start, path: "event")
        }
    }

    /// The declared inputs with the values of this run.
    mutating func inputs() -> [InputPlan] {
        let known = definition.inputs.map(\.name)
        for name in context.inputs.keys.sorted() where !known.contains(name) {
            findings.report(
                .inputUnknown, "The pipeline has no input `\(name.prefix(64))`.", at: .start, path: "inputs",
                hint: Nearest.hint(name, among: known)
                    ?? (known.isEmpty ? "It has none." : "It has \(known.map { "`\($0)`" }.joined(separator: ", ")).")
            )
        }
        return definition.inputs.map { input($0) }
    }

    /// An input as it is declared, with its default.
    ///
    /// - Parameter isGiven: whether the run was given a value, so that the default does not matter.
    mutating func declared(_ input: InputDefinition, isGiven: Bool) -> InputPlan {
        var plan = InputPlan(
            name: input.name, kind: input.kind, options: input.options, required: input.required,
            description: input.description)
        guard let template = input.defaultValue else { return plan }
        let text = template.render(in: ExpressionContext(facts: scope.facts))
        var (value, fault) = InputRule.parse(text, input.kind, input.options)
        if text.utf8.count > PlanLimits.inputBytesMax {
            (value, fault) = (nil, "has more than \(PlanLimits.inputBytesMax) bytes in this run.")
        }
        plan.defaultValue = value
        if let fault, !isGiven {
            findings.report(.inputInvalid, "The default \(fault)", at: template.span, path: template.path)
        }
        return plan
    }

    private mutating func input(_ input: InputDefinition) -> InputPlan {
        var plan = declared(input, isGiven: context.inputs[input.name] != nil)
        guard let given = context.inputs[input.name] else {
            plan.value = plan.defaultValue
            if input.required, plan.value == nil, !context.isDraft {
                findings.report(
                    .inputMissing, "The input `\(input.name)` is required and was not given.", at: input.span,
                    path: input.path)
            }
            return plan
        }
        let (value, fault) = accept(given, input)
        plan.value = value
        if let fault {
            let hint = input.kind == .choice ? Nearest.hint(given.variable, among: input.options) : nil
            findings.report(
                .inputInvalid, "The input `\(input.name)` \(fault)", at: input.span, path: input.path, hint: hint)
        }
        return plan
    }

    /// A text is read as the input's type, since command lines and forms only know texts; nothing else is converted.
    private func accept(_ given: InputValue, _ input: InputDefinition) -> (value: InputValue?, fault: String?) {
        switch (given, input.kind) {
        case (.boolean, .boolean):
            return (given, nil)
        case (.number(let number), .number):
            return number.isFinite ? (given, nil) : (nil, "is not a finite number.")
        case (.text(let text), _):
            guard text.utf8.count <= PlanLimits.inputBytesMax, !text.utf8.contains(0) else {
                return (
                    nil, "has a NUL character or more than \(PlanLimits.inputBytesMax) bytes, which is not allowed."
                )
            }
            let (value, fault) = InputRule.parse(text, input.kind, input.options)
            return (value, fault.map { "was given a value that does not fit: \($0)" })
        case (.number, _), (.boolean, _):
            return (nil, "is a \(input.kind.rawValue), and `\(given.variable)` is not.")
        }
    }
}
