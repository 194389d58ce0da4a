extension Expression {
    /// The expression's value. Total: a name that does not exist is null, values of different types are not equal and not
    /// ordered, and what is not a boolean is not true.
    package func evaluate(in context: ExpressionContext) -> ExpressionValue {
        evaluate(in: context, depth: 0)
    }

    private func evaluate(in context: ExpressionContext, depth: Int) -> ExpressionValue {
        // One bracket makes up to three levels. Nothing deeper comes from the parser; a plan that was changed in the
        // database could be.
        guard depth <= PlanLimits.expressionDepthMax * 4 else { return .null }
        func value(_ inner: Expression) -> ExpressionValue { inner.evaluate(in: context, depth: depth + 1) }
        switch self {
        case .literal(let literal):
            return literal
        case .name(let root, let keys):
            var path: [String] = []
            for key in keys {
                switch value(key) {
                case .text(let text): path.append(text)
                // The place in a list of the payload.
                case .number(let number) where root == .payload:
                    guard let place = Int(exactly: number) else { return .null }
                    path.append(String(place))
                case .null, .boolean, .number: return .null
                }
            }
            return context.value(root, path)
        case .not(let inner):
            return .boolean(!value(inner).isTrue)
        case .all(let terms):
            return .boolean(terms.allSatisfy { value($0).isTrue })
        case .any(let terms):
            return .boolean(terms.contains { value($0).isTrue })
        case .compare(let comparison, let left, let right):
            return .boolean(comparison.holds(value(left), value(right)))
        case .call(let function, let arguments):
            return .boolean(function.holds(arguments.map(value), context))
        }
    }
}

extension Expression.Comparison {
    func holds(_ left: ExpressionValue, _ right: ExpressionValue) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: Self.ordered(left, right) { $0 < 0 }
        case .lessOrEqual: Self.ordered(left, right) { $0 <= 0 }
        case .greater: Self.ordered(left, right) { $0 > 0 }
        case .greaterOrEqual: Self.ordered(left, right) { $0 >= 0 }
        }
    }

    private static func ordered(
        _ left: ExpressionValue, _ right: ExpressionValue, _ accept: (Int) -> Bool
    ) -> Bool {
        switch (left, right) {
        case (.number(let a), .number(let b)): accept(a < b ? -1 : a > b ? 1 : 0)
        case (.text(let a), .text(let b)): accept(a < b ? -1 : a > b ? 1 : 0)
        default: false
        }
    }
}

extension Expression.Function {
    func holds(_ arguments: [ExpressionValue], _ context: ExpressionContext) -> Bool {
        switch self {
        case .success: return context.success
        case .failure: return context.failure
        case .always: return true
        case .changed:
            var patterns: [String] = []
            for case .text(let pattern) in arguments { patterns.append(pattern) }
            // Nobody knows what changed: better once too often.
            guard let paths = context.facts.changedPaths, paths.count <= PlanLimits.changedPathsMax else { return true }
            let list = GlobList(patterns)
            return paths.contains { list.matches($0) }
        case .contains, .startsWith, .endsWith, .matches: break
        }
        guard arguments.count == 2, case .text(let text) = arguments[0], case .text(let other) = arguments[1]
        else { return false }
        switch self {
        case .contains: return other.isEmpty || text.contains(other)
        case .startsWith: return text.hasPrefix(other)
        case .endsWith: return text.hasSuffix(other)
        case .matches: return Glob.matches(text, pattern: other, slashes: false)
        case .success, .failure, .always, .changed: return false
        }
    }
}
