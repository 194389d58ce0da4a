package import ControllerCore

/// A text with checked expressions in it, filled in when a run is created.
package struct Template: Sendable, Equatable {
    package enum Part: Sendable, Equatable {
        case text(String)
        case expression(Expression)
    }

    package var parts: [Part]
    package var span: SourceSpan
    package var path: String

    /// The text where nothing has to be filled in.
    package var literal: String? {
        guard parts.count == 1, case .text(let text) = parts[0] else { return nil }
        return text
    }

    /// - Parameter limit: in bytes; what comes behind the part that goes over it is left out. A caller sees from the length
    ///   that it did, and refuses the text.
    func render(in context: ExpressionContext, limit: Int = PlanLimits.inputBytesMax) -> String {
        if let literal { return literal }
        var text = ""
        for part in parts where text.utf8.count <= limit {
            switch part {
            case .text(let literal): text += literal
            case .expression(let expression): text += expression.evaluate(in: context).text
            }
        }
        return text
    }
}
