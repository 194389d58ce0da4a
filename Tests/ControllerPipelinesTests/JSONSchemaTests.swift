import ControllerCore
import Foundation
import Testing

@testable import ControllerPipelines

/// A file as editors see it: plain scalars have types.
private func document(_ source: String) throws -> Any {
    func value(_ node: YamlNode) -> Any {
        switch node.content {
        case .sequence(let items): return items.map(value)
        case .mapping(let entries):
            return Dictionary(entries.map { ($0.key, value($0.value)) }) { first, _ in first }
        case .scalar(let scalar):
            if node.isNull { return NSNull() }
            guard scalar.style == .plain else { return scalar.text }
            if let flag = Scalars.boolean(scalar.text) { return flag as NSNumber }
            return Scalars.number(scalar.text).map { $0 as NSNumber } ?? scalar.text
        }
    }
    var findings = Findings(file: "")
    return value(try #require(YamlReader.read(Array(source.utf8), &findings)))
}

@Suite("The JSON Schema for editors")
struct JSONSchemaTests {
    private let schema: JSONSchemaJudge

    init() throws {
        schema = try JSONSchemaJudge(PipelineSchema.jsonSchema())
    }

    @Test("what AnsFlow accepts fits")
    func accepted() throws {
        var count = 0
        for source in try Corpus.all() where PipelineCompiler.validate(source, file: "").definition != nil {
            let fault = schema.fault(try document(source))
            #expect(fault == nil, "\(fault ?? "")\n\(source)")
            count += 1
        }
        #expect(count >= 10)
    }

    @Test("words and types that are wrong do not fit")
    func refused() throws {
        // What an editor can't know: lengths in bytes, empty lists, names that are there twice.
        let known: Set<DiagnosticCode> = [
            .unknownWord, .foreignWord, .missingWord, .wrongType, .notSupportedYet, .invalidID, .reservedName,
        ]
        let beyond: Set<String> = ["steps[2].id", "steps[3].id", "finally[2].id", "secrets[0]", "secrets[3]"]
        var count = 0
        for fixture in wordFixtures + (allWordsAreOn ? languageFixtures : []) {
            let diagnostics = PipelineCompiler.validate(fixture.source, file: "").diagnostics
            guard diagnostics.contains(where: { known.contains($0.code) && !beyond.contains($0.path) }) else {
                continue
            }
            #expect(schema.fault(try document(fixture.source)) != nil, "\(fixture.name)")
            count += 1
        }
        #expect(count >= 10)
    }

    @Test("it is a schema of the draft that it names")
    func metaSchema() throws {
        let script =
            "import sys, json\ntry:\n import jsonschema\nexcept ImportError: sys.exit(0)\n"
            + "jsonschema.Draft202012Validator.check_schema(json.load(open(sys.argv[1])))\n"
        let file = FileManager.default.temporaryDirectory.appending(path: "ansflow-schema-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(PipelineSchema.jsonSchema()).write(to: file)
        let python = URL(filePath: "/usr/bin/python3")
        guard FileManager.default.isExecutableFile(atPath: python.path) else { return }
        let process = Process()
        process.executableURL = python
        process.arguments = ["-c", script, file.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}

/// Enough of JSON Schema for our own.
struct JSONSchemaJudge {
    private let root: [String: Any]

    init(_ bytes: [UInt8]) throws {
        root = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    /// Why a value does not fit.
    func fault(_ value: Any) -> String? { fault(value, root, "") }

    private func fault(_ value: Any, _ schema: Any, _ path: String) -> String? {
        guard let rules = schema as? [String: Any] else { return schema as? Bool == false ? "\(path): refused" : nil }
        for (word, rule) in rules.sorted(by: { $0.key < $1.key }) {
            if let fault = judge(value, word, rule, rules, path) { return fault }
        }
        return nil
    }

    private func judge(_ value: Any, _ word: String, _ rule: Any, _ rules: [String: Any], _ path: String) -> String? {
        let object = value as? [String: Any]
        let text = value as? String
        let number = isBoolean(value) ? nil : value as? NSNumber
        func when(_ isWrong: Bool) -> String? { isWrong ? "\(path): \(word)" : nil }
        switch word {
        case "$ref":
            let name = String((rule as? String ?? "").split(separator: "/").last ?? "")
            return fault(value, (root["$defs"] as? [String: Any])?[name] ?? false, path)
        case "type": return when(!types(rule).contains { fits(value, $0) })
        case "enum": return when(!((rule as? [String])?.contains(text ?? "") ?? false))
        case "const": return when(!(isBoolean(value) && value as? Bool == rule as? Bool))
        case "pattern":
            guard let text, let pattern = try? Regex(rule as? String ?? "") else { return nil }
            return when(text.firstMatch(of: pattern) == nil)
        case "maxLength": return when(text.map { $0.unicodeScalars.count > rule as? Int ?? 0 } ?? false)
        case "minimum": return when(number.map { $0.doubleValue < (rule as? Double ?? 0) } ?? false)
        case "maximum": return when(number.map { $0.doubleValue > (rule as? Double ?? 0) } ?? false)
        case "maxItems": return when((value as? [Any]).map { $0.count > rule as? Int ?? 0 } ?? false)
        case "maxProperties": return when(object.map { $0.count > rule as? Int ?? 0 } ?? false)
        case "required":
            return when(object.map { object in (rule as? [String] ?? []).contains { object[$0] == nil } } ?? false)
        case "items":
            for (index, item) in (value as? [Any] ?? []).enumerated() {
                if let fault = fault(item, rule, "\(path)[\(index)]") { return fault }
            }
        case "properties", "additionalProperties":
            let properties = rules["properties"] as? [String: Any] ?? [:]
            for (key, inner) in object ?? [:] {
                let schema = word == "properties" ? properties[key] : properties[key] == nil ? rule : nil
                if let schema, let fault = fault(inner, schema, "\(path).\(key)") { return fault }
            }
        case "propertyNames":
            for key in (object ?? [:]).keys {
                if let fault = fault(key, rule, "\(path).\(key)") { return fault }
            }
        case "allOf":
            for schema in rule as? [Any] ?? [] {
                if let fault = fault(value, schema, path) { return fault }
            }
        case "anyOf": return when(!(rule as? [Any] ?? []).contains { fault(value, $0, path) == nil })
        case "not": return when(fault(value, rule, path) == nil)
        case "$schema", "$defs", "title", "description": break
        default: return "\(path): the keyword \(word) is not known to the test"
        }
        return nil
    }

    private func types(_ rule: Any) -> [String] { rule as? [String] ?? [rule as? String ?? ""] }

    private func isBoolean(_ value: Any) -> Bool {
        guard let number = value as? NSNumber else { return false }
        return ["c", "B"].contains(String(cString: number.objCType))
    }

    private func fits(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "null": value is NSNull
        case "boolean": isBoolean(value)
        case "number": !isBoolean(value) && value is NSNumber
        case "integer":
            !isBoolean(value) && (value as? NSNumber).map { $0.doubleValue.rounded() == $0.doubleValue } ?? false
        default: false
        }
    }
}
