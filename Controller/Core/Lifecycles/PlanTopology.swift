/// A plan's edges by index, made once for each run in memory.
struct PlanTopology: Sendable {
    /// For each job, the jobs that it needs.
    let jobNeeds: [[Int]]
    /// For each job and step, the steps that it needs.
    let stepNeeds: [[[Int]]]

    /// Needs that name nothing are left out: the compiler refuses them, and a stored plan was compiled.
    init(_ plan: RunPlan) {
        let jobs = Dictionary(plan.jobs.enumerated().map { ($1.id, $0) }) { first, _ in first }
        jobNeeds = plan.jobs.map { job in job.needs.compactMap { jobs[$0.id] } }
        stepNeeds = plan.jobs.map { job in
            let steps = Dictionary(job.steps.enumerated().map { ($1.id, $0) }) { first, _ in first }
            return job.steps.map { step in step.needs.compactMap { steps[$0.id] } }
        }
    }
}
