package import ControllerCore

/// Which part of a plan is run, and what of it means nothing on one machine. Pure.
package struct ExecSelection: Equatable, Sendable {
    /// Jobs, by id or by the file's id of a matrix; with what they need. Empty for all.
    package var jobs: [String] = []
    /// Jobs that are run without what they need.
    package var only: [String] = []
    /// Steps, by id; of jobs that have one of them, the others are left out. Empty for all.
    package var steps: [String] = []
    /// Values that cells of a matrix must have, by axis.
    package var cells: [(axis: String, value: String)] = []
    /// Steps of one job that run side by side, at most; nil for what the file says.
    package var parallel: Int?

    package init() {}

    package static func == (left: ExecSelection, right: ExecSelection) -> Bool {
        left.jobs == right.jobs && left.only == right.only && left.steps == right.steps
            && left.cells.elementsEqual(right.cells, by: ==) && left.parallel == right.parallel
    }

    /// The part of the plan that is run.
    ///
    /// - Throws: ``ClientFailure`` where a name fits nothing.
    package func apply(to plan: RunPlan) throws -> RunPlan {
        var plan = plan
        try keepCells(&plan)
        try keepJobs(&plan)
        try keepSteps(&plan)
        if plan.jobs.isEmpty {
            throw ClientFailure(.notFound, "No job is left to run.", cure: "`ansflow exec --list` shows what there is.")
        }
        if let parallel {
            for index in plan.jobs.indices { plan.jobs[index].parallel = parallel }
        }
        return plan
    }

    private func keepCells(_ plan: inout RunPlan) throws {
        for (axis, value) in cells {
            guard plan.jobs.contains(where: { $0.matrix.contains { $0.axis == axis } }) else {
                throw ClientFailure(
                    .notFound, "No matrix has an axis \"\(axis)\".", cure: "`ansflow exec --list` shows the cells.")
            }
            plan.jobs.removeAll { job in
                job.matrix.contains { $0.axis == axis && $0.value.variable != value }
            }
        }
        cut(&plan)
    }

    private func keepJobs(_ plan: inout RunPlan) throws {
        guard !jobs.isEmpty || !only.isEmpty else { return }
        for name in jobs + only where !plan.jobs.contains(where: { $0.id == name || $0.group == name }) {
            let known = plan.jobs.map(\.id).joined(separator: ", ")
            throw ClientFailure(.notFound, "There is no job \"\(name)\".", cure: "There are: \(known)")
        }
        var kept = Set(plan.jobs.filter { only.contains($0.id) || only.contains($0.group) }.map(\.id))
        var open = plan.jobs.filter { jobs.contains($0.id) || jobs.contains($0.group) }.map(\.id)
        while let next = open.popLast() {
            guard kept.insert(next).inserted, let job = plan.jobs.first(where: { $0.id == next }) else { continue }
            open += job.needs.map(\.id)
        }
        plan.jobs.removeAll { !kept.contains($0.id) }
        cut(&plan)
    }

    private func keepSteps(_ plan: inout RunPlan) throws {
        guard !steps.isEmpty else { return }
        for name in steps where !plan.jobs.contains(where: { $0.steps.contains { $0.id == name } }) {
            throw ClientFailure(
                .notFound, "There is no step \"\(name)\".", cure: "`ansflow exec --list` shows what there is.")
        }
        for index in plan.jobs.indices {
            guard plan.jobs[index].steps.contains(where: { steps.contains($0.id) }) else { continue }
            plan.jobs[index].steps.removeAll { $0.stage == .body && !$0.isBuiltIn && !steps.contains($0.id) }
        }
        cut(&plan)
    }

    /// Takes edges out that lead to nothing any more.
    private func cut(_ plan: inout RunPlan) {
        let known = Set(plan.jobs.map(\.id))
        for index in plan.jobs.indices {
            plan.jobs[index].needs.removeAll { !known.contains($0.id) }
            let steps = Set(plan.jobs[index].steps.map(\.id))
            for place in plan.jobs[index].steps.indices {
                plan.jobs[index].steps[place].needs.removeAll { !steps.contains($0.id) }
            }
        }
    }
}
