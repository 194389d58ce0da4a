import ControllerCore

/// The edges between the steps of a job.
struct StepOrder {
    /// Without a single `needs` in the job, each step needs the one before it. Otherwise steps need what they name and start at
    /// once where they name nothing. The built-in steps before the first are needed by every step that does not say `needs: []`.
    ///
    /// - Parameter builtIn: the built-in steps that are there; an edge to one that is not is dropped, and so is an optional one to
    ///   a step that does not exist.
    /// - Returns: what each step needs, in the order of the steps.
    static func edges(of steps: [StepDefinition], builtIn: [String]) -> [[NeedPlan]] {
        let first = builtIn.map { NeedPlan($0) }
        guard steps.contains(where: { $0.needs != nil }) else {
            return steps.indices.map { index in index > 0 ? [NeedPlan(steps[index - 1].id)] : first }
        }
        let own = Set(steps.map(\.id))
        return steps.map { step in
            guard let needs = step.needs else { return first }
            let named = needs.filter { own.contains($0.id) }.map { NeedPlan($0.id, allowFailure: $0.allowFailure) }
            return needs.isEmpty ? [] : first.filter { !own.contains($0.id) } + named
        }
    }

    private let ids: [String]
    private let indexes: [[Int]]

    /// Prepares ``awaited(by:)``; an edge to a step that does not exist is left out.
    init(of steps: [StepDefinition], builtIn: [String]) {
        let edges = Self.edges(of: steps, builtIn: builtIn)
        let ids = steps.map(\.id) + builtIn
        let places = Dictionary(zip(ids, ids.indices), uniquingKeysWith: { first, _ in first })
        self.ids = ids
        indexes = edges.map { $0.compactMap { places[$0.id] } } + builtIn.map { _ in [] }
    }

    /// Everything that a step waits for, directly and indirectly.
    func awaited(by step: Int) -> Set<String> {
        var seen = [Bool](repeating: false, count: ids.count)
        var open = indexes[step]
        while let place = open.popLast() {
            guard !seen[place] else { continue }
            seen[place] = true
            open += indexes[place].filter { !seen[$0] }
        }
        return Set(ids.indices.lazy.filter { seen[$0] }.map { ids[$0] })
    }
}
