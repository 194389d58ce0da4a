import AnsFlowProtocol
import ControllerCore

// Builds of Jenkins that are shown as runs.
extension WebhookWorker {
    /// Shows a build as a run of each of the hook's pipelines. Told again, or judged again after a crash, it changes nothing more.
    func mirror(
        _ payload: PlanJSON, _ delivery: DeliveryRow, _ hook: HookRow, _ builds: any BuildMirroring
    ) async throws {
        guard let build = JenkinsBuild(payload) else {
            return try await end(
                delivery,
                "It could not be understood: a notice of a build has `name`, `build.number` and a `build.phase` that is known."
            )
        }
        if case .queued = build.phase {
            return try await end(delivery, "\(build.summary). It is shown once it starts.")
        }
        let chosen = try await all(hook.project).filter { hook.pipelines.contains($0.id) }
        guard !chosen.isEmpty else {
            return try await end(delivery, "\(build.summary). The pipelines that the hook names are gone.")
        }
        var wishes: [DeliveryWish] = []
        for pipeline in chosen {
            wishes.append(DeliveryWish(try await mirror(build, hook, pipeline, builds)))
        }
        let shown = wishes.compactMap(\.verdict.run).map { "run \($0)" }.joined(separator: ", ")
        try await end(delivery, build.summary + (shown.isEmpty ? "" : ", shown as \(shown)"), wishes)
    }

    private func mirror(
        _ build: JenkinsBuild, _ hook: HookRow, _ pipeline: PipelineRow, _ builds: any BuildMirroring
    ) async throws -> DeliveryVerdict {
        var verdict = DeliveryVerdict(
            pipeline: pipeline.id, pipelineName: pipeline.name, outcome: .started, message: "")
        let place = MirroredBuild(hook: hook.id, pipeline: pipeline.id, name: build.name)
        let run: RunID
        if let known = try await builds.run(of: place) {
            run = known
            verdict.message = "it is shown already"
        } else {
            guard pipeline.enabled else {
                verdict.outcome = .refused
                verdict.message = "The pipeline is paused."
                return verdict
            }
            do throws(CommandFailure) {
                run = try await builds.begin(
                    place, of: pipeline, by: "jenkins", branch: build.branch, commit: build.commit,
                    actor: "jenkins (hook \(hook.name))")
                verdict.message = "it began"
            } catch {
                guard case .conflict(let why) = error else { throw Self.trouble(error) }
                verdict.outcome = .refused
                verdict.message = why
                return verdict
            }
        }
        verdict.run = run
        guard case .ended(let status) = build.phase else { return verdict }
        do throws(ReportFailure) {
            try await builds.end(run, status, message: build.summary, log: build.log)
            verdict.message = "it ended: \(status.rawValue)"
        } catch {
            switch error {
            case .notOpen: verdict.message = "it had ended already"
            case .waiting: throw Trouble(message: "the run waits, since many others of its kind go on.")
            case .unavailable, .hole, .full: throw Trouble(message: "nothing can be made durable now.")
            }
        }
        return verdict
    }

    private static func trouble(_ failure: CommandFailure) -> Trouble {
        switch failure {
        case .notWritable(let why): Trouble(message: "nothing can be made durable: \(why).")
        case .overloaded: Trouble(message: "too many runs are active or wait.")
        case .conflict(let why): Trouble(message: why)
        case .notFound, .invalid: Trouble(message: "the engine refused it.")
        }
    }
}
