import AnsFlowProtocol

/// Doing a finished run again, all or in part, with its stored plan.
package enum Rerun {
    package enum Mode: Equatable, Sendable {
        case all
        /// What did not end well, and everything that needs it.
        case failed
        /// A job, or all cells of one, with everything that needs it. A step is done by doing its job again from the first step.
        case from(job: String, step: String?)
    }

    /// Why it can't be done; a sentence that names the cure.
    package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// What is to be asked of the engine.
    ///
    /// - Parameter pipeline: as it is now: the new run belongs to it, with the plan of the old one.
    package static func request(
        of detail: RunDetail, pipeline: PipelineRow, mode: Mode, actor: String, idempotencyKey: String? = nil
    ) -> Result<RunRequest, Refusal> {
        let run = detail.run
        guard run.phase == .finished else {
            return refuse("Run \(run.number) has not ended; cancel it, or wait for its end.")
        }
        let again: Set<String>
        switch chosen(of: detail, mode) {
        case .failure(let refusal): return .failure(refusal)
        case .success(let names): again = names
        }
        let kind: RerunKind =
            switch mode {
            case .all: .all
            case .failed: .failed
            case .from: .from
            }
        var carried: [String: CarriedJob] = [:]
        for job in detail.jobs where !again.contains(job.name) { carried[job.name] = end(of: job, detail) }
        return .success(
            RunRequest(
                pipeline: pipeline, plan: detail.plan, event: run.event, ref: run.ref, branch: run.branch, tag: run.tag,
                commit: run.commit, inputs: run.inputs, priority: run.priority, actor: actor,
                origin: RunOrigin(run: run.id, number: run.number, kind: kind, carried: carried),
                idempotencyKey: idempotencyKey))
    }

    private static func chosen(of detail: RunDetail, _ mode: Mode) -> Result<Set<String>, Refusal> {
        switch mode {
        case .all:
            return .success(Set(detail.plan.jobs.map(\.id)))
        case .failed:
            let bad = detail.jobs.filter { !endedWell($0) }.map(\.name)
            guard !bad.isEmpty else { return refuse("No job of run \(detail.run.number) failed; rerun all of it.") }
            return .success(closure(of: Set(bad), in: detail.plan))
        case .from(let name, let step):
            let roots = detail.plan.jobs.filter { $0.id == name || $0.group == name }
            guard !roots.isEmpty else { return refuse("Run \(detail.run.number) has no job \(name).") }
            if let step, !roots.contains(where: { $0.steps.contains { $0.id == step } }) {
                return refuse("Job \(name) of run \(detail.run.number) has no step \(step).")
            }
            let again = closure(of: Set(roots.map(\.id)), in: detail.plan)
            let ends = Dictionary(detail.jobs.map { ($0.name, $0) }) { first, _ in first }
            for root in roots {
                for need in root.needs where !need.allowFailure && !again.contains(need.id) {
                    guard let row = ends[need.id], endedWell(row) else {
                        return refuse(
                            "Job \(root.id) needs \(need.id), which did not end well; rerun from \(need.id), or what failed."
                        )
                    }
                }
            }
            return .success(again)
        }
    }

    private static func endedWell(_ job: JobRow) -> Bool {
        guard let outcome = job.outcome, outcome.satisfies else { return false }
        return !(outcome == .skipped && job.cause == .upstreamFailed)
    }

    /// The jobs with all that need them.
    private static func closure(of names: Set<String>, in plan: RunPlan) -> Set<String> {
        var dependents: [String: [String]] = [:]
        for job in plan.jobs { for need in job.needs { dependents[need.id, default: []].append(job.id) } }
        var found = names
        var open = Array(names)
        while let name = open.popLast() {
            for next in dependents[name] ?? [] where found.insert(next).inserted { open.append(next) }
        }
        return found
    }

    private static func end(of job: JobRow, _ detail: RunDetail) -> CarriedJob {
        let attempt = detail.jobAttempts.filter { $0.job == job.id }.max { $0.id < $1.id }
        let steps = detail.steps.filter { $0.job == job.id }.sorted { $0.index < $1.index }
        return CarriedJob(
            outcome: job.outcome ?? .skipped, cause: job.cause, attempt: job.carriedFrom ?? attempt?.id,
            outputs: job.carriedFrom == nil ? attempt?.outputs ?? [:] : job.carriedOutputs,
            steps: steps.map {
                CarriedJob.Step(
                    outcome: $0.outcome ?? .skipped, cause: $0.cause, message: $0.message, exitCode: $0.exitCode)
            })
    }

    private static func refuse<Value>(_ text: String) -> Result<Value, Refusal> {
        .failure(Refusal(description: text))
    }
}
