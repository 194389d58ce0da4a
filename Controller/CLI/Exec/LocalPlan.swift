package import ControllerCore

/// Makes a plan fit for one machine without a controller, and says what it leaves out. Pure.
package struct LocalPlan: Equatable, Sendable {
    package private(set) var plan: RunPlan
    /// Sentences for people about what is done otherwise than on a controller.
    package private(set) var notes: [String] = []
    /// What the user said to approvals that ask for values, by the job's id: said again when the job asks.
    package private(set) var answers: [String: [String: InputValue]] = [:]
    private let given: [String: InputValue]

    /// - Parameters:
    ///   - labels: what this machine is: `os` and `arch`. Other labels that jobs ask for name agents, and there are none here.
    ///   - approved: jobs, by id or the file's id, to which the user said yes; nil where people are asked as jobs become ready.
    ///   - given: values for what approvals ask, by name.
    /// - Throws: ``ClientFailure`` where a job can't run here, or a value is wrong or asked by nobody.
    package init(
        _ plan: RunPlan, labels: [String: String], anyMachine: Bool, approved: Set<String>,
        given: [String: InputValue] = [:]
    ) throws {
        self.plan = plan
        self.given = given
        let asked = Set(plan.jobs.flatMap { $0.approval?.inputs.map(\.name) ?? [] })
        if let name = given.keys.sorted().first(where: { !asked.contains($0) }) {
            throw ClientFailure(.usage, "No approval asks for an input \"\(name)\".")
        }
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
            if approved.contains(job.id) || approved.contains(job.group) { try approve(job.id) }
        }
    }

    /// Jobs that nobody has said anything to yet.
    package var unanswered: [JobPlan] { plan.jobs.filter { $0.approval != nil && answers[$0.id] == nil } }

    /// What the job's approval asks and nobody has given.
    package func questions(of job: String) -> [InputPlan] {
        let inputs = plan.jobs.first { $0.id == job }?.approval?.inputs ?? []
        return inputs.filter { given[$0.name] == nil }
    }

    /// Says yes to a job.
    ///
    /// - Parameter more: values behind those that were given before.
    /// - Throws: ``ClientFailure`` where a value is missing or wrong.
    package mutating func approve(_ job: String, _ more: [String: InputValue] = [:]) throws {
        for index in plan.jobs.indices where plan.jobs[index].id == job {
            guard let inputs = plan.jobs[index].approval?.inputs, !inputs.isEmpty else {
                plan.jobs[index].approval = nil
                continue
            }
            let own = given.filter { name, _ in inputs.contains { $0.name == name } }.merging(more) { $1 }
            let (values, faults) = InputCheck.values(inputs, given: own)
            if let fault = faults.first {
                throw ClientFailure(
                    .refused, "The approval of \(job) asks for \(fault.field). \(fault.message)",
                    cure: "Give it with --approve-input '\(fault.field)=VALUE'.")
            }
            answers[job] = values
        }
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
