import AnsFlowProtocol

/// The plan of a run that another system executes: one job with one step, which nobody starts.
extension RunPlan {
    /// - Parameters:
    ///   - name: the pipeline's.
    ///   - system: who executes it, for people: `jenkins`.
    package static func reported(_ name: String, by system: String, facts: RunFacts) -> RunPlan {
        let step = StepPlan(
            id: "report", name: system, action: .run(commands: ["exit 1"], shell: .sh),
            timeoutMs: PlanLimits.timeoutMsMax)
        let job = JobPlan(
            id: "reported", name: system, agentLabels: [LabelMatch.reported: "true"],
            timeoutMs: PlanLimits.timeoutMsMax, steps: [step])
        return RunPlan(name: name, jobs: [job], facts: facts)
    }

    /// Whether another system executes it. No file can ask for the label: it is no name that the language takes.
    package var isReported: Bool { jobs.contains { $0.agentLabels[LabelMatch.reported] != nil } }
}
