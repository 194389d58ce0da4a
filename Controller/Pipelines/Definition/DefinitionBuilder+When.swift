import ControllerCore

/// `when`: a list of filters of which one must fit; all words of a filter must fit.
extension DefinitionBuilder {
    /// The filters as an expression; `nil` where something was wrong with them.
    mutating func filters(_ value: SchemaValue, _ scope: ExpressionScope) -> Expression? {
        var filters: [Expression] = []
        if value.items.isEmpty, case .sequence(let nodes) = value.node.content, nodes.isEmpty {
            findings.report(
                .invalidValue, "There is no filter, so nothing would ever run.", at: value.span, path: value.path)
        }
        for item in value.items {
            guard let fields = item.fields else { continue }
            if fields.present.isEmpty {
                findings.report(.invalidValue, "The filter is empty.", at: item.span, path: item.path)
            }
            if let filter = filter(fields, scope) { filters.append(filter) }
        }
        return filters.count > 1 ? .any(filters) : filters.first
    }

    private mutating func filter(_ fields: SchemaFields, _ scope: ExpressionScope) -> Expression? {
        var terms: [Expression] = []
        for (word, root) in [("branch", Expression.Root.branch), ("tag", .tag), ("ref", .ref)] {
            if let value = fields[word] { terms += patterns(value, .name(root, [])) }
        }
        if let value = fields["event"] {
            let events = value.items.compactMap(\.literal)
            terms += Self.joined(
                events.map { .compare(.equal, .name(.event, []), .literal(.text($0))) }, Expression.any)
        }
        if let value = fields["path"] { terms += paths(value) }
        for entry in fields["matrix"]?.entries ?? [] {
            guard let types = scope.matrix, let type = types[entry.key] else {
                let known = (scope.matrix ?? [:]).keys.sorted()
                findings.report(
                    .unknownName, "The matrix has no axis `\(entry.key.prefix(64))`.", at: entry.keySpan,
                    path: entry.value.path, hint: Nearest.hint(entry.key, among: known))
                continue
            }
            let name = Expression.name(.matrix, [.literal(.text(entry.key))])
            if type == .boolean {
                terms += Self.joined(
                    self.include(entry.value).map { .compare(.equal, name, .literal(.boolean($0 == "true"))) },
                    Expression.any)
            } else {
                terms += patterns(entry.value, name)
            }
        }
        return terms.count > 1 ? .all(terms) : terms.first
    }

    private static func joined(_ terms: [Expression], _ join: ([Expression]) -> Expression) -> [Expression] {
        terms.count > 1 ? [join(terms)] : terms
    }

    /// The patterns that let something in.
    private func include(_ value: SchemaValue) -> [String] {
        if let fields = value.fields { return fields["include"]?.items.compactMap(\.literal) ?? [] }
        return value.isList ? value.items.compactMap(\.literal) : [value.literal].compactMap(\.self)
    }

    private func exclude(_ value: SchemaValue) -> [String] {
        value.fields?["exclude"]?.items.compactMap(\.literal) ?? []
    }

    /// As ``GlobList`` has it: each pattern lets in or, with `!` in front, takes out again; the last that matches decides.
    private mutating func patterns(_ value: SchemaValue, _ name: Expression) -> [Expression] {
        var terms: [Expression] = []
        for list in [include(value), exclude(value).map { "!" + $0 }] where !list.isEmpty {
            var runs: [(takesOut: Bool, matches: [Expression])] = []
            for pattern in list {
                let takesOut = pattern.hasPrefix("!")
                let glob = takesOut ? String(pattern.dropFirst()) : pattern
                let match = Expression.call(.matches, [name, .literal(.text(glob))])
                if runs.last?.takesOut == takesOut {
                    runs[runs.count - 1].matches.append(match)
                } else {
                    runs.append((takesOut, [match]))
                }
            }
            if runs.count > 10 {
                findings.report(
                    .tooMany, "Patterns with and without `!` change places more than 10 times.", at: value.span,
                    path: value.path, hint: "Put those with `!` behind the others.")
                return []
            }
            var whole: Expression?
            for run in runs {
                let one = run.matches.count > 1 ? Expression.any(run.matches) : run.matches[0]
                if run.takesOut {
                    whole = whole.map { .all([$0, .not(one)]) } ?? .not(one)
                } else {
                    whole = whole.map { .any([$0, one]) } ?? one
                }
            }
            if let whole { terms.append(whole) }
        }
        return terms
    }

    private mutating func paths(_ value: SchemaValue) -> [Expression] {
        let excluded = exclude(value)
        if excluded.contains(where: { $0.hasPrefix("!") }) {
            findings.report(
                .invalidValue, "A pattern under `exclude` does not begin with `!`.", at: value.span, path: value.path)
        }
        let patterns = include(value) + excluded.map { "!" + $0 }
        return patterns.isEmpty ? [] : [.call(.changed, patterns.map { .literal(.text($0)) })]
    }
}
