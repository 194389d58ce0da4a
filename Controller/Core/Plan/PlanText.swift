/// A text of which some is only known when its step starts: outputs of steps and jobs, results, and what an approver gave.
package struct PlanText: Codable, Equatable, Sendable {
    package enum Part: Codable, Equatable, Sendable {
        case text(String)
        case expression(Expression)
    }

    package var parts: [Part]

    package init(parts: [Part]) {
        self.parts = parts
    }

    /// The text with everything filled in.
    ///
    /// - Parameter limit: in bytes. What comes behind the part that goes over it is left out; the caller sees from the
    ///   length that it did, and refuses the text.
    package func filled(in context: ExpressionContext, limit: Int = PlanLimits.outputBytesMax) -> String {
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
