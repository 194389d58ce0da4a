import AnsFlowProtocol
import HashTreeCollections

// Gates.
extension EngineMachine {
    /// Says yes to a waiting job, or to a whole untrusted run.
    package mutating func approve(
        _ id: RunID, job: String?, by actor: String, inputs: [String: InputValue], reason: String?
    ) -> Result<ApprovalRow, CommandFailure> {
        let gate: (job: Int?, row: ApprovalRow)
        switch self.gate(id, job) {
        case .failure(let failure): return .failure(failure)
        case .success(let found): gate = found
        }
        if gate.row.state == .approved { return .success(gate.row) }
        guard gate.row.state == .waiting, let run = runs[id] else { return .failure(Self.answered(gate.row)) }
        let plans = gate.job.flatMap { run.plan.jobs[$0].approval?.inputs } ?? []
        let (values, faults) = InputCheck.values(plans, given: inputs)
        guard faults.isEmpty else { return .failure(.invalid(faults)) }
        change(id) { [now, clock] in
            $0.approve(gate.job, by: actor, inputs: values, reason: reason, now: now, clock: clock)
        }
        return answer(id, gate.job)
    }

    /// Says no.
    package mutating func decline(
        _ id: RunID, job: String?, by actor: String, reason: String?
    ) -> Result<ApprovalRow, CommandFailure> {
        let gate: (job: Int?, row: ApprovalRow)
        switch self.gate(id, job) {
        case .failure(let failure): return .failure(failure)
        case .success(let found): gate = found
        }
        if gate.row.state == .declined { return .success(gate.row) }
        guard gate.row.state == .waiting else { return .failure(Self.answered(gate.row)) }
        change(id) { [now, clock] in $0.decline(gate.job, by: actor, reason: reason, now: now, clock: clock) }
        return answer(id, gate.job)
    }

    private func gate(_ id: RunID, _ job: String?) -> Result<(job: Int?, row: ApprovalRow), CommandFailure> {
        guard let run = runs[id] else { return .failure(.notFound) }
        guard let job else {
            guard let row = run.approval else {
                let names = run.jobs.filter(\.awaitsApproval).map(\.row.name)
                return .failure(
                    .conflict(
                        names.isEmpty
                            ? "nothing of this run waits for an approval"
                            : "the run itself waits for no approval; name one of its jobs that do: \(names.joined(separator: ", "))"
                    ))
            }
            return .success((nil, row))
        }
        guard let index = run.jobs.firstIndex(where: { $0.row.name == job }) else { return .failure(.notFound) }
        guard let row = run.jobs[index].approval else {
            return .failure(
                .conflict(
                    run.plan.jobs[index].approval == nil
                        ? "job \(job) asks for no approval"
                        : run.jobs[index].isFinished
                            ? "job \(job) has ended"
                            : "job \(job) does not wait for its approval yet: what it needs has not ended"))
        }
        return .success((index, row))
    }

    private func answer(_ id: RunID, _ job: Int?) -> Result<ApprovalRow, CommandFailure> {
        let row = runs[id].flatMap { run in job.map { run.jobs[$0].approval } ?? run.approval }
        return row.map { .success($0) } ?? .failure(.notFound)
    }

    private static func answered(_ row: ApprovalRow) -> CommandFailure {
        switch row.state {
        case .approved: .conflict("it was approved by \(row.by ?? "somebody")")
        case .declined: .conflict("it was declined by \(row.by ?? "somebody")")
        case .expired: .conflict("the time to approve it is over; rerun the job")
        case .waiting, .withdrawn: .conflict("the run was ended before anybody answered")
        }
    }
}
