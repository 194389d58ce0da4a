import ControllerCore
import ControllerPipelines

/// The compiler behind the core's port.
struct PipelineReader: PipelineReading, DefinitionReading {
    struct Key: Hashable {
        var definition: String
        var file: String
        var included: [String: String]
    }

    /// Definitions that were read: the same text always gives the same, so there is one version of it.
    static let definitions = VersionedCache<Key, PipelineCompiler.Reading>(
        name: "definitions", bytesMax: 32 * 1024 * 1024)
    /// A definition takes about so many times the room of its text.
    private static let growth = 16

    private func reading(_ request: CompileRequest) -> PipelineCompiler.Reading {
        let key = Key(definition: request.definition, file: request.file, included: request.included)
        return Self.definitions.value(key, version: 0) {
            let text = request.definition.utf8.count + request.included.values.reduce(0) { $0 + $1.utf8.count }
            let reading = PipelineCompiler.read(
                Array(request.definition.utf8), file: request.file, includes: request.included)
            return (reading, text * Self.growth + 1024)
        }
    }

    func compile(_ request: CompileRequest) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        func some(_ text: String) -> String? { text.isEmpty ? nil : text }
        let context = CompileContext(
            event: request.event, ref: some(request.ref), branch: some(request.branch), tag: some(request.tag),
            commit: some(request.commit), repository: some(request.repositoryURL),
            inputs: request.inputs.mapValues { .text($0) }, allowLocalRepositories: request.allowLocalRepositories,
            pullRequest: request.pullRequest, payload: request.payload, changedPaths: request.changedPaths,
            trusted: request.trusted, isDraft: request.isDraft,
            variables: request.variables)
        let outcome = PipelineCompiler.compile(reading(request), context: context)
        return (outcome.plan, outcome.diagnostics)
    }

    func includes(in text: String, file: String) -> [String] { PipelineCompiler.includes(of: text) }

    func triggers(in text: String, file: String) -> TriggerPlan? { PipelineCompiler.triggers(of: text, file: file) }
}
