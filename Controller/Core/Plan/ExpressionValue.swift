/// A value of the expression language.
package enum ExpressionValue: Codable, Equatable, Hashable, Sendable {
    /// Also what a name that does not exist gives.
    case null
    case boolean(Bool)
    /// Never NaN or infinite.
    case number(Double)
    case text(String)

    /// Only `true` is true. There is no truth in texts and numbers.
    package var isTrue: Bool { self == .boolean(true) }

    /// How the value is written into a text by `${{ }}`: nothing for null, whole numbers without a fraction.
    package var text: String {
        switch self {
        case .null: return ""
        case .boolean(let flag): return flag ? "true" : "false"
        case .number(let number):
            if let whole = Int64(exactly: number) { return String(whole) }
            return "\(number)"
        case .text(let text): return text
        }
    }
}

extension ExpressionValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}
