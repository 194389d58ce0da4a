package import ControllerCore

/// Reads pipeline files. Pure: the same texts and context always give the same result.
package enum PipelineCompiler {
    /// A definition with all findings about it: what can be kept and compiled for many runs.
    package struct Reading: Sendable {
        /// `nil` where a finding is an error.
        package var definition: PipelineDefinition?
        fileprivate var findings: Findings

        /// In the order of the files.
        package var diagnostics: [Diagnostic] { findings.sorted }
    }

    /// Reads a pipeline and judges everything that does not depend on a run.
    ///
    /// - Parameters:
    ///   - source: the file's bytes.
    ///   - file: its name for diagnostics, and its path in the repository, against which `include` is judged.
    ///   - includes: texts of the included files by their path, as `IncludeWalk` gives them; ``includes(of:)`` says which are
    ///     wanted.
    package static func read(_ source: [UInt8], file: String, includes: [String: String] = [:]) -> Reading {
        var findings = Findings(file: file)
        let definition = IncludeReader.read(source, includes: includes, &findings)
        return Reading(definition: findings.hasErrors ? nil : definition, findings: findings)
    }

    /// As ``read(_:file:includes:)``.
    ///
    /// - Returns: all findings in the order of the files; the definition where none is an error.
    package static func validate(
        _ source: [UInt8], file: String, includes: [String: String] = [:]
    ) -> (definition: PipelineDefinition?, diagnostics: [Diagnostic]) {
        let reading = read(source, file: file, includes: includes)
        return (reading.definition, reading.diagnostics)
    }

    /// As ``validate(_:file:includes:)-([UInt8],_,_)``.
    package static func validate(
        _ source: String, file: String, includes: [String: String] = [:]
    ) -> (definition: PipelineDefinition?, diagnostics: [Diagnostic]) {
        validate(Array(source.utf8), file: file, includes: includes)
    }

    /// The paths that a file includes, as written; none where it can't be read, which ``validate(_:file:includes:)`` then says.
    package static func includes(of source: String) -> [String] {
        // Nearly all files have none, and a file is only read twice where it has.
        guard names("include", source) else { return [] }
        var findings = Findings(file: "")
        guard let root = YamlReader.read(Array(source.utf8), &findings) else { return [] }
        return IncludeReader.includes(of: root)
    }

    /// Whether the text holds `word`, by bytes: comparing characters would take longer than compiling some files.
    private static func names(_ word: StaticString, _ source: String) -> Bool {
        var source = source
        return word.withUTF8Buffer { word in
            source.withUTF8 { bytes in
                guard let first = word.first, bytes.count >= word.count else { return false }
                for start in 0...bytes.count - word.count where bytes[start] == first {
                    if bytes[start..<start + word.count].elementsEqual(word) { return true }
                }
                return false
            }
        }
    }

    /// What starts a pipeline, whatever else is wrong with its file.
    ///
    /// - Returns: `nil` where the file is no YAML or its `on` is wrong.
    package static func triggers(of source: String, file: String = "") -> TriggerPlan? {
        var findings = Findings(file: file)
        guard let root = YamlReader.read(Array(source.utf8), &findings), case .mapping(let entries) = root.content,
            !findings.hasErrors
        else { return nil }
        guard let entry = entries.first(where: { $0.key == "on" }) else { return .whenAbsent }
        return DefinitionBuilder.triggers(YamlNode(mapping: [entry], span: root.span), &findings)
    }

    /// Makes the plan of a run from a definition that was read before.
    package static func compile(_ reading: Reading, context: CompileContext) -> CompileOutcome {
        guard let definition = reading.definition else {
            return CompileOutcome(plan: nil, diagnostics: reading.diagnostics)
        }
        var compiler = DefinitionCompiler(definition, context, reading.findings)
        var plan = compiler.compile()
        let diagnostics = compiler.findings.sorted
        plan.warnings = diagnostics.filter { $0.severity == .warning }
        return CompileOutcome(plan: compiler.findings.hasErrors ? nil : plan, diagnostics: diagnostics)
    }

    /// Reads a file and makes the plan of a run.
    package static func compile(
        _ source: [UInt8], file: String, includes: [String: String] = [:], context: CompileContext
    ) -> CompileOutcome {
        compile(read(source, file: file, includes: includes), context: context)
    }

    package static func compile(
        _ source: String, file: String, includes: [String: String] = [:], context: CompileContext
    ) -> CompileOutcome {
        compile(Array(source.utf8), file: file, includes: includes, context: context)
    }
}
