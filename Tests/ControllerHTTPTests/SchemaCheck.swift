import Foundation

/// Holds values against the schemas of the served description: the part of JSON Schema 2020-12 that it uses, and nothing else.
struct SchemaCheck: @unchecked Sendable {
    /// As it was parsed; never changed.
    let document: [String: Any]

    init(_ document: [String: Any]) { self.document = document }

    init(_ document: Data) throws {
        self.document = try JSONSerialization.jsonObject(with: document) as? [String: Any] ?? [:]
    }

    /// What the schemas know of; a word that is not here would be passed over, so it is a fault.
    private static let words: Set<String> = [
        "$ref", "anyOf", "type", "minLength", "maxLength", "format", "pattern", "enum", "minimum", "maximum", "items",
        "maxItems", "properties", "required", "additionalProperties", "default", "description",
    ]

    /// Everything that `value` has and its schema does not allow, as `place: what`.
    func faults(_ value: Any, _ schema: Any?, at place: String = "$") -> [String] {
        guard let schema = schema as? [String: Any] else { return ["\(place): there is no schema"] }
        if let reference = schema["$ref"] as? String { return faults(value, resolve(reference), at: place) }
        let strange = Set(schema.keys).subtracting(Self.words)
        guard strange.isEmpty else { return ["\(place): the schema has \(strange.sorted())"] }
        if let any = schema["anyOf"] as? [Any] {
            let all = any.map { faults(value, $0, at: place) }
            return all.contains([]) ? [] : all.min { $0.count < $1.count } ?? []
        }
        guard let type = schema["type"] else { return schema.isEmpty ? [] : ["\(place): the schema has no type"] }
        let types = type as? [String] ?? [type as? String ?? ""]
        let found = Self.type(of: value)
        guard types.contains(found) || found == "integer" && types.contains("number") else {
            return ["\(place): it is \(found), not \(types.joined(separator: " or "))"]
        }
        switch found {
        case "string": return text(value as? String ?? "", schema, place)
        case "integer": return number((value as? NSNumber)?.int64Value ?? 0, schema, place)
        case "array": return array(value as? [Any] ?? [], schema, place)
        case "object": return object(value as? [String: Any] ?? [:], schema, place)
        default: return []
        }
    }

    func resolve(_ reference: String) -> Any? {
        var value: Any? = document
        for part in reference.dropFirst(2).split(separator: "/") {
            value = (value as? [String: Any])?[String(part)]
        }
        return value
    }

    private static func type(of value: Any) -> String {
        switch value {
        case is NSNull: "null"
        case is String: "string"
        case is [Any]: "array"
        case is [String: Any]: "object"
        case let number as NSNumber:
            if String(cString: number.objCType) == "c" {
                "boolean"
            } else if number.doubleValue == number.doubleValue.rounded() {
                "integer"
            } else {
                "number"
            }
        default: "unknown"
        }
    }

    private func text(_ text: String, _ schema: [String: Any], _ place: String) -> [String] {
        var faults: [String] = []
        let count = text.unicodeScalars.count
        if let min = schema["minLength"] as? Int, count < min { faults.append("\(place): shorter than \(min)") }
        if let max = schema["maxLength"] as? Int, count > max { faults.append("\(place): longer than \(max)") }
        if let values = schema["enum"] as? [String], !values.contains(text) {
            faults.append("\(place): `\(text)` is none of \(values)")
        }
        if let pattern = schema["pattern"] as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            faults.append("\(place): `\(text)` does not match \(pattern)")
        }
        if schema["format"] as? String == "date-time",
            text.range(
                of: #"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"#, options: .regularExpression) == nil
        {
            faults.append("\(place): `\(text)` is no time")
        }
        return faults
    }

    private func number(_ value: Int64, _ schema: [String: Any], _ place: String) -> [String] {
        var faults: [String] = []
        if let min = schema["minimum"] as? NSNumber, value < min.int64Value { faults.append("\(place): below \(min)") }
        if let max = schema["maximum"] as? NSNumber, value > max.int64Value { faults.append("\(place): above \(max)") }
        return faults
    }

    private func array(_ items: [Any], _ schema: [String: Any], _ place: String) -> [String] {
        if let max = schema["maxItems"] as? Int, items.count > max { return ["\(place): more than \(max) items"] }
        guard let item = schema["items"] else { return [] }
        return items.enumerated().flatMap { faults($0.element, item, at: "\(place)[\($0.offset)]") }
    }

    private func object(_ members: [String: Any], _ schema: [String: Any], _ place: String) -> [String] {
        let properties = schema["properties"] as? [String: Any]
        let required = schema["required"] as? [String] ?? []
        var faults = required.filter { members[$0] == nil }.map { "\(place): `\($0)` is missing" }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let known = properties?[name] {
                faults += self.faults(value, known, at: "\(place).\(name)")
            } else if let others = schema["additionalProperties"] as? [String: Any] {
                faults += self.faults(value, others, at: "\(place).\(name)")
            } else if properties?.isEmpty == false || schema["additionalProperties"] as? Bool == false {
                // Stricter than the schema says: what we answer must be described.
                faults.append("\(place): `\(name)` is not described")
            }
        }
        return faults
    }
}
