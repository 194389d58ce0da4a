import ControllerCore

/// `matrix`: the cells are known as soon as the file is read, since values are not filled in.
extension DefinitionBuilder {
    /// - Parameter scope: of the job's values, without the matrix.
    mutating func matrix(_ value: SchemaValue, _ job: String, _ scope: ExpressionScope) -> MatrixDefinition? {
        guard let fields = value.fields else { return nil }
        let findingsBefore = findings.all.count
        let added = fields["include"]?.items ?? []
        var types = axisTypes(fields.others + added.flatMap(\.entries))
        let axes = fields.others.map { entry in (name: entry.key, values: values(of: entry, types)) }
        // Said already.
        if axes.contains(where: { $0.values.isEmpty }) { return nil }
        let product = axes.reduce(into: axes.isEmpty ? 0 : 1) { $0 = min($0 * $1.values.count, 1 << 20) }
        // Few bytes can ask for many combinations that `exclude` takes out again, in each job of a file.
        combinationCount += min(product, PlanLimits.matrixCombinationsMax) + added.count
        guard product <= PlanLimits.matrixCombinationsMax else {
            reportTooLarge(product, value)
            return nil
        }
        guard combinationCount <= 4 * PlanLimits.matrixCombinationsMax else {
            findings.report(
                .matrixTooLarge, "The matrices of this file have too many combinations together.", at: value.span,
                path: value.path, hint: "A run has at most \(PlanLimits.stepsMax) steps, all cells counted.")
            return nil
        }
        var combinations: [[MatrixValue]] = axes.isEmpty ? [] : [[]]
        for axis in axes {
            combinations = combinations.flatMap { cell in
                axis.values.map { cell + [MatrixValue(axis: axis.name, value: $0)] }
            }
        }
        let before = combinations.count
        var excluded: [[MatrixValue]] = []
        for item in fields["exclude"]?.items ?? [] {
            guard let match = match(item, types) else { continue }
            let out = combinations.filter { Self.matches($0, match) }
            if out.isEmpty { reportUnused("This `exclude`", item) }
            excluded += out
            combinations.removeAll { Self.matches($0, match) }
        }
        var known = added.isEmpty ? [] : Set(combinations.map(Set.init))
        for item in added { add(item, types, &combinations, &known) }
        guard !combinations.isEmpty else {
            // An axis that was wrong is no reason to say more.
            if findings.all.count == findingsBefore || before > 0 { reportEmpty(job, before, value) }
            return nil
        }
        guard combinations.count <= PlanLimits.matrixCellsMax else {
            reportTooLarge(combinations.count, value)
            return nil
        }
        for axis in axes where types[axis.name] == nil { types[axis.name] = .text }
        var cells = Self.cells(combinations)
        var inner = scope
        inner.matrix = types
        for item in fields["override"]?.items ?? [] { override(item, types, inner, &cells) }
        return MatrixDefinition(cells: cells, excluded: excluded, types: types)
    }

    /// An axis of only `true` and `false` is boolean; all other values are texts as they stand: `3.10` stays `3.10`.
    private func axisTypes(_ entries: [SchemaValue.Entry]) -> [String: ExpressionType] {
        var types: [String: ExpressionType] = [:]
        for entry in entries {
            let items = entry.value.isList ? entry.value.items : [entry.value]
            let isBoolean = items.allSatisfy { item in
                guard case .scalar(let scalar) = item.node.content, scalar.style == .plain else { return false }
                return scalar.text == "true" || scalar.text == "false"
            }
            if !items.isEmpty, types[entry.key] != .text { types[entry.key] = isBoolean ? .boolean : .text }
        }
        return types
    }

    private func value(_ text: String, _ type: ExpressionType?) -> InputValue {
        type == .boolean ? .boolean(text == "true") : .text(text)
    }

    private mutating func values(of axis: SchemaValue.Entry, _ types: [String: ExpressionType]) -> [InputValue] {
        var seen: Set<String> = []
        var values: [InputValue] = []
        for item in axis.value.items {
            guard let text = literal(item) else { continue }
            guard seen.insert(text).inserted else {
                findings.report(
                    .matrixInvalid, "The value `\(text)` is there twice in `\(axis.key)`.", at: item.span,
                    path: item.path)
                continue
            }
            values.append(value(text, types[axis.key]))
        }
        if axis.value.node.isEmptyList {
            findings.report(
                .matrixEmpty, "The axis `\(axis.key)` has no values, so there is no combination at all.",
                at: axis.value.span, path: axis.value.path, hint: "Give it a value, or remove the axis.")
        }
        return values
    }

    private mutating func literal(_ item: SchemaValue) -> String? {
        guard let text = item.literal else { return nil }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            findings.report(
                .matrixInvalid, "A value of a matrix has no control characters.", at: item.span, path: item.path)
            return nil
        }
        return text
    }

    /// The values of `exclude` and `match`, for axes that exist.
    private mutating func match(_ value: SchemaValue, _ types: [String: ExpressionType]) -> [String: String]? {
        var match: [String: String] = [:]
        var isRight = true
        for entry in value.entries {
            guard types[entry.key] != nil else {
                isRight = false
                let known = types.keys.sorted()
                findings.report(
                    .matrixInvalid, "The matrix has no axis `\(entry.key.prefix(64))`.", at: entry.keySpan,
                    path: entry.value.path,
                    hint: Nearest.hint(entry.key, among: known)
                        ?? (known.isEmpty ? nil : "It has \(known.map { "`\($0)`" }.joined(separator: ", "))."))
                continue
            }
            if let text = literal(entry.value) { match[entry.key] = text } else { isRight = false }
        }
        if value.entries.isEmpty {
            findings.report(
                .matrixInvalid, "Without a value this would mean every cell.", at: value.span, path: value.path)
            return nil
        }
        return isRight ? match : nil
    }

    private static func matches(_ cell: [MatrixValue], _ match: [String: String]) -> Bool {
        match.allSatisfy { axis, text in cell.contains { $0.axis == axis && $0.value.variable == text } }
    }

    private mutating func add(
        _ item: SchemaValue, _ types: [String: ExpressionType], _ cells: inout [[MatrixValue]],
        _ known: inout Set<Set<MatrixValue>>
    ) {
        var cell: [MatrixValue] = []
        for entry in item.entries {
            guard let text = literal(entry.value) else { return }
            cell.append(MatrixValue(axis: entry.key, value: value(text, types[entry.key])))
        }
        if cell.isEmpty {
            findings.report(.matrixInvalid, "The cell has no values.", at: item.span, path: item.path)
        } else if !known.insert(Set(cell)).inserted {
            findings.report(.matrixInvalid, "This cell is there already.", at: item.span, path: item.path)
        } else {
            cells.append(cell)
        }
    }

    /// Names the cells. What can't stand in an id becomes `_`; where two would be the same, the second gets a number.
    private static func cells(_ combinations: [[MatrixValue]]) -> [MatrixDefinition.Cell] {
        var taken: Set<String> = []
        return combinations.map { values in
            let text = values.map { "\($0.axis)=\(shown($0.value.variable))" }.joined(separator: ",")
            var suffix = "[\(text)]"
            var number = 2
            while !taken.insert(suffix).inserted {
                suffix = "[\(text)~\(number)]"
                number += 1
            }
            return MatrixDefinition.Cell(suffix: suffix, values: values)
        }
    }

    private static func shown(_ text: String) -> String {
        String(
            text.prefix(40).map { character in
                character.isASCII && (character.isLetter || character.isNumber || "._:+@-".contains(character))
                    ? character : "_"
            })
    }

    private mutating func override(
        _ item: SchemaValue, _ types: [String: ExpressionType], _ scope: ExpressionScope,
        _ cells: inout [MatrixDefinition.Cell]
    ) {
        guard let fields = item.fields, let value = fields["match"], let match = match(value, types) else { return }
        let agents = named(fields["agents"], scope.at(.value))
        let environment = named(fields["env"], scope.at(.value))
        var isUsed = false
        for index in cells.indices where Self.matches(cells[index].values, match) {
            isUsed = true
            if let flag = fields["allow_failure"]?.boolean { cells[index].allowFailure = flag }
            if let timeout = fields["timeout"]?.amount { cells[index].timeoutMs = timeout }
            if let priority = fields["priority"]?.integer { cells[index].priority = priority }
            cells[index].agents += agents
            cells[index].environment += environment
        }
        if !isUsed { reportUnused("This `override`", value) }
    }

    private mutating func reportUnused(_ what: String, _ value: SchemaValue) {
        findings.report(
            .matrixUnused, "\(what) matches no cell.", at: value.span, path: value.path, severity: .warning)
    }

    private mutating func reportEmpty(_ job: String, _ before: Int, _ value: SchemaValue) {
        findings.report(
            .matrixEmpty,
            before > 0
                ? "The matrix of `\(job)` is empty: `exclude` takes out all of its \(before) cells."
                : "The matrix of `\(job)` is empty: it has neither an axis nor `include`.", at: value.span,
            path: value.path,
            hint: before > 0 ? "Remove an `exclude`." : "Write an axis, as in `matrix: { arch: [amd64, arm64] }`.")
    }

    private mutating func reportTooLarge(_ count: Int, _ value: SchemaValue) {
        findings.report(
            .matrixTooLarge,
            "The matrix has \(count >= 1 << 20 ? "over a million" : "\(count)") cells; at most "
                + "\(PlanLimits.matrixCellsMax) are allowed.", at: value.span, path: value.path,
            hint: "Split the job, or leave combinations out with `exclude`.")
    }
}
