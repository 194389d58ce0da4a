import ControllerCore

extension DefinitionBuilder {
    /// A text outside commands.
    mutating func template(_ value: SchemaValue?, _ scope: ExpressionScope) -> Template? {
        guard let value else { return nil }
        return checked(value, scope)
    }

    /// The entries of `env` or `agents`.
    mutating func named(_ value: SchemaValue?, _ scope: ExpressionScope) -> [NamedTemplate] {
        guard let value else { return [] }
        var entries: [NamedTemplate] = []
        for entry in value.entries {
            guard let template = checked(entry.value, scope) else { continue }
            entries.append(NamedTemplate(name: entry.key, value: template))
        }
        return entries
    }

    mutating func templates(_ value: SchemaValue?, _ scope: ExpressionScope) -> [Template] {
        var templates: [Template] = []
        for item in value?.items ?? [] {
            if let template = checked(item, scope) { templates.append(template) }
        }
        return templates
    }

    /// Checks the expressions of a text for their place; `nil` where something was wrong.
    mutating func checked(_ value: SchemaValue, _ scope: ExpressionScope) -> Template? {
        if let text = value.literal { return Template(parts: [.text(text)], span: value.span, path: value.path) }
        guard let parts = value.parts else { return nil }
        var template = Template(parts: [], span: value.span, path: value.path)
        var isRight = true
        for part in parts {
            switch part {
            case .text(let text):
                template.parts.append(.text(text))
            case .expression(let expression):
                var checker = ExpressionChecker(scope: scope)
                if let typed = checker.check(expression) {
                    template.parts.append(.expression(typed.expression))
                    if checker.isLate { template.isLate = true }
                } else {
                    isRight = false
                    report(checker.faults, in: value)
                }
            }
        }
        return isRight ? template : nil
    }

    /// `if` and `when` together.
    mutating func condition(_ fields: SchemaFields, _ scope: ExpressionScope) -> Expression? {
        let condition = condition(fields["if"], scope)
        guard let value = fields["when"], let filters = filters(value, scope) else { return condition }
        guard let condition else { return filters }
        return .all([filters, condition])
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
