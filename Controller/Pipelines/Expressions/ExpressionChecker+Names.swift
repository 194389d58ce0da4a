import ControllerCore

extension ExpressionChecker {
    mutating func resolveName(
        _ word: String, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>
    ) -> Typed {
        let expressions = resolveKeys(keys)
        guard let root = Expression.Root(rawValue: word) else {
            faultUnknownRoot(word, range)
            return (.literal(.null), .unknown)
        }
        guard isAvailable(root, keys, range) else { return (.literal(.null), .unknown) }
        var type = ExpressionType.text
        switch root {
        case .event, .ref, .branch, .tag, .commit:
            if !keys.isEmpty { fault(.unknownName, "`\(word)` is a text and has nothing inside.", range) }
            if root == .event { type = .oneOf(ExpressionScope.events) }
        case .inputs:
            type = inputType(keys, range)
        case .env:
            checkVariable(keys, range)
        case .matrix:
            type = axisType(keys, range)
        case .payload:
            type = .unknown
        case .needs:
            isLate = true
            type = endingType("needs", keys, range) { checker, name, at in
                guard !checker.scope.needs.contains(name) else { return }
                checker.fault(
                    .unknownName, "This job does not need `\(name.prefix(64))`, so its result is not known.", at,
                    Nearest.hint(name, among: checker.scope.needs) ?? "Add it to the job's `needs`.")
            }
        case .steps:
            isLate = true
            type = endingType("steps", keys, range) { checker, name, at in checker.checkStep(name, at) }
        }
        return (.name(root, expressions), type)
    }

    private mutating func faultUnknownRoot(_ word: String, _ range: Range<Int>) {
        if word == "secrets" {
            fault(
                .unknownName, "Secrets can't be named in expressions.", range,
                "Give the step a variable: `secrets: { TOKEN: name }`.")
            return
        }
        let known = Expression.Root.allCases.map(\.rawValue)
        var hint = Nearest.hint(word, among: known) ?? "There are \(known.map { "`\($0)`" }.joined(separator: ", "))."
        if word == "github" || word == "gitea" || word == "ci" {
            hint = "AnsFlow's names stand alone: `branch`, `ref`, `commit`, `event`."
        }
        if Expression.Function(rawValue: word) != nil { hint = "A function is called with brackets: `\(word)()`." }
        fault(
            .unknownName, "There is no name `\(word.prefix(64))`.", range,
            Expression.Function(rawValue: word) == nil && hint.hasPrefix("There are")
                ? hint + " A text needs quotes." : hint)
    }

    /// Whether the name may be used at this place at all.
    private mutating func isAvailable(
        _ root: Expression.Root, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>
    ) -> Bool {
        switch (scope.place, root) {
        case (.condition, .steps) where scope.steps == nil:
            fault(
                .notAvailableHere, "A job's condition is decided before its steps run.", range,
                "Use `needs.<job>.result`.")
            return false
        case (.environment, .steps) where scope.steps == nil:
            fault(
                .notAvailableHere, "The `env` of a job is filled in before its steps run.", range,
                "Use it in the `env` of the step.")
            return false
        case (.condition, _), (.environment, _):
            return true
        case (.command, .needs), (.command, .steps):
            fault(
                .notAvailableHere, "Results and outputs are not known when the run is created.", range,
                "Pass it by `env`, and use the variable in the command.")
            return false
        case (_, .needs), (_, .steps):
            fault(
                .notAvailableHere, "Results are not known when the run is created.", range, "Use them in `if` or `env`."
            )
            return false
        case (.command, .event), (.command, .commit), (.command, .matrix):
            return true
        case (.command, _):
            faultUnsafe(root, keys, range)
            return false
        case (.facts, .inputs), (.facts, .env), (.facts, .matrix):
            fault(
                .notAvailableHere, "`\(root.rawValue)` is not known here.", range,
                "There are `event`, `ref`, `branch`, `tag`, `commit` and `payload`.")
            return false
        case (.value, .env) where !scope.hasEnvironment:
            fault(.notAvailableHere, "`env` at the top can't use `env`.", range)
            return false
        case (.value, _), (.facts, _):
            return true
        }
    }

    private mutating func faultUnsafe(
        _ root: Expression.Root, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>
    ) {
        var variable = "ANSFLOW_\(root.rawValue.uppercased())"
        if case .name(let name, _)? = keys.first, root != .payload {
            if root == .inputs { variable = InputPlan.variableName(name) }
            if root == .env { variable = name }
        } else if root == .inputs || root == .env {
            variable = "NAME"
        }
        fault(
            .unsafeInterpolation,
            "`\(root.rawValue)` comes from outside; in a command it could be read as another command.", range,
            root == .payload
                ? "Pass it by `env`, and use the variable in the command." : "Use the variable: \"$\(variable)\".")
    }

    private mutating func checkVariable(_ keys: [ExpressionSyntax.Key], _ range: Range<Int>) {
        guard keys.count == 1 else {
            fault(.unknownName, "Write `env.NAME`.", range)
            return
        }
        guard !scope.lateVariables.isEmpty else { return }
        if case .name(let name, _) = keys[0], !scope.lateVariables.contains(name) { return }
        fault(
            .notAvailableHere, "This variable is only filled in when the job starts.", range,
            "Use what it is made of: `needs.<job>.outputs.<name>`.")
    }

    private mutating func inputType(_ keys: [ExpressionSyntax.Key], _ range: Range<Int>) -> ExpressionType {
        guard keys.count == 1 else {
            fault(.unknownName, "Write `inputs.<name>`.", range)
            return .unknown
        }
        guard case .name(let name, let at) = keys[0] else {
            if !scope.given.isEmpty { noteGiven(range) }
            return .unknown
        }
        if scope.given.contains(name) { noteGiven(at) }
        guard let type = scope.inputs[name] else {
            let known = scope.inputs.keys.sorted()
            fault(
                .unknownName, "There is no input `\(name.prefix(64))`.", at,
                Nearest.hint(name, among: known) ?? "Declare it under `inputs`.")
            return .unknown
        }
        return type
    }

    /// An approver's input is not there before the approval.
    private mutating func noteGiven(_ range: Range<Int>) {
        isLate = true
        if scope.place == .value || scope.place == .condition && scope.steps == nil {
            fault(
                .notAvailableHere, "What an approver gives is not known before the job starts.", range,
                "Use it in `env`, or in the `if` of a step.")
        }
    }

    private mutating func axisType(_ keys: [ExpressionSyntax.Key], _ range: Range<Int>) -> ExpressionType {
        guard let axes = scope.matrix else {
            fault(
                .notAvailableHere, "There is no matrix here.", range,
                "`matrix` is known inside a job that has one.")
            return .unknown
        }
        guard keys.count == 1 else {
            fault(.unknownName, "Write `matrix.<axis>`.", range)
            return .unknown
        }
        guard case .name(let name, let at) = keys[0] else { return .unknown }
        guard let type = axes[name] else {
            let known = axes.keys.sorted()
            fault(
                .unknownName, "The matrix has no axis `\(name.prefix(64))`.", at,
                Nearest.hint(name, among: known) ?? "It has \(known.map { "`\($0)`" }.joined(separator: ", ")).")
            return .unknown
        }
        return type
    }

    private mutating func endingType(
        _ root: String, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>,
        _ check: (inout ExpressionChecker, String, Range<Int>) -> Void
    ) -> ExpressionType {
        let form = "Write `\(root).<id>.result` or `\(root).<id>.outputs.<name>`."
        guard let first = keys.first else {
            fault(.unknownName, form, range)
            return .unknown
        }
        if case .name(let name, let at) = first { check(&self, name, at) }
        guard keys.count >= 2, case .name(let field, let at) = keys[1] else {
            fault(.unknownName, form, range)
            return .unknown
        }
        switch (field, keys.count) {
        case ("result", 2): return .oneOf(ExpressionScope.results)
        case ("outputs", 3):
            if PipelineSchema.later.contains("outputs") {
                fault(.notSupportedYet, "`outputs` is not supported yet.", at)
            }
            return .text
        case ("result", _), ("outputs", _): fault(.unknownName, form, range)
        default: fault(.unknownName, "There is no `\(field.prefix(64))` here.", at, form)
        }
        return .unknown
    }

    private mutating func checkStep(_ name: String, _ at: Range<Int>) {
        guard let steps = scope.steps, !steps.awaited.contains(name) else { return }
        if steps.all.contains(name) {
            fault(
                .unknownName, "This step does not wait for `\(name.prefix(64))`, so its result is not known.", at,
                "Add it to the step's `needs`.")
        } else {
            fault(
                .unknownName, "This job has no step `\(name.prefix(64))`.", at, Nearest.hint(name, among: steps.all))
        }
    }
}
