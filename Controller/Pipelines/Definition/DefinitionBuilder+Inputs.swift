import ControllerCore

extension DefinitionBuilder {
    mutating func input(_ entry: SchemaValue.Entry) -> InputDefinition? {
        guard let fields = entry.value.fields, let word = fields["type"]?.literal,
            let kind = InputPlan.Kind(rawValue: word)
        else { return nil }
        let options = (fields["options"]?.items ?? []).compactMap(\.literal)
        let input = InputDefinition(
            name: entry.key, kind: kind, options: options,
            defaultValue: fields["default"].flatMap { checked($0, ExpressionScope(place: .facts)) },
            required: fields["required"]?.boolean ?? false, description: fields["description"]?.literal,
            span: entry.keySpan, path: entry.value.path)
        checkOptions(input, fields, entry)
        if let value = input.defaultValue, let literal = value.literal,
            let fault = InputRule.parse(literal, kind, options).fault
        {
            findings.report(
                .invalidValue, "The default \(fault)", at: value.span, path: value.path,
                hint: kind == .choice ? Nearest.hint(literal, among: options) : nil)
        }
        return input
    }

    private mutating func checkOptions(_ input: InputDefinition, _ fields: SchemaFields, _ entry: SchemaValue.Entry) {
        if input.kind == .choice, !fields.has("options") {
            findings.report(
                .missingWord, "A choice needs `options`.", at: entry.value.span, path: entry.value.path)
        }
        guard let value = fields["options"] else { return }
        if input.kind != .choice {
            findings.report(
                .conflict, "Only a choice has `options`; this input is a \(input.kind.rawValue).", at: value.span,
                path: value.path)
        } else if case .sequence(let items) = value.node.content, items.isEmpty {
            findings.report(.invalidValue, "A choice needs at least one option.", at: value.span, path: value.path)
        }
        var seen: Set<String> = []
        for item in value.items {
            guard let option = item.literal, !seen.insert(option).inserted else { continue }
            findings.report(.duplicateID, "The option `\(option)` is there twice.", at: item.span, path: item.path)
        }
    }

    /// Two inputs must not end in one variable.
    mutating func checkVariableNames(_ inputs: [InputDefinition]) {
        var owners: [String: String] = [:]
        for input in inputs {
            let variable = InputPlan.variableName(input.name)
            if let other = owners.updateValue(input.name, forKey: variable) {
                findings.report(
                    .duplicateID, "`\(input.name)` and `\(other)` would be the same variable, \(variable).",
                    at: input.span, path: input.path)
            }
        }
    }
}

/// What a text means for an input.
enum InputRule {
    /// The value, or what is wrong with the text: the second half of a sentence.
    static func parse(
        _ text: String, _ kind: InputPlan.Kind, _ options: [String]
    ) -> (value: InputValue?, fault: String?) {
        let shown = text.count > 64 ? "\(text.prefix(64))…" : text
        switch kind {
        case .text:
            return (.text(text), nil)
        case .number:
            guard let number = Scalars.number(text) else { return (nil, "`\(shown)` is not a number.") }
            return (.number(number), nil)
        case .boolean:
            guard let flag = Scalars.boolean(text) else { return (nil, "`\(shown)` is neither `true` nor `false`.") }
            return (.boolean(flag), nil)
        case .choice:
            guard options.contains(text) else {
                let list = options.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
                return (nil, "`\(shown)` is not one of \(list).")
            }
            return (.text(text), nil)
        }
    }
}
