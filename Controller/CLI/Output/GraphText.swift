package import ControllerCore

/// The graph of a definition, as people read it.
package enum GraphText {
    /// Each job with its steps and what they need; the cells of a matrix below the job that makes them.
    package static func graph(_ plan: RunPlan) -> String {
        var lines: [String] = []
        var group = ""
        for job in plan.jobs {
            let indent = job.matrix.isEmpty ? "  " : "    "
            if !job.matrix.isEmpty, job.group != group {
                let cells = plan.jobs.count { $0.group == job.group }
                lines.append("  \(job.group): \(cells) \(cells == 1 ? "cell" : "cells")")
            }
            group = job.group
            lines.append(indent + ([job.id] + notes(of: job)).joined(separator: "  "))
            for step in job.steps {
                lines.append(indent + "  " + ([step.id] + notes(of: step)).joined(separator: "  "))
            }
        }
        return lines.map { SafeText.line($0, colours: false) }.joined(separator: "\n")
    }

    private static func notes(of job: JobPlan) -> [String] {
        var notes = needs(job.needs)
        if let deployment = job.deployment { notes.append("to \(deployment)") }
        if job.approval != nil { notes.append("waits for approval") }
        if let group = job.concurrency { notes.append("in group \(group.group)") }
        return notes
    }

    private static func notes(of step: StepPlan) -> [String] {
        let stage = step.stage == .finally ? ["at the end"] : []
        return needs(step.needs) + stage
    }

    private static func needs(_ needs: [NeedPlan]) -> [String] {
        guard !needs.isEmpty else { return [] }
        let names = needs.map { $0.allowFailure ? "\($0.id) (may fail)" : $0.id }
        return ["needs " + names.joined(separator: ", ")]
    }
}
