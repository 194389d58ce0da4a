import ControllerCore

/// Parses `or := and ('||' and)*`, `and := unary ('&&' unary)*`, `unary := '!' unary | comparison`,
/// `comparison := operand (op operand)?`, by recursive descent within ``PlanLimits/expressionDepthMax``.
struct ExpressionParser {
    private var tokens: [ExpressionLexer.Located]
    private var index = 0
    private var depth = 0
    private var nodes = 0

    static func parse(_ text: String) throws(ExpressionFault) -> ExpressionSyntax {
        guard text.utf8.count <= PlanLimits.expressionBytesMax else {
            throw ExpressionFault(
                code: .expressionLimit,
                message: "The expression is longer than \(PlanLimits.expressionBytesMax) bytes.",
                range: 0..<text.unicodeScalars.count)
        }
        var parser = ExpressionParser(tokens: try ExpressionLexer.tokens(text))
        guard parser.current.token != .end else {
            throw ExpressionFault(
                code: .expressionSyntax, message: "The expression is empty.", range: 0..<text.unicodeScalars.count,
                hint: "Leave the word out where there is no condition.")
        }
        let syntax = try parser.disjunction()
        guard parser.current.token == .end else { throw parser.unexpected("the end of the expression") }
        return syntax
    }

    private init(tokens: [ExpressionLexer.Located]) { self.tokens = tokens }

    private var current: ExpressionLexer.Located { tokens[index] }

    private func isNext(_ mark: ExpressionLexer.Mark) -> Bool {
        if case .mark(mark) = tokens[index].token { true } else { false }
    }

    private mutating func accept(_ mark: ExpressionLexer.Mark) -> Bool {
        guard isNext(mark) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ mark: ExpressionLexer.Mark) throws(ExpressionFault) {
        guard accept(mark) else { throw unexpected("`\(mark.rawValue)`") }
    }

    private func unexpected(_ wanted: String) -> ExpressionFault {
        let found =
            switch current.token {
            case .end: "the expression ends"
            case .text(let text): "there is the text '\(text.prefix(40))'"
            case .number(let number): "there is \(ExpressionValue.number(number).text)"
            case .word(let word): "there is `\(word.prefix(40))`"
            case .mark(let mark): "there is `\(mark.rawValue)`"
            }
        var hint: String?
        if case .word(let word) = current.token, ["and", "or", "not"].contains(word) {
            hint = "Use `&&`, `||` and `!`."
        }
        return ExpressionFault(
            code: .expressionSyntax, message: "Expected \(wanted), but \(found).", range: current.range, hint: hint)
    }

    private mutating func count(_ range: Range<Int>) throws(ExpressionFault) {
        nodes += 1
        guard nodes <= PlanLimits.expressionNodesMax else {
            throw ExpressionFault(
                code: .expressionLimit, message: "The expression has more than \(PlanLimits.expressionNodesMax) parts.",
                range: range)
        }
    }

    private mutating func deeper() throws(ExpressionFault) {
        depth += 1
        guard depth <= PlanLimits.expressionDepthMax else {
            throw ExpressionFault(
                code: .expressionLimit,
                message: "The expression is nested more than \(PlanLimits.expressionDepthMax) deep.",
                range: current.range)
        }
    }

    private mutating func disjunction() throws(ExpressionFault) -> ExpressionSyntax {
        let first = try conjunction()
        guard isNext(.or) else { return first }
        var terms = [first]
        while accept(.or) { terms.append(try conjunction()) }
        return .any(terms, first.range.lowerBound..<terms[terms.count - 1].range.upperBound)
    }

    private mutating func conjunction() throws(ExpressionFault) -> ExpressionSyntax {
        let first = try unary()
        guard isNext(.and) else { return first }
        var terms = [first]
        while accept(.and) { terms.append(try unary()) }
        return .all(terms, first.range.lowerBound..<terms[terms.count - 1].range.upperBound)
    }

    private mutating func unary() throws(ExpressionFault) -> ExpressionSyntax {
        let start = current.range
        guard accept(.not) else { return try comparison() }
        try count(start)
        try deeper()
        defer { depth -= 1 }
        let inner = try operandOfNot()
        return .not(inner, start.lowerBound..<inner.range.upperBound)
    }

    /// `!a == b` would mean something else to half of its readers.
    private mutating func operandOfNot() throws(ExpressionFault) -> ExpressionSyntax {
        let inner = isNext(.not) ? try unary() : try operand()
        if comparisonOperator != nil {
            throw ExpressionFault(
                code: .expressionSyntax, message: "It is not clear what `!` belongs to.", range: current.range,
                hint: "Write `!(a == b)` or `a != b`.")
        }
        return inner
    }

    private var comparisonOperator: Expression.Comparison? {
        guard case .mark(let mark) = tokens[index].token else { return nil }
        return switch mark {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }

    private mutating func comparison() throws(ExpressionFault) -> ExpressionSyntax {
        let left = try operand()
        guard let comparison = comparisonOperator else { return left }
        index += 1
        let right = try operand()
        try count(left.range)
        if comparisonOperator != nil {
            throw ExpressionFault(
                code: .expressionSyntax, message: "Comparisons can't be chained.", range: current.range,
                hint: "Join them with `&&`.")
        }
        return .compare(comparison, left, right, left.range.lowerBound..<right.range.upperBound)
    }

    private mutating func operand() throws(ExpressionFault) -> ExpressionSyntax {
        let start = current
        try count(start.range)
        switch start.token {
        case .text(let text):
            index += 1
            return .literal(.text(text), start.range)
        case .number(let number):
            index += 1
            return .literal(.number(number), start.range)
        case .mark(.open):
            index += 1
            try deeper()
            defer { depth -= 1 }
            let inner = try disjunction()
            try expect(.close)
            return inner
        case .word(let word):
            index += 1
            switch word {
            case "true": return .literal(.boolean(true), start.range)
            case "false": return .literal(.boolean(false), start.range)
            case "null": return .literal(.null, start.range)
            default: return isNext(.open) ? try call(word, start.range) : try name(word, start.range)
            }
        case .mark, .end:
            throw unexpected("a value")
        }
    }

    private mutating func call(_ function: String, _ start: Range<Int>) throws(ExpressionFault) -> ExpressionSyntax {
        try expect(.open)
        try deeper()
        defer { depth -= 1 }
        var arguments: [ExpressionSyntax] = []
        if !isNext(.close) {
            repeat { arguments.append(try disjunction()) } while accept(.comma)
        }
        let end = current.range.upperBound
        try expect(.close)
        return .call(function, arguments: arguments, start.lowerBound..<end)
    }

    private mutating func name(_ root: String, _ start: Range<Int>) throws(ExpressionFault) -> ExpressionSyntax {
        var keys: [ExpressionSyntax.Key] = []
        var end = start.upperBound
        while true {
            if accept(.dot) {
                guard case .word(let word) = current.token else { throw unexpected("a name behind the dot") }
                keys.append(.name(word, current.range))
                end = current.range.upperBound
                index += 1
            } else if accept(.openIndex) {
                try deeper()
                let key = try disjunction()
                depth -= 1
                end = current.range.upperBound
                try expect(.closeIndex)
                if case .literal(.text(let text), let range) = key {
                    keys.append(.name(text, range))
                } else {
                    keys.append(.computed(key))
                }
            } else {
                return .name(root, keys: keys, start.lowerBound..<end)
            }
            try count(start)
        }
    }
}
