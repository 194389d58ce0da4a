/// What differs between two plans, by job and step.
package struct PlanDifference: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable { case added, removed, changed }

    package var kind: Kind
    package var job: String
    /// Nil for the job itself.
    package var step: String?
    /// What of it has changed, as the definition calls it.
    package var what: [String] = []

    package static func between(_ old: RunPlan, _ new: RunPlan) -> [PlanDifference] {
        var found: [PlanDifference] = []
        let before = Dictionary(old.jobs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.jobs.map(\.id))
        for job in old.jobs where !after.contains(job.id) { found.append(.init(kind: .removed, job: job.id)) }
        for job in new.jobs {
            guard let known = before[job.id] else {
                found.append(.init(kind: .added, job: job.id))
                continue
            }
            let what = changes(known, job)
            if !what.isEmpty { found.append(.init(kind: .changed, job: job.id, what: what)) }
            found += steps(known, job)
        }
        return found
    }

    private static func steps(_ old: JobPlan, _ new: JobPlan) -> [PlanDifference] {
        var found: [PlanDifference] = []
        let before = Dictionary(old.steps.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.steps.map(\.id))
        for step in old.steps where !after.contains(step.id) {
            found.append(.init(kind: .removed, job: new.id, step: step.id))
        }
        for step in new.steps {
            guard let known = before[step.id] else {
                found.append(.init(kind: .added, job: new.id, step: step.id))
                continue
            }
            let what = changes(known, step)
            if !what.isEmpty { found.append(.init(kind: .changed, job: new.id, step: step.id, what: what)) }
        }
        return found
    }

    private static func changes(_ old: JobPlan, _ new: JobPlan) -> [String] {
        var what: [String] = []
        if old.name != new.name { what.append("name") }
        if old.needs != new.needs { what.append("needs") }
        if old.condition != new.condition { what.append("if") }
        if old.agentLabels != new.agentLabels { what.append("agent") }
        if old.timeoutMs != new.timeoutMs { what.append("timeout") }
        if old.parallel != new.parallel { what.append("parallel") }
        if old.allowFailure != new.allowFailure { what.append("allow_failure") }
        if old.environment != new.environment || old.lateEnvironment != new.lateEnvironment { what.append("env") }
        if old.priority != new.priority { what.append("priority") }
        if old.retry != new.retry { what.append("retry") }
        if old.concurrency != new.concurrency { what.append("concurrency") }
        if old.approval != new.approval { what.append("approval") }
        if old.deployment != new.deployment { what.append("environment") }
        if old.checkout != new.checkout { what.append("checkout") }
        return what
    }

    private static func changes(_ old: StepPlan, _ new: StepPlan) -> [String] {
        var what: [String] = []
        if old.name != new.name { what.append("name") }
        if old.stage != new.stage { what.append("stage") }
        if old.needs != new.needs { what.append("needs") }
        if old.condition != new.condition { what.append("if") }
        if old.action != new.action { what.append("action") }
        if old.environment != new.environment || old.lateEnvironment != new.lateEnvironment { what.append("env") }
        if old.secrets != new.secrets { what.append("secrets") }
        if old.timeoutMs != new.timeoutMs || old.graceMs != new.graceMs { what.append("timeout") }
        if old.allowFailure != new.allowFailure { what.append("allow_failure") }
        if old.retry != new.retry { what.append("retry") }
        if old.logLimitBytes != new.logLimitBytes { what.append("limits") }
        return what
    }
}
