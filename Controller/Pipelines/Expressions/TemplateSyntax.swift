import ControllerCore

/// A text with `${{ }}` in it, as it was written. `$${{` stands for a literal `${{`.
enum TemplateSyntax {
    enum Part: Sendable {
        case text(String)
        /// With ranges in the whole text.
        case expression(ExpressionSyntax)
    }

    /// Cuts the text up. Faults have ranges in the whole text.
    static func parts(of text: String) -> (parts: [Part], faults: [ExpressionFault]) {
        guard hasMark(text) else { return ([.text(text)], []) }
        let scalars = text.scalarArray
        var parts: [Part] = []
        var faults: [ExpressionFault] = []
        var literal = String.UnicodeScalarView()
        var index = 0
        while index < scalars.count {
            if scalars[index] == "$", isMark(scalars, at: index + 1) {
                literal.append(contentsOf: "${{".unicodeScalars)
                index += 4
            } else if isMark(scalars, at: index) {
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
                    let inner = String(scalars[offset..<end])
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

    private static func isMark(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        index + 2 < scalars.count && scalars[index] == "$" && scalars[index + 1] == "{" && scalars[index + 2] == "{"
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

extension String {
    /// As `Array(unicodeScalars)`, which goes through generic code.
    var scalarArray: [Unicode.Scalar] {
        [Unicode.Scalar](unsafeUninitializedCapacity: utf8.count) { buffer, count in
            for scalar in unicodeScalars {
                buffer.initializeElement(at: count, to: scalar)
                count += 1
            }
        }
    }

    /// As `String(String.UnicodeScalarView(scalars))`, in a tenth of the time.
    init(_ scalars: ArraySlice<Unicode.Scalar>) {
        self.init(unsafeUninitializedCapacity: 4 * scalars.count) { buffer in
            var count = 0
            for scalar in scalars {
                for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                    buffer[count] = unit
                    count += 1
                }
            }
            return count
        }
    }
}
