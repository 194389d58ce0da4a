import ControllerCore

extension RunRoutes {
    /// The request that starts a run, with its commit and its definition as they are now.
    func request(
        _ pipeline: PipelineRow, _ source: RunSource, event: String = "manual", inputs: [String: String],
        _ actor: String, _ priority: Int, _ key: String?, facts: RunFacts? = nil
    ) async throws -> RunRequest {
        guard let preparation = services.preparation else {
            return try compile(pipeline, source, event: event, inputs: inputs, actor, priority, key, facts: facts)
        }
        var wish = RunWish(
            event: event, ref: source.ref, commit: source.commit, inputs: inputs, priority: priority, actor: actor,
            idempotencyKey: key)
        if let facts {
            wish.pullRequest = facts.pullRequest
            wish.payload = facts.payload
            wish.changedPaths = facts.changedPaths
            wish.trusted = facts.trusted
        }
        do throws(RunRefusal) {
            return try await preparation.prepare(pipeline, wish)
        } catch {
            throw Problem(error)
        }
    }
}

extension Problem {
    /// A host that can't be reached is no fault of the request, and may be well again soon; everything else is for the caller to mend.
    init(_ refusal: RunRefusal) {
        switch refusal {
        case .definition(let diagnostics):
            self = RunRoutes.problem(diagnostics)
        case .trigger(let why), .unneeded(let why):
            self = .conflict(why)
        case .repository(let failure):
            let detail = "The repository could not be fetched: \(failure)"
            let items = [Problem.Item(path: Self.field(failure.reason), message: detail)]
            self =
                failure.mayRetry
                ? Problem(502, "Repository unavailable", detail, errors: items, retryAfter: 30)
                : .invalid(detail, errors: items)
        }
    }

    /// What the caller would change.
    private static func field(_ reason: RepositoryFailure.Reason) -> String {
        switch reason {
        case .noSuchRef, .noSuchCommit: "ref"
        case .noSuchFile, .notAFile: "repository.path"
        case .denied: "repository.credential"
        default: "repository.url"
        }
    }
}
