import ControllerCore

/// An expression as it was written. Ranges are offsets in the text, in Unicode scalars.
indirect enum ExpressionSyntax: Sendable {
    enum Key: Sendable {
        case name(String, Range<Int>)
        case computed(ExpressionSyntax)
    }

    case literal(ExpressionValue, Range<Int>)
    case name(String, keys: [Key], Range<Int>)
    case call(String, arguments: [ExpressionSyntax], Range<Int>)
    case not(ExpressionSyntax, Range<Int>)
    case compare(Expression.Comparison, ExpressionSyntax, ExpressionSyntax, Range<Int>)
    case all([ExpressionSyntax], Range<Int>)
    case any([ExpressionSyntax], Range<Int>)

    var range: Range<Int> {
        switch self {
        case .literal(_, let range), .name(_, _, let range), .call(_, _, let range), .not(_, let range),
            .compare(_, _, _, let range), .all(_, let range), .any(_, let range):
            range
        }
    }
}

struct ExpressionFault: Error, Equatable {
    var code: DiagnosticCode
    var message: String
    var range: Range<Int>
    var hint: String?
}

extension ExpressionSyntax {
    /// The same expression, further right in its text.
    func moved(by offset: Int) -> ExpressionSyntax {
        guard offset != 0 else { return self }
        func move(_ range: Range<Int>) -> Range<Int> { range.lowerBound + offset..<range.upperBound + offset }
        switch self {
        case .literal(let value, let range):
            return .literal(value, move(range))
        case .name(let root, let keys, let range):
            let moved = keys.map { key -> Key in
                switch key {
                case .name(let name, let range): .name(name, move(range))
                case .computed(let inner): .computed(inner.moved(by: offset))
                }
            }
            return .name(root, keys: moved, move(range))
        case .call(let name, let arguments, let range):
            return .call(name, arguments: arguments.map { $0.moved(by: offset) }, move(range))
        case .not(let inner, let range):
            return .not(inner.moved(by: offset), move(range))
        case .compare(let comparison, let left, let right, let range):
            return .compare(comparison, left.moved(by: offset), right.moved(by: offset), move(range))
        case .all(let terms, let range):
            return .all(terms.map { $0.moved(by: offset) }, move(range))
        case .any(let terms, let range):
            return .any(terms.map { $0.moved(by: offset) }, move(range))
        }
    }

    /// Whether a name with this beginning stands anywhere inside.
    func names(_ root: Expression.Root) -> Bool {
        switch self {
        case .literal: false
        case .name(let word, let keys, _):
            word == root.rawValue
                || keys.contains { if case .computed(let inner) = $0 { inner.names(root) } else { false } }
        case .call(_, let arguments, _): arguments.contains { $0.names(root) }
        case .not(let inner, _): inner.names(root)
        case .compare(_, let left, let right, _): left.names(root) || right.names(root)
        case .all(let terms, _), .any(let terms, _): terms.contains { $0.names(root) }
        }
    }
}
