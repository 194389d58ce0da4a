import Synchronization

/// Waits for work, but not longer than a limit: what takes longer goes on alone and ends by its own limits.
///
/// - Returns: `nil` where the time was up.
func within<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value? {
    return await withCheckedContinuation { continuation in
        let race = Race(continuation)
        // Nobody awaits them: the first of both answers, and each of them ends.
        Task { race.answer(await work()) }
        Task {
            try? await Task.sleep(for: limit)
            race.answer(nil)
        }
    }
}

/// A continuation that the first answer resumes.
private final class Race<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value?, Never>?>

    init(_ continuation: CheckedContinuation<Value?, Never>) {
        self.continuation = Mutex(continuation)
    }

    func answer(_ value: Value?) {
        let waiting = continuation.withLock { held in
            defer { held = nil }
            return held
        }
        waiting?.resume(returning: value)
    }
}
