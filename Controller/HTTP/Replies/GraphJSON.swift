import ControllerCore

/// A run's graph with where each part stands, for drawing.
enum GraphJSON {
    static func write(_ detail: RunDetail, _ json: inout JSONWriter) {
        let graph = PlanGraph(detail.plan)
        var parts: [String: (status: Status, started: Int64?, finished: Int64?)] = [:]
        for job in detail.jobs {
            parts[job.name] = (Status(phase: job.phase, outcome: job.outcome), job.startedAt, job.finishedAt)
            for step in detail.steps where step.job == job.id {
                parts["\(job.name)/\(step.name)"] = (
                    Status(phase: step.phase, outcome: step.outcome), step.startedAt, step.finishedAt
                )
            }
        }
        json.object { json in
            json.name("nodes")
            json.array(graph.nodes) { json, node in
                let part = parts[node.id]
                json.object { json in
                    members(node, &json)
                    json.field("status", part?.status.rawValue)
                    json.field("started_at", time: part?.started)
                    json.field("finished_at", time: part?.finished)
                }
            }
            edges(graph, &json)
            json.field("critical_path", criticalPath(detail))
        }
    }

    /// The graph of a definition that does not run.
    static func write(_ graph: PlanGraph, _ json: inout JSONWriter) {
        json.object { json in
            json.name("nodes")
            json.array(graph.nodes) { json, node in json.object { members(node, &$0) } }
            edges(graph, &json)
        }
    }

    private static func members(_ node: PlanGraph.Node, _ json: inout JSONWriter) {
        json.field("id", node.id)
        json.field("kind", node.kind.rawValue)
        json.field("job", node.job)
        json.field("step", node.step)
        json.field("name", node.name)
        json.field("built_in", node.builtIn)
    }

    private static func edges(_ graph: PlanGraph, _ json: inout JSONWriter) {
        json.name("edges")
        json.array(graph.edges) { json, edge in
            json.object { json in
                json.field("from", edge.from)
                json.field("to", edge.to)
            }
        }
    }

    /// Back from the job that ended last, each time to the need that ended last.
    private static func criticalPath(_ detail: RunDetail) -> [String] {
        let rows = Dictionary(detail.jobs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let needs = Dictionary(
            detail.plan.jobs.map { ($0.id, $0.needs.map(\.id)) }, uniquingKeysWith: { first, _ in first })
        func latest(_ names: [String]) -> JobRow? {
            names.compactMap { rows[$0] }.filter { $0.finishedAt != nil }
                .max { ($0.finishedAt ?? 0) < ($1.finishedAt ?? 0) }
        }
        var path: [String] = []
        var next = latest(detail.jobs.map(\.name))
        while let job = next, !path.contains(job.name) {
            path.append(job.name)
            next = latest(needs[job.name] ?? [])
        }
        return path.reversed()
    }
}
