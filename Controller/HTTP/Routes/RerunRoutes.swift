import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Running again what ran before.
struct RerunRoutes {
    let services: HTTPServices
    let runs: RunRoutes

    var routes: [Route] {
        [
            Route(
                .post, RunRoutes.path + "/{id}/rerun", .run, "rerunRun",
                "Run a finished run again: all of it, what failed, or from one job on", role: .developer,
                body: ["application/json"],
                describes: Description(
                    .runs,
                    "`from` is `all`, `failed`, or the job or `job/step` from which on it runs again; `mode` with `job` and `step` says the same in three words.",
                    takes: .optional(Schemas.rerun, example: "{\"from\":\"failed\"}"),
                    answers: [.created(.component(Schemas.run))], problems: [502], keepsOwnKeys: true), handler: rerun)
        ]
    }

    private static let modes = "It must be `all`, `failed` or `from`."

    @Sendable private func rerun(_ call: Call) async throws -> Reply {
        let id = RunID(try call.id(what: "run"))
        var fields = try call.optionalFields()
        let latest = fields.bool("latest") ?? false
        let mode = Self.mode(&fields)
        if latest, mode != .all { fields.wrong("latest", "The newest definition can only be run as a whole.") }
        try fields.finish()
        guard let detail = try await services.queries.runDetail(id) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: detail.run.project, what: "run")
        let key = try RunRoutes.idempotencyKey(call)
        if let key, let known = try await services.queries.idempotentRun(key),
            let run = try await services.queries.run(known)
        {
            guard run.origin == id else {
                throw Problem.invalid(
                    "Idempotency-Key", "The Idempotency-Key was used for another run. Choose a new one.")
            }
            return RunRoutes.created(run, replayed: true)
        }
        guard !detail.plan.isReported else {
            throw Problem.conflict("Another system executes this run; start it there again.")
        }
        guard let pipeline = try await services.pipelines.pipeline(detail.run.pipeline) else {
            throw Problem.conflict("The run's pipeline was deleted, so it can't run again.")
        }
        guard pipeline.enabled else {
            throw Problem.conflict("The pipeline is paused. Enable it first: PATCH {\"enabled\": true}.")
        }
        if let floor = services.diskFloor() { throw Problem.unavailable(floor, retryAfter: 60) }
        var request = try await latest ? newest(detail, pipeline, call, key) : stored(detail, pipeline, mode, call, key)
        request.audit = call.carriedAudit()
        request.plan.facts.trace = call.trace
        do {
            return RunRoutes.created(try await services.commands.createRun(request), replayed: false)
        } catch {
            throw Problem(error, what: "run")
        }
    }

    /// `mode`, with `job` and `step` for `from`; or `from`, which says it in one word.
    private static func mode(_ fields: inout Fields) -> Rerun.Mode {
        let from = fields.string("from", max: 4096, min: 1)
        var mode = fields.string("mode", max: 16) ?? "all"
        var job = fields.string("job", max: 4096, min: 1)
        var step = fields.string("step", max: 4096, min: 1)
        if let from {
            if fields.raw("mode") != nil { fields.wrong("from", "Give either `from` or `mode`, not both.") }
            switch from {
            case "all", "failed": mode = from
            case "step":
                mode = "from"
                // `job/step` names both, as it does where logs are asked for.
                if job == nil, let both = step, let slash = both.lastIndex(of: "/") {
                    job = String(both[..<slash])
                    step = String(both[both.index(after: slash)...])
                }
            default:
                // A job, or job/step: names of cells may have slashes, steps have none.
                if job != nil || step != nil {
                    fields.wrong("from", "It names the job or step already: leave `job` and `step` out.")
                }
                let slash = from.lastIndex(of: "/")
                mode = "from"
                job = slash.map { String(from[..<$0]) } ?? from
                step = slash.map { String(from[from.index(after: $0)...]) }
            }
        }
        if mode != "from" {
            if job != nil { fields.wrong("job", "It is only for the mode `from`.") }
            if step != nil { fields.wrong("step", "It is only for the mode `from`.") }
        }
        switch mode {
        case "all": return .all
        case "failed": return .failed
        case "from":
            guard let job else {
                fields.wrong("job", "It is missing: from which job on is run again?")
                return .all
            }
            return .from(job: job, step: step)
        default:
            fields.wrong("mode", modes)
            return .all
        }
    }

    private func stored(
        _ detail: RunDetail, _ pipeline: PipelineRow, _ mode: Rerun.Mode, _ call: Call, _ key: String?
    ) throws -> RunRequest {
        switch Rerun.request(
            of: detail, pipeline: pipeline, mode: mode, actor: call.principal.name, idempotencyKey: key)
        {
        case .success(let request): return request
        case .failure(let refusal): throw Problem.conflict(refusal.description)
        }
    }

    /// The pipeline's newest definition, at the newest commit of the run's branch or tag, for what started the run.
    private func newest(
        _ detail: RunDetail, _ pipeline: PipelineRow, _ call: Call, _ key: String?
    ) async throws -> RunRequest {
        let run = detail.run
        let source = RunSource(ref: run.ref, branch: run.branch, tag: run.tag, commit: "")
        var request = try await runs.request(
            pipeline, source, event: run.event, inputs: run.inputs, call.principal.name, run.priority, key,
            // What the definition does not say comes from the event, and that is the same.
            facts: detail.plan.facts)
        request.plan.facts.skipsApproval = detail.plan.facts.skipsApproval
        // Who wrote the code is no more trusted than before.
        request.plan.facts.trusted = request.plan.facts.trusted && run.trusted
        request.origin = RunOrigin(run: run.id, number: run.number, kind: .all)
        return request
    }
}
