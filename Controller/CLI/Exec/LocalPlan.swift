package import ControllerCore

/// Makes a plan fit for one machine without a controller, and says what it leaves out. Pure.
package struct LocalPlan: Equatable, Sendable {
    package private(set) var plan: RunPlan
    /// Sentences for people about what is done otherwise than on a controller.
    package private(set) var notes: [String] = []

    /// - Parameters:
    ///   - labels: what this machine is: `os` and `arch`. Other labels that jobs ask for name agents, and there are none here.
    ///   - approved: jobs, by id or the file's id, to which the user said yes; nil where people are asked as jobs become ready.
    /// - Throws: ``ClientFailure`` where a job can't run here.
    package init(_ plan: RunPlan, labels: [String: String], anyMachine: Bool, approved: Set<String>) throws {
        self.plan = plan
        try dropLabels(labels, anyMachine: anyMachine)
        dropGroups()
        try settleApprovals(approved)
        let places = Set(plan.jobs.compactMap(\.deployment))
        if !places.isEmpty {
            notes.append(
                "Environments (\(places.sorted().joined(separator: ", "))) have no history and no secrets of their own here."
            )
        }
    }

    private mutating func dropLabels(_ labels: [String: String], anyMachine: Bool) throws {
        var ignored: Set<String> = []
        for index in plan.jobs.indices {
            let job = plan.jobs[index]
            for (name, value) in job.agentLabels.sorted(by: { $0.key < $1.key }) {
                guard let own = labels[name] else {
                    ignored.insert("\(name)=\(value)")
                    continue
                }
                guard !anyMachine, !LabelMatch.fits([name: value], [name: own]) else { continue }
                throw ClientFailure(
                    .refused, "The job \(job.id) wants an agent with \(name)=\(value), and this machine is \(own).",
                    cure: job.matrix.contains { $0.axis == name }
                        ? "Choose cells with --cell \(name)=\(own), or run all of them here with --any-machine."
                        : "Choose other jobs with --job, or run it here with --any-machine.")
            }
            plan.jobs[index].agentLabels = [:]
        }
        if !ignored.isEmpty {
            notes.append("Everything runs on this machine, whatever agents are asked for: \(list(ignored)).")
        }
    }

    private mutating func dropGroups() {
        var groups = Set(plan.jobs.compactMap { $0.concurrency?.group })
        if let group = plan.concurrency?.group { groups.insert(group) }
        plan.concurrency = nil
        for index in plan.jobs.indices { plan.jobs[index].concurrency = nil }
        if !groups.isEmpty { notes.append("Concurrency groups are not observed here: \(list(groups)).") }
    }

    /// Takes the gate away where somebody said yes before.
    private mutating func settleApprovals(_ approved: Set<String>) throws {
        for name in approved where !plan.jobs.contains(where: { $0.id == name || $0.group == name }) {
            throw ClientFailure(.notFound, "There is no job \"\(name)\" to approve.")
        }
        for index in plan.jobs.indices {
            let job = plan.jobs[index]
            if approved.contains(job.id) || approved.contains(job.group) { plan.jobs[index].approval = nil }
        }
    }

    package mutating func approve(_ job: String) {
        for index in plan.jobs.indices where plan.jobs[index].id == job { plan.jobs[index].approval = nil }
    }

    /// Takes the job out, and those that need it.
    ///
    /// - Throws: ``ClientFailure`` where nothing is left.
    package mutating func decline(_ job: String) throws {
        var gone: Set<String> = [job]
        var before = 0
        while before < gone.count {
            before = gone.count
            for other in plan.jobs where other.needs.contains(where: { gone.contains($0.id) }) { gone.insert(other.id) }
        }
        plan.jobs.removeAll { gone.contains($0.id) }
        notes.append("Not approved and left out: \(list(gone)).")
        if plan.jobs.isEmpty { throw ClientFailure(.refused, "Nothing is left to run.") }
    }

    /// Secrets that steps name, with the first step that does.
    package var secrets: [(name: String, step: String)] {
        var seen: Set<String> = []
        var found: [(name: String, step: String)] = []
        for job in plan.jobs {
            for step in job.steps {
                for name in step.secrets.values.sorted() where seen.insert(name).inserted {
                    found.append((name, "\(job.id)/\(step.id)"))
                }
            }
        }
        return found
    }

    private func list(_ names: Set<String>) -> String {
        let all = names.sorted()
        return all.prefix(5).joined(separator: ", ") + (all.count > 5 ? " and \(all.count - 5) more" : "")
    }
}
