import ControllerCore

extension PipelineSchema {
    /// The language as a JSON Schema of draft 2020-12, for editors.
    ///
    /// A file that AnsFlow accepts always fits. One that fits can still be wrong: expressions, the graph, and what words say
    /// together are only judged by the compiler. Texts take numbers and booleans too, since editors read `3.10` as a number.
    package static func jsonSchema() -> [UInt8] {
        var writer = JSONSchemaWriter()
        let root = writer.reference(to: root)
        var members: [(String, SchemaJSON)] = [
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            ("title", .text("An AnsFlow pipeline")),
            ("allOf", .list([root])),
            (
                "anyOf",
                .list(["jobs", "steps", "include"].map { .object([("required", .texts([$0]))]) })
            ),
        ]
        let soleJob = soleJobWords.sorted().flatMap { word in Self.root.word(spelled: word)?.spellings ?? [] }
        members.append(
            (
                "not",
                .object([
                    ("required", .texts(["jobs"])),
                    ("anyOf", .list(soleJob.map { .object([("required", .texts([$0]))]) })),
                ])
            ))
        members.append(("$defs", .object(writer.definitions)))
        var bytes: [UInt8] = []
        SchemaJSON.object(members).write(into: &bytes)
        return bytes
    }
}

/// Writes each object of the table once, and refers to it from everywhere else.
private struct JSONSchemaWriter {
    private(set) var definitions: [(String, SchemaJSON)] = []
    private var names: [ObjectIdentifier: String] = [:]

    mutating func reference(to object: SchemaObject) -> SchemaJSON {
        let id = ObjectIdentifier(object)
        if let name = names[id] { return .object([("$ref", .text("#/$defs/\(name)"))]) }
        var name = object.title.split(separator: " ").dropFirst().joined(separator: "_").filter { $0 != "'" }
        if name.isEmpty { name = object.title }
        let taken = Set(names.values)
        let base = name
        var number = 2
        while taken.contains(name) {
            name = "\(base)_\(number)"
            number += 1
        }
        names[id] = name
        let place = definitions.count
        definitions.append((name, .boolean(true)))
        definitions[place].1 = .object(members(of: object) + [("additionalProperties", .boolean(false))])
        return .object([("$ref", .text("#/$defs/\(name)"))])
    }

    private mutating func members(of object: SchemaObject) -> [(String, SchemaJSON)] {
        var properties: [(String, SchemaJSON)] = []
        var rules: [SchemaJSON] = []
        for word in object.words {
            guard case .value(let type) = word.kind else { continue }
            for spelling in word.spellings {
                let note = spelling == word.name ? word.summary : "The same as `\(word.name)`."
                properties.append((spelling, schema(type, description: note)))
            }
            if word.isRequired { rules.append(Self.oneOf(word.spellings)) }
            for (index, spelling) in word.spellings.enumerated() {
                for other in word.spellings.dropFirst(index + 1) {
                    rules.append(.object([("not", .object([("required", .texts([spelling, other]))]))]))
                }
            }
        }
        // At the top `steps` may be missing, so the table does not say that a job needs them.
        if object === PipelineSchema.job { rules.append(Self.oneOf(["steps"])) }
        var members: [(String, SchemaJSON)] = [("type", .text("object")), ("properties", .object(properties))]
        if !rules.isEmpty { members.append(("allOf", .list(rules))) }
        return members
    }

    private static func oneOf(_ spellings: [String]) -> SchemaJSON {
        .object([("anyOf", .list(spellings.map { .object([("required", .texts([$0]))]) }))])
    }

    private mutating func schema(_ type: SchemaType, description: String? = nil) -> SchemaJSON {
        let note = description.map { [("description", SchemaJSON.text($0))] } ?? []
        return .object(note + members(of: type))
    }

    private mutating func members(of type: SchemaType) -> [(String, SchemaJSON)] {
        switch type {
        case .text(let rule): return Self.text(rule)
        case .integer(let range):
            return [
                ("type", .text("integer")), ("minimum", .integer(range.lowerBound)),
                ("maximum", .integer(range.upperBound)),
            ]
        case .boolean: return [("type", .text("boolean"))]
        case .duration:
            return Self.pattern(#"^(?=.)([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$"#)
        case .size: return Self.pattern(#"^[0-9]{1,9}(B|KB|MB|GB|KiB|MiB|GiB)$"#)
        case .expression:
            return [
                ("type", .texts(["string", "boolean"])), ("maxLength", .integer(2 * PlanLimits.expressionBytesMax)),
            ]
        case .choice(let options): return [("enum", .texts(options))]
        case .list(let item, let max):
            return [("type", .text("array")), ("items", schema(item)), ("maxItems", .integer(max))]
        case .listOrOne(let item, let max):
            return [("anyOf", .list([schema(item), schema(.list(item, max: max))]))]
        case .map(let value, let keys, let max):
            return [
                ("type", .text("object")), ("propertyNames", .object(Self.pattern(keys.jsonPattern))),
                ("additionalProperties", schema(value)), ("maxProperties", .integer(max)),
            ]
        case .object(let object):
            return [("allOf", .list([reference(to: object)]))]
        case .open(let object, let others, let keys, let max):
            return members(of: object) + [
                ("propertyNames", .object(Self.pattern(keys.jsonPattern))),
                ("additionalProperties", schema(others)), ("maxProperties", .integer(max + object.words.count)),
            ]
        case .byShape(let scalar, let list, let map, _):
            return [("anyOf", .list([scalar, list, map].compactMap(\.self).map { schema($0) }))]
        case .falseOr(let inner):
            return [("anyOf", .list([.object([("const", .boolean(false))]), schema(inner)]))]
        case .flagOr(let inner):
            return [("anyOf", .list([.object([("type", .texts(["boolean", "null"]))]), schema(inner)]))]
        case .labels(let map):
            let one = SchemaJSON.object(Self.pattern("^[A-Za-z_][A-Za-z0-9_.-]{0,127}=."))
            return [
                ("anyOf", .list([schema(map), one, .object([("type", .text("array")), ("items", one)])]))
            ]
        }
    }

    private static func pattern(_ pattern: String) -> [(String, SchemaJSON)] {
        [("type", .text("string")), ("pattern", .text(pattern))]
    }

    private static func text(_ rule: SchemaType.TextRule) -> [(String, SchemaJSON)] {
        var members: [(String, SchemaJSON)] = [
            ("type", .texts(["string", "number", "boolean"])), ("maxLength", .integer(rule.bytesMax)),
        ]
        if !rule.isEmptyAllowed { members.append(("pattern", .text(#"\S"#))) }
        if !rule.isInterpolated {
            members.append(
                ("not", .object([("type", .text("string")), ("pattern", .text(#"\$\{\{"#))])))
        }
        return members
    }
}

extension SchemaKeys {
    fileprivate var jsonPattern: String {
        let isOwn = self == .variable || self == .secret
        return "^\(isOwn ? "(?![Aa][Nn][Ss][Ff][Ll][Oo][Ww]_)" : "")\(pattern)$"
    }
}
