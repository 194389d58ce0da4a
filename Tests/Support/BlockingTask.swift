import Foundation

/// Runs blocking code of a test on a thread of its own, so that the few threads of the concurrency pool stay free for others.
package enum BlockingTask {
    /// Task-local values, and with them the test that expectations belong to, stay as they are.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withTaskExecutorPreference(OwnThreads.shared) { try await call(body) }
    }

    private static func call<Value: Sendable>(_ body: @Sendable () throws -> Value) async throws -> Value {
        try body()
    }

    /// A thread for each job.
    private final class OwnThreads: TaskExecutor {
        static let shared = OwnThreads()

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            let thread = Thread { job.runSynchronously(on: OwnThreads.shared.asUnownedTaskExecutor()) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}

/// Lets so many tests at once start processes, so that deadlines mean something on a small machine.
package actor Gate {
    package static let clusters = Gate(
        ProcessInfo.processInfo.environment["ANSFLOW_TEST_CLUSTERS"].flatMap { Int($0) } ?? 3)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(_ count: Int) { free = max(1, count) }

    package func enter() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    package func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
