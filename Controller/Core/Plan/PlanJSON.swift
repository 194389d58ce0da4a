/// What a webhook's sender sent, as `payload` in expressions sees it: JSON.
package enum PlanJSON: Codable, Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([PlanJSON])
    case object([String: PlanJSON])

    /// The value at a path of keys; a list's elements are counted from 0.
    ///
    /// - Returns: null where there is none, and for lists and objects: expressions compare scalars only.
    package func value(at keys: [String]) -> ExpressionValue {
        var value = self
        for key in keys {
            switch value {
            case .object(let members):
                guard let member = members[key] else { return .null }
                value = member
            case .list(let elements):
                guard let index = Int(key), elements.indices.contains(index) else { return .null }
                value = elements[index]
            case .null, .boolean, .number, .text:
                return .null
            }
        }
        switch value {
        case .boolean(let flag): return .boolean(flag)
        case .number(let number): return number.isFinite ? .number(number) : .null
        case .text(let text): return .text(text)
        case .null, .list, .object: return .null
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let elements = try? container.decode([PlanJSON].self) {
            self = .list(elements)
        } else {
            self = .object(try container.decode([String: PlanJSON].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }
}
