package import ControllerCore

/// A plan as people read it before they run it.
package enum PlanText {
    package static func text(_ plan: RunPlan) -> String {
        var lines: [String] = [plan.name]
        for job in plan.jobs {
            lines.append("  \(job.id)\(needs(job.needs))\(facts(job))")
            for step in job.steps {
                let place = step.stage == .finally ? " (finally)" : ""
                lines.append("    \(step.id)\(place)\(needs(step.needs))")
            }
        }
        return lines.map { SafeText.line($0, colours: false) }.joined(separator: "\n")
    }

    private static func needs(_ needs: [NeedPlan]) -> String {
        needs.isEmpty ? "" : " <- " + needs.map(\.id).joined(separator: ", ")
    }

    private static func facts(_ job: JobPlan) -> String {
        var facts: [String] = []
        if job.approval != nil { facts.append("approval") }
        if job.condition != nil { facts.append("conditional") }
        if let place = job.deployment { facts.append("environment \(place)") }
        return facts.isEmpty ? "" : " [\(facts.joined(separator: ", "))]"
    }
}

extension RunText {
    /// What a local run ends with: as ``summary(_:url:)`` without an address.
    package func localSummary(_ run: RunModel) -> String {
        var lines = summary(run, url: "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeLast()
        let time = Durations.between(run.startedAt ?? run.createdAt, run.finishedAt)
        let name = SafeText.line(run.pipelineName ?? "", colours: false)
        if lines.count > 1 {
            lines[1] =
                "\(style.paint(name, .bold)): \(style.status(run.result ?? run.status))"
                + (time.isEmpty ? "" : " in \(time)")
        }
        return lines.joined(separator: "\n")
    }
}

/// A run as scripts read it, in the words of the API.
package enum RunJSONText {
    package static func value(_ run: RunModel) -> JSONValue {
        var members = state(run.status, run.phase, run.result, run.cause, run.message)
        members.merge(times(run.startedAt, run.finishedAt)) { $1 }
        members["pipeline_name"] = .string(run.pipelineName ?? "")
        members["event"] = .string(run.event ?? "")
        members["branch"] = .string(run.branch ?? "")
        members["commit"] = .string(run.commit ?? "")
        members["jobs"] = .array((run.jobs ?? []).map(job))
        return .object(members)
    }

    private static func job(_ job: JobModel) -> JSONValue {
        var members = state(job.status, job.phase, job.result, job.cause, job.message)
        members.merge(times(job.startedAt, job.finishedAt)) { $1 }
        members["name"] = .string(job.name)
        members["steps"] = .array((job.steps ?? []).map { step($0, job.name) })
        return .object(members)
    }

    private static func step(_ step: StepModel, _ job: String) -> JSONValue {
        var members = state(step.status, step.phase, step.result, step.cause, step.message)
        members.merge(times(step.startedAt, step.finishedAt)) { $1 }
        members["name"] = .string(step.name)
        members["key"] = .string("\(job)/\(step.name)")
        if let code = step.exitCode { members["exit_code"] = .int(Int64(code)) }
        if let attempt = step.attempt { members["attempt"] = .int(Int64(attempt)) }
        members["attempts"] = .array((step.attempts ?? []).map(attempt))
        return .object(members)
    }

    private static func attempt(_ attempt: AttemptModel) -> JSONValue {
        var members = times(attempt.startedAt, attempt.finishedAt)
        members["number"] = .int(Int64(attempt.number))
        for (name, value) in [("result", attempt.result), ("cause", attempt.cause), ("message", attempt.message)] {
            if let value { members[name] = .string(value) }
        }
        if let code = attempt.exitCode { members["exit_code"] = .int(Int64(code)) }
        return .object(members)
    }

    private static func state(
        _ status: String, _ phase: String?, _ result: String?, _ cause: String?, _ message: String?
    ) -> [String: JSONValue] {
        var members: [String: JSONValue] = ["status": .string(status)]
        for (name, value) in [("phase", phase), ("result", result), ("cause", cause), ("message", message)] {
            if let value { members[name] = .string(value) }
        }
        return members
    }

    private static func times(_ start: String?, _ end: String?) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        if let start { members["started_at"] = .string(start) }
        if let end { members["finished_at"] = .string(end) }
        if let start = Durations.milliseconds(start), let end = Durations.milliseconds(end) {
            members["duration_ms"] = .int(end - start)
        }
        return members
    }
}
