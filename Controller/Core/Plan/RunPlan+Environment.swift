extension RunPlan {
    /// The environment that the file gives to a step: the run's, over it the job's, over it the step's.
    package func environment(of step: StepPlan?, in job: JobPlan) -> [String: String] {
        var merged = environment
        merged.merge(job.environment) { _, inner in inner }
        if let step { merged.merge(step.environment) { _, inner in inner } }
        return merged
    }

    /// The variables that follow from the plan alone: `CI`, `ANSFLOW`, what started the run, and the inputs.
    /// Those of run, job, step and attempt are the caller's to add.
    package var standardVariables: [String: String] {
        var variables = ["CI": "true", "ANSFLOW": "true", "ANSFLOW_PIPELINE": name, "ANSFLOW_EVENT": facts.event]
        variables["ANSFLOW_REF"] = facts.ref
        variables["ANSFLOW_BRANCH"] = facts.branch
        variables["ANSFLOW_TAG"] = facts.tag
        variables["ANSFLOW_COMMIT"] = facts.commit
        variables["TRACEPARENT"] = facts.trace
        for input in inputs {
            variables[InputPlan.variableName(input.name)] = input.value?.variable
        }
        if let request = facts.pullRequest {
            variables["ANSFLOW_PULL_REQUEST"] = String(request.number)
            variables["ANSFLOW_PULL_REQUEST_BASE"] = request.base
            variables["ANSFLOW_PULL_REQUEST_HEAD"] = request.head
            variables["ANSFLOW_PULL_REQUEST_AUTHOR"] = request.author
            variables["ANSFLOW_PULL_REQUEST_TITLE"] = request.title
        }
        return variables
    }

    /// The values of the inputs, for an ``ExpressionContext``.
    package var inputValues: [String: ExpressionValue] {
        var values: [String: ExpressionValue] = [:]
        for input in inputs { values[input.name] = input.value?.expressionValue }
        return values
    }

    /// Everything that a condition can see apart from results.
    ///
    /// - Parameters:
    ///   - job: the job whose condition, or whose step's condition, is decided.
    ///   - step: `nil` for the job's own condition.
    ///   - needs: results of jobs by their id, in the words of the API (`success`, `failed`, …).
    ///   - steps: results of the job's steps by their id.
    ///   - needsOutputs: outputs of jobs by their id.
    ///   - stepsOutputs: outputs of the job's steps by their id.
    ///   - given: what an approver gave for the job, over the run's inputs.
    ///   - success: whether everything that is needed ended well.
    ///   - failure: whether something that is needed failed.
    package func expressionContext(
        job: JobPlan, step: StepPlan? = nil, needs: [String: String] = [:], steps: [String: String] = [:],
        needsOutputs: [String: [String: String]] = [:], stepsOutputs: [String: [String: String]] = [:],
        given: [String: ExpressionValue] = [:], success: Bool = true, failure: Bool = false
    ) -> ExpressionContext {
        ExpressionContext(
            facts: facts, inputs: inputValues.merging(given) { _, own in own }, matrix: job.matrixValues,
            environment: environment(of: step, in: job), needs: needs, steps: steps, needsOutputs: needsOutputs,
            stepsOutputs: stepsOutputs, success: success, failure: failure)
    }
}

extension JobPlan {
    /// The cell's values, for an ``ExpressionContext``.
    package var matrixValues: [String: ExpressionValue] {
        Dictionary(matrix.map { ($0.axis, $0.value.expressionValue) }) { _, last in last }
    }
}
