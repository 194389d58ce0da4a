import ControllerCore

extension Schema {
    /// As JSON Schema 2020-12, with components by reference.
    ///
    /// - Parameter more: writes further members beside those of the schema; not for components.
    func write(_ json: inout JSONWriter, more: (inout JSONWriter) -> Void = { _ in }) {
        switch self {
        case .component(let component):
            json.object { $0.field("$ref", "#/components/schemas/\(component.name)") }
        case .either(let schemas):
            // A list of values would have to name null too: it stays a schema of its own.
            if schemas.count == 2, case .null = schemas[1], let type = schemas[0].plainType, !schemas[0].hasValues {
                return json.object { json in
                    json.name("type")
                    json.array([type, "null"]) { $0.string($1) }
                    schemas[0].rules(&json)
                }
            }
            json.object { json in
                json.name("anyOf")
                json.array(schemas) { $1.write(&$0) }
            }
        default:
            json.object { json in
                if let type = plainType { json.field("type", type) }
                rules(&json)
                more(&json)
            }
        }
    }

    private var plainType: String? {
        switch self {
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .null: "null"
        case .array: "array"
        case .object, .map: "object"
        case .anything, .either, .component: nil
        }
    }

    private var hasValues: Bool {
        if case .string(let rules) = self { return !rules.values.isEmpty }
        return false
    }

    private func rules(_ json: inout JSONWriter) {
        switch self {
        case .string(let rules):
            if rules.min > 0 { json.field("minLength", rules.min) }
            if let max = rules.max { json.field("maxLength", max) }
            if let format = rules.format { json.field("format", format) }
            if let pattern = rules.pattern { json.field("pattern", pattern) }
            if !rules.values.isEmpty { json.field("enum", rules.values) }
        case .integer(let range):
            json.field("format", "int64")
            if range.lowerBound > .min { json.field("minimum", range.lowerBound) }
            if range.upperBound < .max { json.field("maximum", range.upperBound) }
        case .array(let items, let max):
            json.name("items")
            items.write(&json)
            if let max { json.field("maxItems", max) }
        case .object(let members):
            json.name("properties")
            json.object { json in
                for member in members.all {
                    json.key(member.name)
                    member.schema.write(&json)
                }
            }
            let required = members.all.map(\.name).filter { members.required.contains($0) }
            if !required.isEmpty { json.field("required", required) }
            if members.isClosed { json.field("additionalProperties", false) }
        case .map(let values):
            json.name("additionalProperties")
            values.write(&json)
        case .number, .boolean, .null, .anything, .either, .component: break
        }
    }

    /// All components that it names, also by way of others.
    func components(into found: inout [String: Component]) {
        switch self {
        case .component(let component):
            guard found.updateValue(component, forKey: component.name) == nil else { return }
            component.schema.components(into: &found)
        case .array(let items, _): items.components(into: &found)
        case .map(let values): values.components(into: &found)
        case .either(let schemas): for schema in schemas { schema.components(into: &found) }
        case .object(let members): for member in members.all { member.schema.components(into: &found) }
        case .string, .integer, .number, .boolean, .null, .anything: break
        }
    }
}
