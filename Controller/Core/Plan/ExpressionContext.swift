/// Everything that an expression can see.
package struct ExpressionContext: Sendable {
    package var facts: RunFacts
    package var inputs: [String: ExpressionValue]
    /// The job's values of the matrix, by axis.
    package var matrix: [String: ExpressionValue]
    package var environment: [String: String]
    /// `needs.<job>.result`, in the words of the API, by the file's id; of a matrix the worst of its cells.
    package var needs: [String: String]
    /// `steps.<id>.result`.
    package var steps: [String: String]
    /// `needs.<job>.outputs.<name>`.
    package var needsOutputs: [String: [String: String]]
    /// `steps.<id>.outputs.<name>`.
    package var stepsOutputs: [String: [String: String]]
    /// What `success()` gives: everything that is needed ended well.
    package var success: Bool
    /// What `failure()` gives: something that is needed failed.
    package var failure: Bool

    package init(
        facts: RunFacts = RunFacts(), inputs: [String: ExpressionValue] = [:],
        matrix: [String: ExpressionValue] = [:], environment: [String: String] = [:], needs: [String: String] = [:],
        steps: [String: String] = [:], needsOutputs: [String: [String: String]] = [:],
        stepsOutputs: [String: [String: String]] = [:], success: Bool = true, failure: Bool = false
    ) {
        self.facts = facts
        self.inputs = inputs
        self.matrix = matrix
        self.environment = environment
        self.needs = needs
        self.steps = steps
        self.needsOutputs = needsOutputs
        self.stepsOutputs = stepsOutputs
        self.success = success
        self.failure = failure
    }

    /// The value at a path; null where there is none.
    func value(_ root: Expression.Root, _ keys: [String]) -> ExpressionValue {
        func text(_ value: String?) -> ExpressionValue {
            keys.isEmpty ? value.map { .text($0) } ?? .null : .null
        }
        switch root {
        case .event: return text(facts.event)
        case .ref: return text(facts.ref)
        case .branch: return text(facts.branch)
        case .tag: return text(facts.tag)
        case .commit: return text(facts.commit)
        case .inputs: return keys.count == 1 ? inputs[keys[0]] ?? .null : .null
        case .env: return keys.count == 1 ? environment[keys[0]].map { .text($0) } ?? .null : .null
        case .matrix: return keys.count == 1 ? matrix[keys[0]] ?? .null : .null
        case .payload: return facts.payload?.value(at: keys) ?? .null
        case .needs: return ending(needs, needsOutputs, keys)
        case .steps: return ending(steps, stepsOutputs, keys)
        }
    }

    /// How something ended, or one of its outputs.
    private func ending(
        _ results: [String: String], _ outputs: [String: [String: String]], _ keys: [String]
    ) -> ExpressionValue {
        switch (keys.count, keys.dropFirst().first) {
        case (2, "result"): return results[keys[0]].map { .text($0) } ?? .null
        case (3, "outputs"): return outputs[keys[0]]?[keys[2]].map { .text($0) } ?? .null
        default: return .null
        }
    }
}

/// When a job or a step runs, once everything that it needs has ended.
package enum ConditionRule {
    /// Without a condition: when everything that is needed ended well. With one: when it is true, and, unless it calls
    /// a status function, everything that is needed ended well.
    package static func holds(_ condition: Expression?, in context: ExpressionContext) -> Bool {
        guard let condition else { return context.success }
        guard condition.callsStatusFunction || context.success else { return false }
        return condition.evaluate(in: context).isTrue
    }
}
