import ControllerCore
import ControllerPipelines

/// The compiler behind the core's port.
struct PipelineReader: PipelineReading, DefinitionReading {
    func compile(_ request: CompileRequest) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        func some(_ text: String) -> String? { text.isEmpty ? nil : text }
        let context = CompileContext(
            event: request.event, ref: some(request.ref), branch: some(request.branch), tag: some(request.tag),
            commit: some(request.commit), repository: some(request.repositoryURL),
            inputs: request.inputs.mapValues { .text($0) }, allowLocalRepositories: request.allowLocalRepositories,
            pullRequest: request.pullRequest, payload: request.payload, changedPaths: request.changedPaths,
            trusted: request.trusted, isDraft: request.isDraft)
        let outcome = PipelineCompiler.compile(
            request.definition, file: request.file, includes: request.included, context: context)
        return (outcome.plan, outcome.diagnostics)
    }

    func includes(in text: String, file: String) -> [String] { PipelineCompiler.includes(of: text) }

    func triggers(in text: String, file: String) -> TriggerPlan? { PipelineCompiler.triggers(of: text, file: file) }
}
