import AnsFlowProtocol
import HashTreeCollections

/// A concurrency group of a project.
struct GroupKey: Hashable, Comparable, Sendable {
    var project: ProjectID
    var name: String

    static func < (left: GroupKey, right: GroupKey) -> Bool {
        (left.project, left.name) < (right.project, right.name)
    }
}

/// A run or one of its jobs in a group.
struct GroupMember: Hashable, Comparable, Sendable {
    var run: RunID
    /// ``RunChanges/wholeRun`` for the run itself.
    var job: Int

    static func < (left: GroupMember, right: GroupMember) -> Bool { (left.run, left.job) < (right.run, right.job) }
}

/// Who holds which concurrency group, and who waits for one. It follows from the runs' rows and is never stored.
///
/// Whoever holds a group ends by itself: holding waits for nothing but agents. Nobody who waits holds a place against others, so a
/// job that is not ready keeps nobody out.
struct GroupBook: Equatable, Sendable {
    struct Waiting: Equatable, Sendable {
        var member: GroupMember
        var plan: ConcurrencyPlan
        /// Engine clock.
        var since: Int64
    }

    struct Group: Equatable, Sendable {
        /// The longest holder first.
        var holders: [GroupMember] = []
        /// In no order; see ``line``.
        var waiting: [Waiting] = []

        /// Those that wait, the next one first. By age of the run where all say `created`, else by who was ready first.
        var line: [Waiting] {
            let created = waiting.allSatisfy { $0.plan.order == .created }
            return waiting.sorted {
                created ? $0.member < $1.member : ($0.since, $0.member) < ($1.since, $1.member)
            }
        }
    }

    private var groups: TreeDictionary<GroupKey, Group> = [:]

    subscript(_ key: GroupKey) -> Group? { groups[key] }

    /// Somebody wants the group; who of the others has to give way, by what the newcomer says.
    ///
    /// Never those of its own run, and of those that hold the group only as many as the newcomer needs to get in, the longest holders
    /// first.
    mutating func join(
        _ key: GroupKey, _ waiting: Waiting, stopping: (GroupMember) -> Bool
    ) -> (superseded: [GroupMember], stopped: [GroupMember]) {
        var group = groups[key] ?? Group()
        guard !group.holders.contains(waiting.member), !group.waiting.contains(where: { $0.member == waiting.member })
        else { return ([], []) }
        var superseded: [GroupMember] = []
        var stopped: [GroupMember] = []
        if waiting.plan.onNew != .queue {
            superseded = group.waiting.map(\.member).filter { $0.run != waiting.member.run }.sorted()
        }
        if waiting.plan.onNew == .cancelRunning {
            var running = group.holders.filter { !stopping($0) }
            while running.count >= waiting.plan.limit,
                let first = running.firstIndex(where: { $0.run != waiting.member.run })
            {
                stopped.append(running.remove(at: first))
            }
        }
        group.waiting.append(waiting)
        groups[key] = group
        return (superseded, stopped)
    }

    /// Whose turn it is, if there is room for it. Only the first in line: a later one with a higher limit does not pass.
    func next(_ key: GroupKey) -> GroupMember? {
        guard let group = groups[key], let first = group.line.first, group.holders.count < first.plan.limit else {
            return nil
        }
        return first.member
    }

    mutating func admit(_ member: GroupMember, to key: GroupKey) {
        guard var group = groups[key] else { return }
        group.waiting.removeAll { $0.member == member }
        if !group.holders.contains(member) { group.holders.append(member) }
        groups[key] = group
    }

    /// Somebody holds the group by its rows.
    mutating func restore(_ member: GroupMember, holding key: GroupKey) {
        var group = groups[key] ?? Group()
        if !group.holders.contains(member) { group.holders.append(member) }
        group.holders.sort()
        groups[key] = group
    }

    mutating func restore(_ waiting: Waiting, in key: GroupKey) {
        groups[key, default: Group()].waiting.append(waiting)
    }

    mutating func leave(_ key: GroupKey, _ member: GroupMember) {
        guard var group = groups[key] else { return }
        group.holders.removeAll { $0 == member }
        group.waiting.removeAll { $0.member == member }
        groups[key] = group.holders.isEmpty && group.waiting.isEmpty ? nil : group
    }

    /// Who is in front of a member that waits: those that hold the group, then those before it in line.
    func front(of member: GroupMember, in key: GroupKey) -> (holders: [GroupMember], waiting: [GroupMember]) {
        guard let group = groups[key] else { return ([], []) }
        return (group.holders, Array(group.line.map(\.member).prefix { $0 != member }))
    }
}
