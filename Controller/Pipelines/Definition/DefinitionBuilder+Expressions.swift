import ControllerCore

extension DefinitionBuilder {
    /// A text outside commands.
    mutating func template(_ value: SchemaValue?, hasEnvironment: Bool = true) -> Template? {
        guard let value else { return nil }
        return checked(
            value, ExpressionScope(place: .value, inputs: inputs, hasEnvironment: hasEnvironment))
    }

    /// The entries of `env` or `agents`.
    mutating func named(_ value: SchemaValue?, hasEnvironment: Bool = true) -> [NamedTemplate] {
        var entries: [NamedTemplate] = []
        for entry in value?.entries ?? [] {
            guard let template = template(entry.value, hasEnvironment: hasEnvironment) else { continue }
            entries.append(NamedTemplate(name: entry.key, value: template))
        }
        return entries
    }

    /// Checks the expressions of a text for their place; `nil` where something was wrong.
    mutating func checked(_ value: SchemaValue, _ scope: ExpressionScope) -> Template? {
        guard let syntax = value.template else { return nil }
        var parts: [Template.Part] = []
        var isRight = true
        for part in syntax.parts {
            switch part {
            case .text(let text):
                parts.append(.text(text))
            case .expression(let expression):
                var checker = ExpressionChecker(scope: scope)
                if let typed = checker.check(expression) {
                    parts.append(.expression(typed.expression))
                } else {
                    isRight = false
                    report(checker.faults, in: value)
                }
            }
        }
        return isRight ? Template(parts: parts, span: value.span, path: value.path) : nil
    }

    mutating func condition(_ value: SchemaValue?, _ scope: ExpressionScope) -> Expression? {
        guard let value, let syntax = value.expression else { return nil }
        var checker = ExpressionChecker(scope: scope)
        let expression = checker.checkCondition(syntax)
        report(checker.faults, in: value)
        return expression
    }

    private mutating func report(_ faults: [ExpressionFault], in value: SchemaValue) {
        for fault in faults {
            findings.report(
                fault.code, fault.message, at: value.node.span(of: fault.range), path: value.path, hint: fault.hint)
        }
    }
}
