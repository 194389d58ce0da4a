package import ControllerCore

/// Reads pipeline files. Pure: the same text and context always give the same result.
package enum PipelineCompiler {
    /// Reads a file and judges everything that does not depend on a run.
    ///
    /// - Parameters:
    ///   - source: the file's bytes.
    ///   - file: its name for diagnostics.
    /// - Returns: all findings in the order of the file; the definition where none is an error.
    package static func validate(
        _ source: [UInt8], file: String
    ) -> (definition: PipelineDefinition?, diagnostics: [Diagnostic]) {
        var findings = Findings(file: file)
        let definition = read(source, &findings)
        return (definition, findings.sorted)
    }

    /// As ``validate(_:file:)-([UInt8],_)``.
    package static func validate(
        _ source: String, file: String
    ) -> (definition: PipelineDefinition?, diagnostics: [Diagnostic]) {
        validate(Array(source.utf8), file: file)
    }

    /// Reads a file and makes the plan of a run.
    package static func compile(_ source: [UInt8], file: String, context: CompileContext) -> CompileOutcome {
        var findings = Findings(file: file)
        guard let definition = read(source, &findings) else {
            return CompileOutcome(plan: nil, diagnostics: findings.sorted)
        }
        var compiler = DefinitionCompiler(definition, context, findings)
        var plan = compiler.compile()
        let diagnostics = compiler.findings.sorted
        plan.warnings = diagnostics.filter { $0.severity == .warning }
        return CompileOutcome(plan: compiler.findings.hasErrors ? nil : plan, diagnostics: diagnostics)
    }

    package static func compile(_ source: String, file: String, context: CompileContext) -> CompileOutcome {
        compile(Array(source.utf8), file: file, context: context)
    }

    private static func read(_ source: [UInt8], _ findings: inout Findings) -> PipelineDefinition? {
        guard let root = YamlReader.read(source, &findings) else { return nil }
        if root.isNull {
            findings.report(.emptyFile, "The file is empty.", at: .start, hint: "A pipeline has `steps` or `jobs`.")
            return nil
        }
        guard let fields = SchemaReader.read(root, &findings) else { return nil }
        let definition = DefinitionBuilder.build(fields, root: root, &findings)
        return findings.hasErrors ? nil : definition
    }
}
