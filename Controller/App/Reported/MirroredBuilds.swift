import AnsFlowProtocol
import ControllerCore
import ControllerStore

/// Builds of other systems as runs: made by the engine, ended like every run that another system reports.
struct MirroredBuilds: BuildMirroring {
    let database: Database
    let engine: Engine
    let reported: any ReportedRuns

    func run(of build: MirroredBuild) async throws -> RunID? { try await database.run(of: build) }

    func begin(
        _ build: MirroredBuild, of pipeline: PipelineRow, by system: String, branch: String, commit: String,
        actor: String
    ) async throws(CommandFailure) -> RunID {
        do {
            try await reported.prepare()
        } catch {
            throw .notWritable("\(error)")
        }
        func given(_ text: String) -> String? { text.isEmpty ? nil : text }
        let ref = branch.isEmpty ? "" : "refs/heads/\(branch)"
        let facts = RunFacts(event: "reported", ref: given(ref), branch: given(branch), commit: given(commit))
        let request = RunRequest(
            pipeline: pipeline, plan: .reported(pipeline.name, by: system, facts: facts), event: "reported", ref: ref,
            branch: branch, commit: commit, actor: actor, idempotencyKey: build.idempotencyKey)
        return try await engine.createRun(request).id
    }

    func end(_ run: RunID, _ status: ReportedStatus, message: String, log: String) async throws(ReportFailure) {
        if !log.isEmpty {
            do throws(ReportFailure) {
                _ = try await reported.append(Array(log.utf8), to: run, at: 0)
            } catch {
                // More than it may hold, or something else than was told before: the end matters more.
                switch error {
                case .full, .hole: break
                case .waiting, .notOpen, .unavailable: throw error
                }
            }
        }
        try await reported.report(status, exitCode: nil, message: message, of: run)
    }
}
