/// A condition or a piece of `${{ }}`, parsed and checked. Evaluating it always ends, never traps and has no effects.
package indirect enum Expression: Codable, Equatable, Sendable {
    /// What a name may begin with.
    package enum Root: String, Codable, Sendable, CaseIterable {
        case event, ref, branch, tag, commit, inputs, matrix, env, payload, needs, steps
    }

    package enum Comparison: String, Codable, Sendable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    }

    package enum Function: String, Codable, Sendable, CaseIterable {
        case contains, matches, changed, success, failure, always
        case startsWith = "starts_with"
        case endsWith = "ends_with"

        /// Whether it speaks of how the run is going. A condition that calls one has no implied `success()`.
        package var isStatus: Bool {
            switch self {
            case .success, .failure, .always: true
            case .contains, .matches, .startsWith, .endsWith, .changed: false
            }
        }

        /// How many arguments it takes. ``changed`` takes a list of patterns.
        package var parameterCounts: ClosedRange<Int> {
            isStatus ? 0...0 : self == .changed ? 1...PlanLimits.changedPatternsMax : 2...2
        }
    }

    case literal(ExpressionValue)
    /// `inputs.level` is `name(.inputs, [.literal("level")])`; `inputs[x]` has an expression as its key.
    case name(Root, [Expression])
    case not(Expression)
    /// All are true; at least two.
    case all([Expression])
    /// One is true; at least two.
    case any([Expression])
    case compare(Comparison, Expression, Expression)
    case call(Function, [Expression])

    /// The expressions directly inside.
    package var children: [Expression] {
        switch self {
        case .literal: []
        case .name(_, let keys): keys
        case .not(let inner): [inner]
        case .all(let terms), .any(let terms): terms
        case .compare(_, let left, let right): [left, right]
        case .call(_, let arguments): arguments
        }
    }

    /// Whether its value is known as soon as the run is created: it asks for no result, no output and no approver's input
    /// (`given` names those). A job whose condition is known to be false need not wait for anything to be skipped.
    package func isKnownAtStart(given: Set<String> = []) -> Bool {
        switch self {
        case .name(.needs, _), .name(.steps, _):
            return false
        case .name(.inputs, let keys) where !given.isEmpty:
            guard case .literal(.text(let name))? = keys.first, !given.contains(name) else { return false }
            return true
        case .call(let function, _) where function.isStatus && function != .always:
            return false
        case .literal, .name, .not, .all, .any, .compare, .call:
            return children.allSatisfy { $0.isKnownAtStart(given: given) }
        }
    }

    /// Whether a status function is called anywhere inside. Without one, a condition has an implied `success()`.
    package var callsStatusFunction: Bool {
        if case .call(let function, _) = self, function.isStatus { return true }
        return children.contains { $0.callsStatusFunction }
    }
}
