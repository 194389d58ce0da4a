import AnsFlowProtocol

/// A job that waits for an agent.
package struct QueueEntry: Equatable, Sendable {
    package var run: RunID
    package var job: Int
    package var project: ProjectID
    package var priority: Int
    /// Engine clock.
    package var since: Int64
    package var labels: [String: String]

    package init(run: RunID, job: Int, project: ProjectID, priority: Int, since: Int64, labels: [String: String]) {
        self.run = run
        self.job = job
        self.project = project
        self.priority = priority
        self.since = since
        self.labels = labels
    }

    /// Higher priority first, then the older run, then the order of its file.
    func isBefore(_ other: QueueEntry) -> Bool {
        (-priority, run.rawValue, job) < (-other.priority, other.run.rawValue, other.job)
    }
}

/// Jobs that are ready, and the order in which they get agents.
///
/// Jobs that ask for the same labels share a bucket, so that a choice costs buckets times projects and not jobs. Among the
/// projects whose first job some free agent fits, the one with the fewest slots in use goes first; each minute of waiting
/// counts as one slot less, so that nobody waits for ever.
package struct RunQueue: Sendable {
    struct Bucket: Sendable {
        var labels: [String: String]
        /// In order, by project; no empty lists.
        var waiting: [ProjectID: [QueueEntry]]
        /// The same, the longest waiting first.
        var byAge: [ProjectID: [QueueEntry]]
    }

    /// By the labels' canonical text.
    private(set) var buckets: [String: Bucket] = [:]
    package private(set) var count = 0

    package init() {}

    /// Engine clock since when the first of all has waited; nil where none does.
    package var oldest: Int64? {
        var oldest: Int64?
        for bucket in buckets.values {
            for list in bucket.byAge.values {
                if let since = list.first?.since { oldest = min(oldest ?? since, since) }
            }
        }
        return oldest
    }

    package mutating func insert(_ entry: QueueEntry) {
        let key = Self.key(entry.labels)
        var list = buckets[key]?.waiting[entry.project] ?? []
        let place = Self.place(of: entry, in: list)
        guard place == list.count || list[place].isBefore(entry) || entry.isBefore(list[place]) else { return }
        // The list must not be shared while it is changed.
        buckets[key, default: Bucket(labels: entry.labels, waiting: [:], byAge: [:])].waiting[entry.project] = nil
        list.insert(entry, at: place)
        buckets[key]?.waiting[entry.project] = list
        var ages = buckets[key]?.byAge[entry.project] ?? []
        buckets[key]?.byAge[entry.project] = nil
        ages.insert(entry, at: Self.agePlace(of: entry, in: ages))
        buckets[key]?.byAge[entry.project] = ages
        count += 1
    }

    package mutating func remove(_ entry: QueueEntry) {
        let key = Self.key(entry.labels)
        guard var list = buckets[key]?.waiting[entry.project] else { return }
        let place = Self.place(of: entry, in: list)
        guard place < list.count, list[place].run == entry.run, list[place].job == entry.job else { return }
        buckets[key]?.waiting[entry.project] = nil
        let stored = list.remove(at: place)
        if var ages = buckets[key]?.byAge[entry.project] {
            buckets[key]?.byAge[entry.project] = nil
            let age = Self.agePlace(of: stored, in: ages)
            if age < ages.count, ages[age] == stored { ages.remove(at: age) }
            if !ages.isEmpty { buckets[key]?.byAge[entry.project] = ages }
        }
        if !list.isEmpty {
            buckets[key]?.waiting[entry.project] = list
        } else if buckets[key]?.waiting.isEmpty ?? false {
            buckets[key] = nil
        }
        count -= 1
    }

    /// The job that goes next, without taking it out.
    ///
    /// - Parameters:
    ///   - clock: the engine's.
    ///   - slotsInUse: by project.
    ///   - fits: whether an agent with a free slot has these labels.
    package func next(
        clock: Int64, slotsInUse: (ProjectID) -> Int, fits: ([String: String]) -> Bool
    ) -> QueueEntry? {
        var best: (score: Int64, entry: QueueEntry)?
        for bucket in buckets.values where fits(bucket.labels) {
            for (project, list) in bucket.waiting {
                let entry = Self.first(list[0], bucket.byAge[project]?.first)
                let aged = max(0, clock - entry.since) / EngineLimits.ageingMsPerSlot
                let score = Int64(slotsInUse(project)) - aged
                // Ties go by the entries' own order, so that no dictionary's order ever shows.
                if let current = best, (current.score, 0) < (score, 0) { continue }
                if let current = best, current.score == score, current.entry.isBefore(entry) { continue }
                best = (score, entry)
            }
        }
        return best?.entry
    }

    /// Higher priority goes first, but nobody waits for ever: whoever has waited much longer goes before it.
    private static func first(_ head: QueueEntry, _ oldest: QueueEntry?) -> QueueEntry {
        guard let oldest, oldest.since + EngineLimits.priorityMsMax <= head.since else { return head }
        return oldest
    }

    private static func agePlace(of entry: QueueEntry, in list: [QueueEntry]) -> Int {
        func isBefore(_ left: QueueEntry, _ right: QueueEntry) -> Bool {
            (left.since, left.run.rawValue, left.job) < (right.since, right.run.rawValue, right.job)
        }
        if let last = list.last, isBefore(last, entry) { return list.count }
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(list[middle], entry) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Its place among the jobs that ask for the same labels, from 1.
    package func position(of entry: QueueEntry) -> Int? {
        guard let bucket = buckets[Self.key(entry.labels)], let list = bucket.waiting[entry.project] else { return nil }
        let own = Self.place(of: entry, in: list)
        guard own < list.count, list[own].run == entry.run, list[own].job == entry.job else { return nil }
        var before = own
        for (project, others) in bucket.waiting where project != entry.project {
            before += Self.place(of: entry, in: others)
        }
        return before + 1
    }

    /// Where the entry stands or would stand.
    private static func place(of entry: QueueEntry, in list: [QueueEntry]) -> Int {
        if let last = list.last, last.isBefore(entry) { return list.count }
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].isBefore(entry) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func key(_ labels: [String: String]) -> String {
        if labels.isEmpty { return "" }
        return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
    }
}

/// Whether an agent's labels fit what a job asks for. A value may hold `*`; `*` alone asks for the label's presence.
package enum LabelMatch {
    /// Agents with this label as `true` take what comes from outside, and nothing else that does not ask for them.
    package static let untrusted = "untrusted"
    /// The controller's own place for runs that other systems execute has this label, and takes nothing else.
    package static let reported = "ansflow/reported"

    package static func fits(_ wanted: [String: String], _ labels: [String: String]) -> Bool {
        isOpen(wanted, labels) && has(wanted, labels)
    }

    private static func isOpen(_ wanted: [String: String], _ labels: [String: String]) -> Bool {
        [untrusted, reported].allSatisfy { labels[$0] != "true" || wanted[$0] != nil }
    }

    private static func has(_ wanted: [String: String], _ labels: [String: String]) -> Bool {
        wanted.allSatisfy { key, pattern in
            labels[key].map { Glob.matches($0, pattern: pattern, slashes: true) } ?? false
        }
    }

    /// The first label that does not fit, in the order of the alphabet: `gpu=yes (has gpu=none)`.
    package static func missing(_ wanted: [String: String], _ labels: [String: String]) -> String? {
        for (key, pattern) in wanted.sorted(by: { $0.key < $1.key }) where !has([key: pattern], labels) {
            return "label \(key)=\(pattern)" + (labels[key].map { " (it has \(key)=\($0))" } ?? "")
        }
        if isOpen(wanted, labels) { return nil }
        return labels[reported] == "true"
            ? "it stands for other systems" : "it takes jobs of untrusted runs only (untrusted=true)"
    }
}
