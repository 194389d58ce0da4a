/// One edge of a plan by index.
struct Edge: Equatable, Sendable {
    var to: Int
    /// What is needed may have failed or been cancelled.
    var allowFailure: Bool
}

/// A plan's edges by index, made once for each run in memory.
struct PlanTopology: Sendable {
    /// For each job, the jobs that it needs.
    let jobNeeds: [[Edge]]
    /// For each job, the jobs that need it.
    let jobDependents: [[Int]]
    /// For each job and step, the steps that it needs. Empty outside of the body, which goes by stages.
    let stepNeeds: [[[Edge]]]
    /// For each job and step, the steps that need it.
    let stepDependents: [[[Int]]]
    /// For each job and stage, its steps.
    let stages: [[StepPlan.Stage: [Int]]]

    /// Needs that name nothing are left out: the compiler refuses them, and a stored plan was compiled.
    init(_ plan: RunPlan) {
        (jobNeeds, jobDependents) = Self.edges(plan.jobs.map { ($0.id, $0.needs) })
        var needs: [[[Edge]]] = []
        var dependents: [[[Int]]] = []
        for job in plan.jobs {
            let edges = Self.edges(job.steps.map { ($0.id, $0.stage == .body ? $0.needs : []) })
            needs.append(edges.needs)
            dependents.append(edges.dependents)
        }
        stepNeeds = needs
        stepDependents = dependents
        stages = plan.jobs.map { job in Dictionary(grouping: job.steps.indices) { job.steps[$0].stage } }
    }

    private static func edges(_ nodes: [(id: String, needs: [NeedPlan])]) -> (needs: [[Edge]], dependents: [[Int]]) {
        let places = Dictionary(nodes.enumerated().map { ($1.id, $0) }) { first, _ in first }
        var dependents: [[Int]] = Array(repeating: [], count: nodes.count)
        var needs: [[Edge]] = []
        for (index, node) in nodes.enumerated() {
            var seen: Set<Int> = []
            var edges: [Edge] = []
            for need in node.needs {
                guard let place = places[need.id], place != index, seen.insert(place).inserted else { continue }
                edges.append(Edge(to: place, allowFailure: need.allowFailure))
                dependents[place].append(index)
            }
            needs.append(edges)
        }
        return (needs, dependents)
    }
}
