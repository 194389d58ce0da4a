package import ControllerCore

/// A text with checked expressions in it, filled in when a run is created, and what is not known then when its step starts.
package struct Template: Sendable, Equatable {
    package typealias Part = PlanText.Part

    package var parts: [Part]
    /// Whether it names something that is not known when the run is created.
    package var isLate = false
    package var span: SourceSpan
    package var path: DocumentPath

    /// The text where nothing has to be filled in.
    package var literal: String? {
        guard parts.count == 1, case .text(let text) = parts[0] else { return nil }
        return text
    }

    /// - Parameter limit: in bytes; what comes behind the part that goes over it is left out. A caller sees from the length
    ///   that it did, and refuses the text.
    func render(in context: ExpressionContext, limit: Int = PlanLimits.inputBytesMax) -> String {
        if let literal { return literal }
        return PlanText(parts: parts).filled(in: context, limit: limit)
    }

    /// The text for when the rest is known. The variables around it are filled in already: later there are others.
    func late(in context: ExpressionContext) -> PlanText {
        PlanText(
            parts: parts.map { part in
                switch part {
                case .text: part
                case .expression(let expression): .expression(expression.withVariables(of: context))
                }
            })
    }
}

extension Expression {
    /// Writes the values of `env` into the expression.
    fileprivate func withVariables(of context: ExpressionContext) -> Expression {
        switch self {
        case .literal: self
        case .name(.env, _): .literal(evaluate(in: context))
        case .name(let root, let keys): .name(root, keys.map { $0.withVariables(of: context) })
        case .not(let inner): .not(inner.withVariables(of: context))
        case .all(let terms): .all(terms.map { $0.withVariables(of: context) })
        case .any(let terms): .any(terms.map { $0.withVariables(of: context) })
        case .compare(let comparison, let left, let right):
            .compare(comparison, left.withVariables(of: context), right.withVariables(of: context))
        case .call(let function, let arguments): .call(function, arguments.map { $0.withVariables(of: context) })
        }
    }
}
