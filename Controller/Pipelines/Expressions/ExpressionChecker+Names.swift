import ControllerCore

extension ExpressionChecker {
    mutating func resolveName(
        _ word: String, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>
    ) -> Typed {
        let expressions = resolveKeys(keys)
        guard let root = Expression.Root(rawValue: word), !ExpressionScope.laterRoots.contains(word) else {
            faultUnknownRoot(word, range)
            return (.literal(.null), .unknown)
        }
        guard isAvailable(root, keys, range) else { return (.literal(.null), .unknown) }
        var type = ExpressionType.text
        switch root {
        case .event, .ref, .branch, .tag, .commit:
            if !keys.isEmpty { fault(.unknownName, "`\(word)` is a text and has nothing inside.", range) }
        case .inputs:
            type = inputType(keys, range)
        case .env:
            if keys.count != 1 { fault(.unknownName, "Write `env.NAME`.", range) }
        // Refused above, until the reader knows them.
        case .matrix, .payload: type = .unknown
        case .needs:
            type = resultType("needs", keys, range) { checker, name, at in
                guard !checker.scope.needs.contains(name) else { return }
                checker.fault(
                    .unknownName, "This job does not need `\(name.prefix(64))`, so its result is not known.", at,
                    Nearest.hint(name, among: checker.scope.needs) ?? "Add it to the job's `needs`.")
            }
        case .steps:
            type = resultType("steps", keys, range) { checker, name, at in checker.checkStep(name, at) }
        }
        return (.name(root, expressions), type)
    }

    private mutating func faultUnknownRoot(_ word: String, _ range: Range<Int>) {
        if ExpressionScope.laterRoots.contains(word) {
            fault(.notSupportedYet, "The name `\(word)` is not supported yet.", range)
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
        case (.condition, _):
            return true
        case (_, .needs), (_, .steps):
            fault(
                .notAvailableHere, "Results are not known when the run is created.", range, "Use them in `if`.")
            return false
        case (.command, .event), (.command, .commit):
            return true
        case (.command, _):
            faultUnsafe(root, keys, range)
            return false
        case (.inputDefault, .inputs), (.inputDefault, .env):
            fault(
                .notAvailableHere, "A default can't use `\(root.rawValue)`.", range,
                "It can use `event`, `ref`, `branch`, `tag` and `commit`.")
            return false
        case (.value, .env) where !scope.hasEnvironment:
            fault(.notAvailableHere, "`env` at the top can't use `env`.", range)
            return false
        case (.value, _), (.inputDefault, _):
            return true
        }
    }

    private mutating func faultUnsafe(
        _ root: Expression.Root, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>
    ) {
        var variable = "ANSFLOW_\(root.rawValue.uppercased())"
        if case .name(let name, _)? = keys.first {
            if root == .inputs { variable = InputPlan.variableName(name) }
            if root == .env { variable = name }
        } else if root == .inputs || root == .env {
            variable = "NAME"
        }
        fault(
            .unsafeInterpolation,
            "`\(root.rawValue)` comes from outside; in a command it could be read as another command.", range,
            "Use the variable: \"$\(variable)\".")
    }

    private mutating func inputType(_ keys: [ExpressionSyntax.Key], _ range: Range<Int>) -> ExpressionType {
        guard keys.count == 1 else {
            fault(.unknownName, "Write `inputs.<name>`.", range)
            return .unknown
        }
        guard case .name(let name, let at) = keys[0] else { return .unknown }
        guard let type = scope.inputs[name] else {
            let known = scope.inputs.keys.sorted()
            fault(
                .unknownName, "There is no input `\(name.prefix(64))`.", at,
                Nearest.hint(name, among: known) ?? "Declare it under `inputs`.")
            return .unknown
        }
        return type
    }

    private mutating func resultType(
        _ root: String, _ keys: [ExpressionSyntax.Key], _ range: Range<Int>,
        _ check: (inout ExpressionChecker, String, Range<Int>) -> Void
    ) -> ExpressionType {
        guard let first = keys.first else {
            fault(.unknownName, "Write `\(root).<id>.result`.", range)
            return .unknown
        }
        if case .name(let name, let at) = first { check(&self, name, at) }
        guard keys.count == 2, case .name(let field, let at) = keys[1] else {
            fault(.unknownName, "Write `\(root).<id>.result`.", range)
            return .unknown
        }
        guard field == "result" else {
            if field == "outputs" {
                fault(.notSupportedYet, "`outputs` is not supported yet.", at)
            } else {
                fault(.unknownName, "There is no `\(field.prefix(64))` here.", at, "Write `\(root).<id>.result`.")
            }
            return .unknown
        }
        return .oneOf(ExpressionScope.results)
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
