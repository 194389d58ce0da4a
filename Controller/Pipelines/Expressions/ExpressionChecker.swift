import ControllerCore

/// Resolves names and checks types: from what was written to what is stored in the plan.
struct ExpressionChecker {
    typealias Typed = (expression: Expression, type: ExpressionType)

    let scope: ExpressionScope
    private(set) var faults: [ExpressionFault] = []
    /// Whether something is named that is not known when the run is created.
    var isLate = false

    init(scope: ExpressionScope) { self.scope = scope }

    /// `nil` where something was wrong; ``faults`` says what.
    mutating func check(_ syntax: ExpressionSyntax) -> Typed? {
        let typed = resolve(syntax)
        return faults.isEmpty ? typed : nil
    }

    /// As ``check(_:)``, and the value must be a boolean.
    mutating func checkCondition(_ syntax: ExpressionSyntax) -> Expression? {
        let typed = resolve(syntax)
        requireBoolean(typed, syntax)
        return faults.isEmpty ? typed.expression : nil
    }

    mutating func fault(_ code: DiagnosticCode, _ message: String, _ range: Range<Int>, _ hint: String? = nil) {
        faults.append(ExpressionFault(code: code, message: message, range: range, hint: hint))
    }

    private mutating func resolve(_ syntax: ExpressionSyntax) -> Typed {
        switch syntax {
        case .literal(let value, _):
            return (.literal(value), ExpressionType(value))
        case .name(let root, let keys, let range):
            return resolveName(root, keys, range)
        case .call(let function, let arguments, let range):
            return resolveCall(function, arguments, range)
        case .not(let inner, _):
            let typed = resolve(inner)
            requireBoolean(typed, inner)
            return (.not(typed.expression), .boolean)
        case .all(let terms, _):
            return (.all(resolveBooleans(terms)), .boolean)
        case .any(let terms, _):
            return (.any(resolveBooleans(terms)), .boolean)
        case .compare(let comparison, let left, let right, let range):
            let (a, b) = (resolve(left), resolve(right))
            checkComparison(comparison, a, b, range)
            return (.compare(comparison, a.expression, b.expression), .boolean)
        }
    }

    private mutating func resolveBooleans(_ terms: [ExpressionSyntax]) -> [Expression] {
        var expressions: [Expression] = []
        for term in terms {
            let typed = resolve(term)
            requireBoolean(typed, term)
            expressions.append(typed.expression)
        }
        return expressions
    }

    private mutating func requireBoolean(_ typed: Typed, _ syntax: ExpressionSyntax) {
        guard typed.type != .boolean, typed.type != .unknown else { return }
        let hint: String? =
            switch typed.type {
            case .text, .oneOf: "Compare it, as in `… != ''`."
            case .number: "Compare it, as in `… != 0`."
            case .null, .boolean, .unknown: nil
            }
        fault(.typeMismatch, "A condition is needed here, and this is \(typed.type.name).", syntax.range, hint)
    }

    private mutating func checkComparison(
        _ comparison: Expression.Comparison, _ left: Typed, _ right: Typed, _ range: Range<Int>
    ) {
        guard left.type.canEqual(right.type) else {
            fault(
                .typeMismatch, "\(left.type.name.capitalizedFirst) is never equal to \(right.type.name).", range,
                left.type.isText || right.type.isText ? "A text stands in quotes, a number or a boolean does not." : nil
            )
            return
        }
        switch comparison {
        case .equal, .notEqual:
            checkWord(left, right, range)
            checkWord(right, left, range)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            for type in [left.type, right.type] where type == .boolean || type == .null {
                fault(.typeMismatch, "\(type.name.capitalizedFirst) has no order.", range, "Use `==` or `!=`.")
                return
            }
        }
    }

    /// A word that the other side can't be is a typing error that would otherwise never be noticed.
    private mutating func checkWord(_ side: Typed, _ other: Typed, _ range: Range<Int>) {
        guard case .oneOf(let words) = side.type, case .literal(.text(let word)) = other.expression,
            !words.contains(word)
        else { return }
        let list = words.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
        fault(
            .typeMismatch, "This is never '\(word.prefix(64))'; it is one of \(list).", range,
            word == "failure" ? "Did you mean `failed`?" : Nearest.hint(word, among: words))
    }

    private mutating func resolveCall(
        _ name: String, _ arguments: [ExpressionSyntax], _ range: Range<Int>
    ) -> Typed {
        let typed = arguments.map { ($0, resolve($0)) }
        guard let function = Expression.Function(rawValue: name), !ExpressionScope.laterFunctions.contains(name) else {
            if ExpressionScope.laterFunctions.contains(name) {
                fault(.notSupportedYet, "The function `\(name)` is not supported yet.", range)
            } else {
                let known = Expression.Function.allCases.map(\.rawValue)
                fault(
                    .unknownFunction, "There is no function `\(name.prefix(64))`.", range,
                    Nearest.hint(name, among: known)
                        ?? "There are \(known.map { "`\($0)`" }.joined(separator: ", ")).")
            }
            return (.literal(.null), .unknown)
        }
        if function.isStatus, scope.place != .condition {
            fault(
                .notAvailableHere, "`\(name)()` is only known while the run goes.", range, "Use it in `if`.")
        }
        guard function.parameterCounts.contains(arguments.count) else {
            let counts = function.parameterCounts
            let wanted =
                counts == 0...0
                ? "no arguments"
                : counts.count == 1
                    ? "\(counts.lowerBound) arguments" : "\(counts.lowerBound) to \(counts.upperBound) arguments"
            fault(.typeMismatch, "`\(name)` takes \(wanted), not \(arguments.count).", range)
            return (.literal(.null), .boolean)
        }
        for (syntax, argument) in typed where !argument.type.isText && argument.type != .unknown {
            fault(.typeMismatch, "`\(name)` takes texts, and this is \(argument.type.name).", syntax.range)
        }
        return (.call(function, typed.map(\.1.expression)), .boolean)
    }

    /// Resolves `inputs[…]` and the like, where the key is an expression of its own.
    mutating func resolveKeys(_ keys: [ExpressionSyntax.Key]) -> [Expression] {
        var expressions: [Expression] = []
        for key in keys {
            switch key {
            case .name(let name, _):
                expressions.append(.literal(.text(name)))
            case .computed(let syntax):
                let typed = resolve(syntax)
                if !typed.type.isText, typed.type != .unknown {
                    fault(.typeMismatch, "A name in brackets is a text, and this is \(typed.type.name).", syntax.range)
                }
                expressions.append(typed.expression)
            }
        }
        return expressions
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
