import ControllerCore

/// A text with `${{ }}` in it, as it was written. `$${{` stands for a literal `${{`.
struct TemplateSyntax: Sendable {
    enum Part: Sendable {
        case text(String)
        /// With ranges in the whole text.
        case expression(ExpressionSyntax)
    }

    var parts: [Part]
    var node: YamlNode
    var path: DocumentPath

    /// Cuts the text up. Faults have ranges in the whole text.
    static func parts(of text: String) -> (parts: [Part], faults: [ExpressionFault]) {
        guard hasMark(text) else { return ([.text(text)], []) }
        let scalars = Array(text.unicodeScalars)
        var parts: [Part] = []
        var faults: [ExpressionFault] = []
        var literal = String.UnicodeScalarView()
        var index = 0
        while index < scalars.count {
            if scalars[index...].starts(with: "$${{".unicodeScalars) {
                literal.append(contentsOf: "${{".unicodeScalars)
                index += 4
            } else if scalars[index...].starts(with: "${{".unicodeScalars) {
                guard let end = close(scalars, from: index + 3) else {
                    faults.append(
                        ExpressionFault(
                            code: .expressionSyntax, message: "This `${{` has no `}}`.",
                            range: index..<scalars.count, hint: "A literal `${{` is written `$${{`."))
                    return (parts, faults)
                }
                if !literal.isEmpty { parts.append(.text(String(literal))) }
                literal = .init()
                let offset = index + 3
                do throws(ExpressionFault) {
                    let inner = String(String.UnicodeScalarView(scalars[offset..<end]))
                    parts.append(.expression(try ExpressionParser.parse(inner).moved(by: offset)))
                } catch {
                    var fault = error
                    fault.range = fault.range.lowerBound + offset..<fault.range.upperBound + offset
                    faults.append(fault)
                }
                index = end + 2
            } else {
                literal.append(scalars[index])
                index += 1
            }
        }
        if !literal.isEmpty || parts.isEmpty { parts.append(.text(String(literal))) }
        return (parts, faults)
    }

    /// Whether `${{` is in the text. Most texts have none, so this is a plain search in bytes.
    static func hasMark(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count >= 3 else { return false }
            return (0..<bytes.count - 2).contains {
                bytes[$0] == UInt8(ascii: "$") && bytes[$0 + 1] == UInt8(ascii: "{")
                    && bytes[$0 + 2] == UInt8(ascii: "{")
            }
        }
    }

    /// The next `}}` outside quotes.
    private static func close(_ scalars: [Unicode.Scalar], from start: Int) -> Int? {
        var quote: Unicode.Scalar?
        var index = start
        while index + 1 < scalars.count {
            let scalar = scalars[index]
            if let open = quote {
                if scalar == open { quote = nil }
            } else if scalar == "'" || scalar == "\"" {
                quote = scalar
            } else if scalar == "}", scalars[index + 1] == "}" {
                return index
            }
            index += 1
        }
        return nil
    }
}
