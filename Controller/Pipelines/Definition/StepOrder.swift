import ControllerCore

/// The edges between the steps of a job.
struct StepOrder {
    /// Without a single `needs` in the job, each step needs the one before it. Otherwise steps need what they name and start at
    /// once where they name nothing. With a checkout, every step needs it that does not say `needs: []`.
    ///
    /// - Parameter checkout: whether the built-in step is there; an edge to one that is not is dropped.
    /// - Returns: the ids that each step needs, in the order of the steps.
    static func edges(of steps: [StepDefinition], checkout: Bool) -> [[String]] {
        let builtIn = StepPlan.checkoutID
        guard steps.contains(where: { $0.needs != nil }) else {
            return steps.indices.map { index in
                index > 0 ? [steps[index - 1].id] : checkout ? [builtIn] : []
            }
        }
        let isNamed = steps.contains { $0.id == builtIn }
        return steps.map { step in
            guard let needs = step.needs else { return checkout ? [builtIn] : [] }
            let named = needs.map(\.id)
            if needs.isEmpty || isNamed { return named }
            let others = named.filter { $0 != builtIn }
            return checkout ? [builtIn] + others : others
        }
    }

    private let ids: [String]
    private let indexes: [[Int]]

    /// Prepares ``awaited(by:)``; an edge to a step that does not exist is left out.
    init(of steps: [StepDefinition], checkout: Bool) {
        let edges = Self.edges(of: steps, checkout: checkout)
        let ids = steps.map(\.id) + (checkout ? [StepPlan.checkoutID] : [])
        let places = Dictionary(zip(ids, ids.indices), uniquingKeysWith: { first, _ in first })
        self.ids = ids
        indexes = edges.map { $0.compactMap { places[$0] } } + (checkout ? [[]] : [])
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
