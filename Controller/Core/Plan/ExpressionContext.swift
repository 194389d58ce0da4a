/// Everything that an expression can see.
package struct ExpressionContext: Sendable {
    package var facts: RunFacts
    package var inputs: [String: ExpressionValue]
    package var environment: [String: String]
    /// `needs.<job>.result`, in the words of the API.
    package var needs: [String: String]
    /// `steps.<id>.result`.
    package var steps: [String: String]
    /// What `success()` gives: everything that is needed ended well.
    package var success: Bool
    /// What `failure()` gives: something that is needed failed.
    package var failure: Bool

    package init(
        facts: RunFacts = RunFacts(), inputs: [String: ExpressionValue] = [:], environment: [String: String] = [:],
        needs: [String: String] = [:], steps: [String: String] = [:], success: Bool = true, failure: Bool = false
    ) {
        self.facts = facts
        self.inputs = inputs
        self.environment = environment
        self.needs = needs
        self.steps = steps
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
        case .needs: return result(in: needs, keys)
        case .steps: return result(in: steps, keys)
        }
    }

    private func result(in results: [String: String], _ keys: [String]) -> ExpressionValue {
        guard keys.count == 2, keys[1] == "result" else { return .null }
        return results[keys[0]].map { .text($0) } ?? .null
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
