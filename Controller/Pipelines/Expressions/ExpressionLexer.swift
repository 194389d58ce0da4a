import ControllerCore

/// Cuts an expression into tokens.
struct ExpressionLexer {
    enum Token: Equatable {
        case text(String)
        case number(Double)
        case word(String)
        case mark(Mark)
        case end
    }

    enum Mark: String {
        case open = "("
        case close = ")"
        case openIndex = "["
        case closeIndex = "]"
        case comma = ","
        case dot = "."
        case not = "!"
        case and = "&&"
        case or = "||"
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="

        init?(_ first: Unicode.Scalar, _ second: Unicode.Scalar) {
            switch (first, second) {
            case ("&", "&"): self = .and
            case ("|", "|"): self = .or
            case ("=", "="): self = .equal
            case ("!", "="): self = .notEqual
            case ("<", "="): self = .lessOrEqual
            case (">", "="): self = .greaterOrEqual
            default: return nil
            }
        }

        init?(_ scalar: Unicode.Scalar) {
            switch scalar {
            case "(": self = .open
            case ")": self = .close
            case "[": self = .openIndex
            case "]": self = .closeIndex
            case ",": self = .comma
            case ".": self = .dot
            case "!": self = .not
            case "<": self = .less
            case ">": self = .greater
            default: return nil
            }
        }
    }

    struct Located {
        var token: Token
        var range: Range<Int>
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) { scalars = text.scalarArray }

    /// All tokens with `end` as the last.
    static func tokens(_ text: String) throws(ExpressionFault) -> [Located] {
        var lexer = ExpressionLexer(text)
        var tokens: [Located] = []
        tokens.reserveCapacity(lexer.scalars.count / 3 + 2)
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.token == .end { return tokens }
        }
    }

    private mutating func next() throws(ExpressionFault) -> Located {
        while index < scalars.count, isSpace(scalars[index]) { index += 1 }
        let start = index
        guard index < scalars.count else { return Located(token: .end, range: start..<start) }
        let scalar = scalars[index]
        if scalar == "'" || scalar == "\"" { return try text(quote: scalar) }
        if isDigit(scalar) || scalar == "-" { return try number() }
        if isWordStart(scalar) {
            while index < scalars.count, isWordPart(scalars[index]) { index += 1 }
            return Located(token: .word(string(start..<index)), range: start..<index)
        }
        let next = start + 1 < scalars.count ? scalars[start + 1] : " "
        if let mark = Mark(scalar, next) {
            index += 2
            return Located(token: .mark(mark), range: start..<index)
        }
        index += 1
        if let mark = Mark(scalar) { return Located(token: .mark(mark), range: start..<index) }
        let hints: [Unicode.Scalar: String] = [
            "=": "Compare with `==`.", "&": "Both is `&&`.", "|": "Either is `||`.",
            "$": "Names stand without `$` in an expression: `branch`, `env.NAME`.",
        ]
        throw ExpressionFault(
            code: .expressionSyntax, message: "`\(scalar)` has no meaning in an expression.", range: start..<index,
            hint: hints[scalar])
    }

    private mutating func text(quote: Unicode.Scalar) throws(ExpressionFault) -> Located {
        let start = index
        var value = String.UnicodeScalarView()
        index += 1
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            guard scalar == quote else {
                value.append(scalar)
                continue
            }
            // A doubled quote stands for one.
            guard index < scalars.count, scalars[index] == quote else {
                return Located(token: .text(String(value)), range: start..<index)
            }
            value.append(quote)
            index += 1
        }
        throw ExpressionFault(
            code: .expressionSyntax, message: "This text has no closing quote.", range: start..<index,
            hint: "A quote inside a text is written twice.")
    }

    private mutating func number() throws(ExpressionFault) -> Located {
        let start = index
        if scalars[index] == "-" { index += 1 }
        let digits = index
        while index < scalars.count, isDigit(scalars[index]) { index += 1 }
        if index + 1 < scalars.count, scalars[index] == ".", isDigit(scalars[index + 1]) {
            index += 1
            while index < scalars.count, isDigit(scalars[index]) { index += 1 }
        }
        let isBroken = index < scalars.count && isWordPart(scalars[index])
        guard index > digits, !isBroken, let value = Double(string(start..<index)), value.isFinite else {
            let end = max(index, start + 1)
            throw ExpressionFault(
                code: .expressionSyntax, message: "`\(string(start..<end))` is not a number.", range: start..<end,
                hint: scalars[start] == "-" ? "There is no arithmetic in expressions." : "A text needs quotes: 'text'.")
        }
        return Located(token: .number(value), range: start..<index)
    }

    private func string(_ range: Range<Int>) -> String { String(scalars[range]) }

    private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\n"
            || (scalar.value > 0x7F || scalar.value < 0x20) && scalar.properties.isWhitespace
    }
    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private func isWordStart(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }
    private func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        isWordStart(scalar) || isDigit(scalar) || scalar == "-"
    }
}
