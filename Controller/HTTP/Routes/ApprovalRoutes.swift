import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Approvals: which wait, and the answers to them.
struct ApprovalRoutes {
    let services: HTTPServices

    var routes: [Route] {
        let one = RunRoutes.path + "/{id}"
        return [
            Route(
                .get, "/api/v1/approvals", .read, "listApprovals",
                "Approvals that wait for an answer, oldest run first", role: .viewer,
                query: Query.paging + [QueryParameter("project_id", "Only of this project", .id)],
                describes: Description(.approvals, answers: [.page(of: Schemas.openApproval)]), handler: list),
            Route(
                .post, one + "/approve", .run, "approveRun", "Say yes to a job, or a whole run, that waits for it",
                role: .developer,
                body: ["application/json"],
                describes: Description(
                    .approvals, takes: Schemas.approve, answers: [.ok(.component(Schemas.answered))], problems: [409]),
                handler: approve),
            Route(
                .post, one + "/decline", .run, "declineRun",
                "Say no to a job, or a whole run, that waits for an answer", role: .developer,
                body: ["application/json"],
                describes: Description(
                    .approvals, takes: Schemas.decline, answers: [.ok(.component(Schemas.answered))], problems: [409]),
                handler: decline),
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        guard let approvals = services.approvals else { throw Problem.unavailable("Approvals can't be listed here.") }
        let (page, perPage) = try call.query.page()
        let project = try call.query.integer("project_id", 1...Int64.max).map { ProjectID($0) }
        let clock = try await approvals.engineClock()
        let found = try await approvals.waitingApprovals(
            project: project, visible: call.visible, page: page, perPage: perPage)
        return ListJSON.reply(
            found, number: page, perPage: perPage, path: "/api/v1/approvals",
            query: project.map { "project_id=\($0)&" } ?? ""
        ) { ApprovalJSON.view($1, clock: clock, &$0) }
    }

    @Sendable private func approve(_ call: Call) async throws -> Reply {
        var fields = try call.optionalFields()
        let job = fields.string("job", max: 4096, min: 1)
        let reason = fields.string("reason", max: ProtocolLimits.reasonBytesMax)
        let inputs = fields.scalars("inputs", max: PlanLimits.inputsMax) ?? [:]
        try fields.finish()
        let gate = try await gate(call, job)
        do {
            let row = try await services.commands.approve(
                gate.detail.run.id, job: gate.job, by: call.principal.name, inputs: inputs.compactMapValues(Self.value),
                reason: reason)
            return reply(row, gate)
        } catch {
            return try refused(error, gate, .approved)
        }
    }

    @Sendable private func decline(_ call: Call) async throws -> Reply {
        var fields = try call.optionalFields()
        let job = fields.string("job", max: 4096, min: 1)
        let reason = fields.string("reason", max: ProtocolLimits.reasonBytesMax)
        try fields.finish()
        let gate = try await gate(call, job)
        do {
            let row = try await services.commands.decline(
                gate.detail.run.id, job: gate.job, by: call.principal.name, reason: reason)
            return reply(row, gate)
        } catch {
            return try refused(error, gate, .declined)
        }
    }

    /// The engine knows only runs that have not ended. Who gives the answer again that was given before gets it.
    private func refused(_ failure: CommandFailure, _ gate: Gate, _ state: ApprovalRow.State) throws -> Reply {
        switch failure {
        case .notFound where gate.detail.run.phase == .finished:
            let job = gate.detail.jobs.first { $0.name == gate.job }?.id
            let row = gate.detail.approvals.first { $0.job == job }
            if let row, row.state == state { return reply(row, gate) }
            throw Problem.conflict("The run has ended; nothing of it waits for an approval any more.")
        case .invalid(let faults):
            throw Problem(
                .invalid(faults.map { FieldFault(field: "inputs.\($0.field)", message: $0.message) }), what: "run")
        default:
            throw Problem(failure, what: "run")
        }
    }

    /// What is answered, by a caller who may.
    private struct Gate {
        var detail: RunDetail
        /// Nil for the whole run.
        var job: String?
        var plan: ApprovalPlan?
    }

    private func gate(_ call: Call, _ wanted: String?) async throws -> Gate {
        guard let detail = try await services.queries.runDetail(RunID(call.id(what: "run"))) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: detail.run.project, what: "run")
        let job = try wanted ?? Self.only(detail)
        let plan = detail.plan.jobs.first { $0.id == job }
        if let job, plan == nil { throw Problem.invalid("job", "The run has no job `\(job.prefix(256))`.") }
        if job != nil, plan?.approval == nil { throw Problem.conflict("The job needs no approval.") }
        try Self.check(call, detail.run.project, plan?.approval)
        return Gate(detail: detail, job: job, plan: plan?.approval)
    }

    /// What a caller means who names no job: the one that waits. Where none does, the newest that was answered, so that the
    /// same answer again is no error.
    private static func only(_ detail: RunDetail) throws -> String? {
        let names = Dictionary(detail.jobs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let waiting = detail.approvals.filter { $0.state == .waiting }
        let open = waiting.isEmpty ? detail.approvals.suffix(1) : waiting[...]
        guard let first = open.first else { throw Problem.conflict("Nothing of this run waits for an approval.") }
        // The whole run comes before its jobs.
        guard first.job != nil, open.count > 1 else { return first.job.flatMap { names[$0] } }
        let all = open.compactMap { $0.job.flatMap { names[$0] } }.map { "`\($0)`" }.joined(separator: ", ")
        throw Problem.invalid("job", "Several jobs wait: \(all). Name one of them.")
    }

    /// Who may start runs may answer, unless the plan asks for more. A whole run waits since its code comes from outside: letting
    /// that in is a maintainer's word.
    private static func check(_ call: Call, _ project: ProjectID, _ plan: ApprovalPlan?) throws {
        let roles = plan.map(\.by) ?? [.maintainer]
        guard !roles.isEmpty else { return }
        let own = call.access.role(in: project)
        let isEnough = roles.contains { role in
            own.map { $0 >= role.role } == true && call.principal.scopes.contains(role.scope)
        }
        if isEnough { return }
        let names = roles.map { "`\($0.rawValue)`" }.joined(separator: " or ")
        throw Problem.forbidden(
            "This needs somebody with the role \(names) in the project, and a key with a scope that is as large.")
    }

    private func reply(_ row: ApprovalRow, _ gate: Gate) -> Reply {
        .json { json in
            json.object { json in
                json.field("run_id", row.run.rawValue)
                ApprovalJSON.members(row, job: gate.job, plan: gate.plan, clock: nil, &json)
            }
        }
    }

    private static func value(_ value: JSONValue) -> InputValue? {
        switch value {
        case .string(let text): .text(text)
        case .number(let number): .number(number)
        case .bool(let flag): .boolean(flag)
        case .null, .array, .object: nil
        }
    }
}

extension ApprovalPlan.Role {
    /// The role in the project that it stands for.
    var role: Role {
        switch self {
        case .developer: .developer
        case .maintainer: .maintainer
        case .owner: .owner
        }
    }

    /// What a key must be good for beside the role: one that may only start runs lets nothing into production.
    var scope: Scope { self == .developer ? .run : .write }
}
