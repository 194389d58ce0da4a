/// Jobs, steps and edges of a run, for drawing.
package struct PlanGraph: Codable, Equatable, Sendable {
    package struct Node: Codable, Equatable, Sendable {
        package enum Kind: String, Codable, Sendable {
            case job, step
        }

        /// `build` for a job, `build/test` for a step.
        package var id: String
        package var kind: Kind
        package var job: String
        /// The step's id within its job; `nil` for a job.
        package var step: String?
        package var name: String
        /// Whether AnsFlow adds the step itself, as it does with `checkout`.
        package var builtIn: Bool

        enum CodingKeys: String, CodingKey {
            case id, kind, job, step, name
            case builtIn = "built_in"
        }
    }

    /// `to` needs `from`; both are ids of nodes of one kind.
    package struct Edge: Codable, Equatable, Hashable, Sendable {
        package var from: String
        package var to: String

        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    /// Each job followed by its steps, in the order of the file.
    package var nodes: [Node]
    package var edges: [Edge]

    package init(_ plan: RunPlan) {
        nodes = []
        edges = []
        for job in plan.jobs {
            nodes.append(Node(id: job.id, kind: .job, job: job.id, step: nil, name: job.name, builtIn: false))
            edges += job.needs.map { Edge(from: $0.id, to: job.id) }
            for step in job.steps {
                let id = "\(job.id)/\(step.id)"
                nodes.append(
                    Node(id: id, kind: .step, job: job.id, step: step.id, name: step.name, builtIn: step.isBuiltIn))
                edges += step.needs.map { Edge(from: "\(job.id)/\($0.id)", to: id) }
            }
        }
    }
}
