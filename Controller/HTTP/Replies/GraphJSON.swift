import ControllerCore

/// A run's graph with where each part stands, for drawing.
enum GraphJSON {
    /// Where a node stands, in a run.
    private struct Part {
        var status: Status
        var phase: Phase
        var outcome: Outcome?
        /// When a job could have started; steps have none.
        var queued: Int64?
        var started: Int64?
        var finished: Int64?
    }

    static func write(_ detail: RunDetail, _ json: inout JSONWriter) {
        var parts: [String: Part] = [:]
        let jobs = Dictionary(detail.jobs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        for job in detail.jobs {
            parts[job.name] = Part(
                status: Status(phase: job.phase, outcome: job.outcome), phase: job.phase, outcome: job.outcome,
                queued: job.queuedAt, started: job.startedAt, finished: job.finishedAt)
        }
        for step in detail.steps {
            guard let job = jobs[step.job] else { continue }
            parts["\(job)/\(step.name)"] = Part(
                status: Status(phase: step.phase, outcome: step.outcome), phase: step.phase, outcome: step.outcome,
                started: step.startedAt, finished: step.finishedAt)
        }
        json.object { json in
            graph(detail.plan, parts, &json)
            json.field("critical_path", criticalPath(detail))
        }
    }

    /// The graph of a definition that does not run.
    static func write(_ plan: RunPlan, _ json: inout JSONWriter) {
        json.object { graph(plan, nil, &$0) }
    }

    private static func graph(_ plan: RunPlan, _ parts: [String: Part]?, _ json: inout JSONWriter) {
        json.name("nodes")
        json.array(plan.jobs.flatMap { job in [(job, StepPlan?.none)] + job.steps.map { (job, $0) } }) { json, node in
            let (job, step) = node
            let id = step.map { "\(job.id)/\($0.id)" } ?? job.id
            json.object { json in
                json.field("id", id)
                json.field("kind", step == nil ? "job" : "step")
                json.field("job", job.id)
                json.field("step", step?.id)
                json.field("name", step?.name ?? job.name)
                if let step {
                    PlanPartJSON.members(step, &json)
                } else {
                    json.field("built_in", false)
                    PlanPartJSON.members(job, &json)
                    json.field("environment", job.deployment)
                    json.field("approval", job.approval != nil)
                }
                if let parts { state(parts[id], &json) }
            }
        }
        edges(plan, &json)
        groups(plan, parts, &json)
    }

    private static func state(_ part: Part?, _ json: inout JSONWriter) {
        json.field("status", part?.status.rawValue)
        json.field("phase", part?.phase.rawValue)
        json.field("result", part?.outcome?.rawValue)
        json.field("queued_at", time: part?.queued)
        json.field("started_at", time: part?.started)
        json.field("finished_at", time: part?.finished)
    }

    private static func edges(_ plan: RunPlan, _ json: inout JSONWriter) {
        json.name("edges")
        json.array(plan.jobs) { json, job in
            for need in job.needs { edge(need.id, job.id, need, &json) }
            for step in job.steps {
                for need in step.needs { edge("\(job.id)/\(need.id)", "\(job.id)/\(step.id)", need, &json) }
            }
        }
    }

    private static func edge(_ from: String, _ to: String, _ need: NeedPlan, _ json: inout JSONWriter) {
        json.object { json in
            json.field("from", from)
            json.field("to", to)
            json.field("allow_failure", need.allowFailure)
        }
    }

    /// The jobs of the file that a matrix has made cells of, each with its cells and how many of them stand where.
    private static func groups(_ plan: RunPlan, _ parts: [String: Part]?, _ json: inout JSONWriter) {
        var order: [String] = []
        var cells: [String: [JobPlan]] = [:]
        for job in plan.jobs where !job.matrix.isEmpty {
            if cells[job.group] == nil { order.append(job.group) }
            cells[job.group, default: []].append(job)
        }
        json.name("groups")
        json.array(order) { json, group in
            let members = cells[group] ?? []
            json.object { json in
                json.field("id", group)
                json.field("axes", members.first?.matrix.map(\.axis) ?? [])
                json.field("cells", members.map(\.id))
                guard let parts else { return }
                json.name("statuses")
                json.object { json in
                    let counts = Dictionary(grouping: members.compactMap { parts[$0.id]?.status }, by: \.rawValue)
                    for (status, all) in counts.sorted(by: { $0.key < $1.key }) {
                        json.key(status)
                        json.int(all.count)
                    }
                }
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
