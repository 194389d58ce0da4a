import ControllerCore

/// The form of a JSON value, as much of JSON Schema 2020-12 as the interface needs. It is written into the served description and
/// held against examples and real answers by the tests.
package indirect enum Schema: Sendable {
    case string(StringRules)
    case integer(ClosedRange<Int64>)
    case number
    case boolean
    case null
    /// Whatever JSON there is.
    case anything
    case array(Schema, max: Int?)
    case object(Members)
    /// Names that nobody knows before, all with values of one form.
    case map(Schema)
    case either([Schema])
    case component(Component)

    package struct StringRules: Sendable, Equatable {
        package var min = 0
        package var max: Int?
        package var format: String?
        package var pattern: String?
        /// Empty where every text will do.
        package var values: [String] = []
    }

    package struct Members: Sendable {
        package var all: [(name: String, schema: Schema)]
        package var required: Set<String>
        /// Whether the description says that there is nothing else. Requests are: an unknown field is refused. Answers are not: a
        /// newer controller may say more.
        package var isClosed: Bool
    }
}

/// A schema with a name of its own in the description, and a value that fits it.
package struct Component: Sendable {
    package let name: String
    package let schema: Schema
    /// JSON.
    package let example: String

    package init(_ name: String, _ schema: Schema, example: String) {
        self.name = name
        self.schema = schema
        self.example = example
    }
}

// MARK: Short names

extension Schema {
    package static let text = Schema.string(StringRules())
    package static let flag = Schema.boolean
    package static let id = Schema.integer(Int64(Fields.ids.lowerBound)...Int64(Fields.ids.upperBound))
    package static let count = Schema.integer(0...Int64.max)
    package static let int = Schema.integer(Int64.min...Int64.max)
    /// RFC 3339, UTC, with milliseconds.
    package static let time = Schema.string(StringRules(format: "date-time"))
    /// Lower-case hexadecimal.
    package static let sha256 = Schema.string(StringRules(min: 64, max: 64, pattern: "^[0-9a-f]{64}$"))

    package static func text(_ length: ClosedRange<Int>, pattern: String? = nil) -> Schema {
        .string(StringRules(min: length.lowerBound, max: length.upperBound, pattern: pattern))
    }

    package static func one(of values: [String]) -> Schema { .string(StringRules(values: values)) }

    /// Every raw value of an enumeration.
    package static func one<Value: CaseIterable & RawRepresentable>(of type: Value.Type) -> Schema
    where Value.RawValue == String { .one(of: type.allCases.map(\.rawValue)) }

    /// Or null.
    package static func optional(_ schema: Schema) -> Schema { .either([schema, .null]) }
    package static func list(of schema: Schema, max: Int? = nil) -> Schema { .array(schema, max: max) }

    /// An object of an answer. All members are there, but those of `maybe`.
    package static func object(_ members: KeyValuePairs<String, Schema>, maybe: Set<String> = []) -> Schema {
        let all = members.map { (name: $0.key, schema: $0.value) }
        return .object(Members(all: all, required: Set(all.map(\.name)).subtracting(maybe), isClosed: false))
    }

    /// An object of a request: members that are not required may be left out or null, others are refused.
    package static func input(_ members: KeyValuePairs<String, Schema>, required: Set<String> = []) -> Schema {
        let all = members.map { (name: $0.key, schema: required.contains($0.key) ? $0.value : .optional($0.value)) }
        return .object(Members(all: all, required: required, isClosed: true))
    }

    /// The members of an object, or of the component that is one, for an object that has more.
    package func adding(_ members: KeyValuePairs<String, Schema>) -> Schema {
        switch self {
        case .object(var old):
            for (name, schema) in members {
                old.all.append((name: name, schema: schema))
                old.required.insert(name)
            }
            return .object(old)
        case .component(let component): return component.schema.adding(members)
        default: preconditionFailure("only an object has members")
        }
    }
}
