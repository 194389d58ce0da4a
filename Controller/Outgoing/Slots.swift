/// Lets so many in at a time, and so many more wait.
actor Slots {
    private var free: Int
    private let waitingMax: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int, waitingMax: Int) {
        free = count
        self.waitingMax = waitingMax
    }

    /// False where too many wait. Whoever is let in calls ``leave()`` once.
    func enter() async -> Bool {
        if free > 0 {
            free -= 1
            return true
        }
        guard waiting.count < waitingMax else { return false }
        await withCheckedContinuation { waiting.append($0) }
        return true
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
