import ControllerCore
import ControllerPipelines

/// What a file gives when it is only validated: `line:column code path` of each finding.
func findings(_ source: String) -> [String] {
    PipelineCompiler.validate(source, file: "test.yml").diagnostics.map(\.short)
}

/// Compiles a file that must be right.
func plan(_ source: String, _ context: CompileContext = CompileContext()) throws -> RunPlan {
    let outcome = PipelineCompiler.compile(source, file: "test.yml", context: context)
    guard let plan = outcome.plan else { throw Refused(diagnostics: outcome.diagnostics) }
    return plan
}

struct Refused: Error, CustomStringConvertible {
    var diagnostics: [Diagnostic]
    var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

extension Diagnostic {
    var short: String {
        "\(line):\(column) \(code.rawValue)\(path.isEmpty ? "" : " \(path)")"
    }
}

let repository = "https://git.example.org/team/service.git"

/// Whether no word is refused that this version reads: ``PipelineSchema/later`` can turn words off that nothing carries out, and
/// tests of those words then have nothing to look at.
let allWordsAreOn = PipelineSchema.later.isSubset(of: [
    "cache", "container", "services", "cpu", "memory", "pids", "hash()",
])
