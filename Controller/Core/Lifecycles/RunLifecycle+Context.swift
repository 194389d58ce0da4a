import AnsFlowProtocol

// What expressions see of a run.
extension RunLifecycle {
    /// Whether a job or a step of the body runs, once everything that it needs has ended.
    func holds(_ condition: Expression?, job: Int, step: Int?, needed: Needed) -> Bool {
        guard let condition else { return needed.success }
        // Without asking for anything else where that settles it: most conditions are of this kind.
        guard condition.callsStatusFunction || needed.success else { return false }
        return condition.evaluate(
            in: context(job: job, step: step, needed: needed, seeing: [condition])
        ).isTrue
    }

    /// A step of `finally` runs whatever happened, unless its own condition says no; there is no implied `success()`.
    func holdsFinally(_ step: Int, of job: Int) -> Bool {
        guard let condition = plan.jobs[job].steps[step].condition else { return true }
        let work = work(of: job).outcome
        let needed = Needed(success: work.satisfies, failure: work.isFailure)
        return condition.evaluate(
            in: context(job: job, step: step, needed: needed, seeing: [condition])
        ).isTrue
    }

    /// - Parameter expressions: those that are to be evaluated: what they do not name is left out, since a job can have a thousand
    ///   steps.
    func context(job: Int, step: Int?, needed: Needed, seeing expressions: [Expression]) -> ExpressionContext {
        let seesNeeds = expressions.contains { $0.names(.needs) }
        let seesSteps = step != nil && expressions.contains { $0.names(.steps) }
        var needs: [String: [(outcome: Outcome, cause: Cause?)]] = [:]
        var needsOutputs: [String: [String: String]] = [:]
        if seesNeeds {
            for need in topology.jobNeeds[job].map(\.to).sorted() {
                let state = jobs[need]
                let group = plan.jobs[need].group
                guard state.isFinished, let outcome = state.row.outcome else { continue }
                needs[group, default: []].append((outcome, state.row.cause))
                needsOutputs[group, default: [:]].merge(state.publishedOutputs) { _, later in later }
            }
        }
        var steps: [String: String] = [:]
        var stepsOutputs: [String: [String: String]] = [:]
        if seesSteps {
            for state in jobs[job].steps where state.row.phase == .finished {
                steps[state.row.name] = state.row.outcome?.rawValue
                guard let attempt = state.attempt?.row, attempt.jobAttempt == jobs[job].attempt?.id else { continue }
                stepsOutputs[state.row.name] = attempt.outputs
            }
        }
        return plan.expressionContext(
            job: plan.jobs[job], step: step.map { plan.jobs[job].steps[$0] },
            needs: needs.compactMapValues { WorstOutcome.of($0)?.rawValue }, steps: steps, needsOutputs: needsOutputs,
            stepsOutputs: stepsOutputs, given: jobs[job].givenInputs.mapValues(\.expressionValue),
            success: needed.success, failure: needed.failure)
    }
}

extension JobState {
    /// What its approver gave.
    var givenInputs: [String: InputValue] {
        approval?.state == .approved ? approval?.inputs ?? [:] : [:]
    }
}

extension Expression {
    /// Whether a name of this kind stands anywhere in it.
    func names(_ root: Root) -> Bool {
        if case .name(root, _) = self { return true }
        return children.contains { $0.names(root) }
    }
}
