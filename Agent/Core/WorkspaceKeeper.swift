package import AnsFlowProtocol

/// Decides when a job attempt's workspace may go.
///
/// The controller never says that a job attempt is over; between two of its steps the agent may know of no attempt of it. What is certain
/// is that at most `slots` job attempts are alive here: with one slot, another job attempt's first step proves that the one before is
/// over. With more slots the least recently used ones go, and only when they were idle for long.
package struct WorkspaceKeeper: Equatable, Sendable {
    static let idleMs: UInt64 = 10 * 60 * 1000
    /// Idle workspaces that are kept at most, whatever their age.
    static let idleCountMax = 256

    private let slots: Int
    /// Workspace and when its last attempt was forgotten; `nil` while it has attempts. Ordered by last use, oldest first.
    private var known: [(id: JobAttemptID, idleSince: UInt64?)] = []

    package init(slots: Int, existing: [JobAttemptID], inUse: Set<JobAttemptID>, now: UInt64) {
        self.slots = slots
        known = Set(existing).union(inUse).filter { $0.rawValue > 0 }.sorted().map {
            ($0, inUse.contains($0) ? nil : now)
        }
    }

    /// Whether a step of it was here: it has begun.
    func contains(_ job: JobAttemptID) -> Bool { known.contains { $0.id == job } }

    /// A step of `job` comes.
    ///
    /// - Returns: Workspaces to remove.
    mutating func use(_ job: JobAttemptID, now: UInt64) -> [JobAttemptID] {
        let isNew = !contains(job)
        known.removeAll { $0.id == job }
        known.append((job, nil))
        return isNew ? surplus(now: now) : []
    }

    /// The last attempt of `job` is forgotten.
    mutating func release(_ job: JobAttemptID, now: UInt64) {
        guard contains(job) else { return }
        known.removeAll { $0.id == job }
        known.append((job, now))
    }

    mutating func tick(now: UInt64) -> [JobAttemptID] {
        let old = known.filter { $0.idleSince.map { now >= $0 + Self.idleMs } ?? false }.map(\.id)
        // The workspaces of the latest jobs stay for a look, as many as could still be alive.
        let removable = old.prefix(max(0, known.count - slots))
        known.removeAll { removable.contains($0.id) }
        return Array(removable)
    }

    private mutating func surplus(now: UInt64) -> [JobAttemptID] {
        let idle = known.filter { $0.idleSince != nil }
        var gone = slots == 1 ? idle : Array(idle.prefix(max(0, idle.count - Self.idleCountMax)))
        if slots > 1, idle.count > slots {
            gone += idle.dropFirst(gone.count).prefix(idle.count - slots).filter {
                now >= ($0.idleSince ?? now) + Self.idleMs
            }
        }
        let ids = Set(gone.map(\.id))
        known.removeAll { ids.contains($0.id) }
        return gone.map(\.id)
    }

    package static func == (left: WorkspaceKeeper, right: WorkspaceKeeper) -> Bool {
        left.slots == right.slots
            && left.known.elementsEqual(right.known) { $0.id == $1.id && $0.idleSince == $1.idleSince }
    }
}
