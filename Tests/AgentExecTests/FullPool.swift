import Glibc
import Synchronization
import TestSupport

/// Takes every thread of Swift's pool until it is released; others who block in tasks do the same to it.
final class FullPool: Sendable {
    private let held = Atomic<Int>(0)
    private let isReleased = Atomic<Bool>(false)

    /// To be called by a test that is not `async`: it holds a thread of the pool itself, which has one for each core.
    init() throws {
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        for _ in 0..<cores {
            Task.detached { [self] in
                held.add(1, ordering: .sequentiallyConsistent)
                while !isReleased.load(ordering: .sequentiallyConsistent) { usleep(5_000) }
            }
        }
        try eventually(within: 60, "the pool is full") { held.load(ordering: .sequentiallyConsistent) >= cores - 1 }
    }

    func release() { isReleased.store(true, ordering: .sequentiallyConsistent) }
}
