package import AnsFlowProtocol

/// Decides when a job attempt's workspace may go.
///
/// The controller says when a job attempt is over, and then its workspace goes at once. That message may be lost with a
/// connection, so what is idle for long goes too: with one slot as soon as another job attempt begins, since then the one before is
/// over; with more slots after a while.
package struct WorkspaceKeeper: Equatable, Sendable {
    static let idleMs: UInt64 = 10 * 60 * 1000
    /// Idle workspaces that are kept at most, whatever their age.
    static let idleCountMax = 256

    private struct Entry: Equatable {
        var id: JobAttemptID
        /// When its last attempt was forgotten; `nil` while it has attempts.
        var idleSince: UInt64?
        /// The controller said that no step of it will come.
        var isOver = false
        /// A step of it came to this process.
        var wasUsed = false
    }

    private let slots: Int
    /// Ordered by last use, oldest first.
    private var known: [Entry] = []

    package init(slots: Int, existing: [JobAttemptID], inUse: Set<JobAttemptID>, now: UInt64) {
        self.slots = slots
        known = Set(existing).union(inUse).filter { $0.rawValue > 0 }.sorted().map {
            Entry(id: $0, idleSince: inUse.contains($0) ? nil : now, wasUsed: inUse.contains($0))
        }
    }

    /// Whether a step of it was here: it has begun.
    func contains(_ job: JobAttemptID) -> Bool { known.contains { $0.id == job } }

    /// Whether a further step may come of a job attempt that this process had steps of.
    func hasOpenJobs(now: UInt64) -> Bool {
        known.contains { entry in
            entry.wasUsed && !entry.isOver && (entry.idleSince.map { now < $0 + Self.idleMs } ?? true)
        }
    }

    /// A step of `job` comes.
    ///
    /// - Returns: Workspaces to remove.
    mutating func use(_ job: JobAttemptID, now: UInt64) -> [JobAttemptID] {
        let isNew = !contains(job)
        known.removeAll { $0.id == job }
        known.append(Entry(id: job, wasUsed: true))
        return isNew ? surplus(now: now) : []
    }

    /// The last attempt of `job` that was known here is forgotten.
    ///
    /// - Returns: Workspaces to remove.
    mutating func release(_ job: JobAttemptID, now: UInt64) -> [JobAttemptID] {
        guard let place = known.firstIndex(where: { $0.id == job }) else { return [] }
        var entry = known.remove(at: place)
        if entry.isOver { return [job] }
        entry.idleSince = now
        known.append(entry)
        return []
    }

    /// No step of `job` will come any more.
    ///
    /// - Returns: Workspaces to remove.
    mutating func ended(_ job: JobAttemptID, now: UInt64) -> [JobAttemptID] {
        guard let place = known.firstIndex(where: { $0.id == job }) else { return [] }
        known[place].isOver = true
        guard known[place].idleSince != nil else { return [] }
        known.remove(at: place)
        return [job]
    }

    mutating func tick(now: UInt64) -> [JobAttemptID] {
        let old = known.filter { $0.idleSince.map { now >= $0 + Self.idleMs } ?? false }.map(\.id)
        known.removeAll { old.contains($0.id) }
        return old
    }

    private mutating func surplus(now: UInt64) -> [JobAttemptID] {
        let idle = known.filter { $0.idleSince != nil }
        let gone = slots == 1 ? idle : Array(idle.prefix(max(0, idle.count - Self.idleCountMax)))
        known.removeAll { gone.contains($0) }
        return gone.map(\.id)
    }
}
