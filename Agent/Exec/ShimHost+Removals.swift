import AnsFlowProtocol
import NIOCore
import NIOPosix

/// Workspaces to be removed, and when: not while a step begins, which wants the same cores and disk, but not much later either.
struct Removals {
    /// How long after a step's begin none is removed, and how long one waits at most, in milliseconds.
    static let restMs: UInt64 = 50
    static let waitMsMax: UInt64 = 1_000

    private var waiting: [JobAttemptID] = []
    private var oldest: UInt64 = 0
    private var lastBegin: UInt64 = 0
    private(set) var isDue = false

    /// A step begins.
    mutating func begun(at now: UInt64) { lastBegin = now }

    /// - Returns: After how many milliseconds to ask for what is ``due(at:)``; `nil` where somebody is to ask already.
    mutating func add(_ job: JobAttemptID, at now: UInt64) -> UInt64? {
        if waiting.isEmpty { oldest = now }
        waiting.append(job)
        guard !isDue else { return nil }
        isDue = true
        return Self.restMs
    }

    /// - Returns: What to remove now; nothing where it is to be asked again after ``restMs``.
    mutating func due(at now: UInt64) -> [JobAttemptID] {
        guard now >= lastBegin + Self.restMs || now >= oldest + Self.waitMsMax else { return [] }
        isDue = false
        defer { waiting = [] }
        return waiting
    }
}

extension ShimHost {
    /// Removes a job attempt's workspace as soon as no step is just beginning.
    func clean(_ job: JobAttemptID) {
        guard let wait = removals.add(job, at: HostFacts.nowMs) else { return }
        later(milliseconds: Int64(wait)) { self.removeDue() }
    }

    private func removeDue() {
        let jobs = removals.due(at: HostFacts.nowMs)
        guard !jobs.isEmpty else { return later(milliseconds: Int64(Removals.restMs)) { self.removeDue() } }
        let workspaces = workspaces
        pool.submit { [self] _ in
            for job in jobs {
                do throws(FileFailure) {
                    try workspaces.remove(job.rawValue)
                } catch {
                    let text = "A workspace can't be removed: \(error)"
                    loop.execute { [self] in note(text) }
                }
            }
        }
    }
}
