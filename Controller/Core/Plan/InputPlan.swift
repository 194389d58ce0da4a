/// A value that a person, the API or a default gives to a run. In JSON it is a plain text, number or boolean.
package enum InputValue: Codable, Equatable, Hashable, Sendable {
    case text(String)
    case number(Double)
    case boolean(Bool)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .boolean(let flag): try container.encode(flag)
        }
    }

    /// What a step finds in `ANSFLOW_INPUT_<NAME>`: whole numbers without a fraction.
    package var variable: String { expressionValue.text }

    package var expressionValue: ExpressionValue {
        switch self {
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        case .boolean(let flag): .boolean(flag)
        }
    }
}

/// A declared input and its value in this run.
package struct InputPlan: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case text, number, boolean, choice
    }

    package var name: String
    package var kind: Kind
    /// What a choice may be; empty for the other kinds.
    package var options: [String]
    /// The default as the file gives it.
    package var defaultValue: InputValue?
    package var required: Bool
    package var description: String?
    /// `nil` where nobody gave a value and there is no default.
    package var value: InputValue?

    package init(
        name: String, kind: Kind, options: [String] = [], defaultValue: InputValue? = nil, required: Bool = false,
        description: String? = nil, value: InputValue? = nil
    ) {
        self.name = name
        self.kind = kind
        self.options = options
        self.defaultValue = defaultValue
        self.required = required
        self.description = description
        self.value = value
    }

    enum CodingKeys: String, CodingKey {
        case name, kind, options, required, description, value
        case defaultValue = "default"
    }

    /// The variable in which steps find the value: letters in upper case, `-` as `_`.
    package static func variableName(_ name: String) -> String {
        "ANSFLOW_INPUT_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
