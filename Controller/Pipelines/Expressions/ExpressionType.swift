import ControllerCore

/// What is known about an expression's value before it is evaluated.
enum ExpressionType: Equatable, Sendable {
    case null, boolean, number, text, unknown
    /// A text that is one of a few.
    case oneOf([String])

    var isText: Bool {
        switch self {
        case .text, .oneOf: true
        case .null, .boolean, .number, .unknown: false
        }
    }

    /// For messages.
    var name: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .text, .oneOf: "a text"
        case .unknown: "a value"
        }
    }

    /// Whether values of both types can be equal. Everything may be null, since a missing name is.
    func canEqual(_ other: ExpressionType) -> Bool {
        if self == .unknown || other == .unknown || self == .null || other == .null { return true }
        return isText && other.isText || self == other
    }

    init(_ value: ExpressionValue) {
        switch value {
        case .null: self = .null
        case .boolean: self = .boolean
        case .number: self = .number
        case .text: self = .text
        }
    }

    init(_ kind: InputPlan.Kind, options: [String]) {
        switch kind {
        case .text: self = .text
        case .number: self = .number
        case .boolean: self = .boolean
        case .choice: self = .oneOf(options)
        }
    }
}
