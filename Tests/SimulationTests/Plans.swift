import AnsFlowProtocol
import ControllerCore

// What runs do, from the seed: every word of the language that changes a run's life.
extension World {
    func request(_ random: inout SeededRandom) -> RunRequest {
        let jobs = (0..<random.between(1...3)).map { index in job(index, &random) }
        let pipeline = PipelineRow(
            id: PipelineID(1), project: .main, name: "simulated", definition: "", repositoryURL: "", ref: "",
            createdAt: 0, updatedAt: 0)
        var plan = RunPlan(name: "simulated", jobs: jobs)
        if random.chance(30) { plan.concurrency = group("runs", 1, &random) }
        // A fork's, which gets no secrets and waits for somebody's word.
        if random.chance(25) { plan.facts.trusted = false }
        return RunRequest(pipeline: pipeline, plan: plan, actor: "simulator")
    }

    private func group(_ name: String, _ limit: Int, _ random: inout SeededRandom) -> ConcurrencyPlan {
        let onNew: [ConcurrencyPlan.OnNew] = [.queue, .queue, .cancelPending, .cancelRunning]
        return ConcurrencyPlan(
            group: name, limit: limit, order: random.chance(50) ? .created : .ready, onNew: onNew[random.below(4)])
    }

    private func job(_ index: Int, _ random: inout SeededRandom) -> JobPlan {
        var steps = (0..<random.between(1...3)).map { step($0, &random) }
        if random.chance(40) {
            for index in 0..<random.between(1...2) {
                steps.append(
                    StepPlan(
                        id: "finally-\(index)", stage: .finally, action: .run(commands: ["true"], shell: .sh),
                        timeoutMs: 20_000, graceMs: 1_000))
            }
        }
        var job = JobPlan(
            id: "job-\(index)",
            needs: index > 0 && random.chance(60)
                ? [NeedPlan("job-\(random.below(index))", allowFailure: random.chance(20))] : [],
            allowFailure: random.chance(10) ? .always : .never, steps: steps)
        if random.chance(40) {
            job.retry = RetryPlan(
                max: random.between(1...2), on: random.chance(50) ? [.agentLost] : [.agentLost, .exit, .timeout],
                backoffMs: UInt64(random.below(3)) * 3_000)
        }
        if random.chance(30) {
            let limit = random.between(1...2)
            job.concurrency = group("jobs-\(limit)", limit, &random)
        }
        if random.chance(15) { job.approval = ApprovalPlan(expiresMs: 20_000 + UInt64(random.below(60_000))) }
        job.priority = random.below(3)
        return job
    }

    private func step(_ place: Int, _ random: inout SeededRandom) -> StepPlan {
        var step = StepPlan(
            id: "step-\(place)", needs: place > 0 && random.chance(70) ? [NeedPlan("step-\(place - 1)")] : [],
            action: .run(commands: ["true"], shell: .sh), timeoutMs: 20_000, graceMs: 1_000,
            allowFailure: random.chance(10) ? .always : .never)
        if random.chance(30) {
            step.retry = RetryPlan(
                max: random.between(1...2), on: [.exit, .timeout], backoffMs: UInt64(random.below(2)) * 5_000)
        }
        if random.chance(20) { step.secrets = ["TOKEN": "token"] }
        return step
    }

    /// What must hold at the moment in which a step's processes begin.
    func checkStart(of attempt: AttemptID) throws {
        guard let row = controller.store.attempts[attempt], let job = controller.store.jobs[row.job],
            let step = controller.store.steps[row.step], let plan = controller.store.plans[row.run]
        else { return }
        let others = controller.store.attempts.values.filter { $0.job == row.job && $0.id != attempt }
        for other in others where oracle.attempts[other.id]?.alive ?? false {
            // Whoever ended one of these said that nobody can know whether it still runs.
            switch other.cause {
            case .deadlinePassed, .agentRevoked, .forceCancelled, .agentStateLost, .unkillable: continue
            case .agentGone where oracle.declaredGone.contains(other.agent): continue
            default: break
            }
            guard other.jobAttempt == row.jobAttempt else {
                throw Violation(
                    invariant: "RETRY", detail: "attempt \(attempt) repeats what attempt \(other.id) still does")
            }
            guard plan.jobs[job.index].steps[step.index].stage != .finally else {
                throw Violation(invariant: "FINALLY", detail: "attempt \(attempt) cleans up beside attempt \(other.id)")
            }
        }
        guard plan.jobs[job.index].steps[step.index].stage == .finally else { return }
        if let lost = others.first(where: { $0.jobAttempt == row.jobAttempt && oracle.lost.contains($0.id) }) {
            throw Violation(
                invariant: "FINALLY", detail: "attempt \(attempt) cleans up after attempt \(lost.id) was lost")
        }
    }
}
