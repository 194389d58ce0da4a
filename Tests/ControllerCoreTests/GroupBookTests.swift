import AnsFlowProtocol
import Testing

@testable import ControllerCore

/// The concurrency group under every sequence of joining and leaving.
@Suite struct GroupBookTests {
    private static let key = GroupKey(project: 1, name: "g")

    private struct Story {
        var book = GroupBook()
        var limit: Int
        var onNew: ConcurrencyPlan.OnNew
        var order: ConcurrencyPlan.Order
        var next: Int64 = 1
        var clock: Int64 = 0
        var stopping: Set<GroupMember> = []

        var group: GroupBook.Group { book[GroupBookTests.key] ?? GroupBook.Group() }

        mutating func settle() {
            while let member = book.next(GroupBookTests.key) { book.admit(member, to: GroupBookTests.key) }
            #expect(group.holders.count <= limit)
            #expect(group.waiting.isEmpty || group.holders.count == limit, "there is room and somebody waits")
        }

        mutating func join() {
            clock += 1
            let member = GroupMember(run: RunID(rawValue: next), job: RunChanges.wholeRun)
            next += 1
            let plan = ConcurrencyPlan(group: "g", limit: limit, order: order, onNew: onNew)
            let waited = Set(group.waiting.map(\.member))
            let (superseded, stopped) = book.join(
                GroupBookTests.key, .init(member: member, plan: plan, since: clock)
            ) { stopping.contains($0) }
            #expect(onNew == .queue ? superseded.isEmpty : Set(superseded) == waited)
            #expect(onNew == .cancelRunning || stopped.isEmpty)
            for member in superseded { book.leave(GroupBookTests.key, member) }
            stopping.formUnion(stopped)
            settle()
        }

        mutating func leave(_ index: Int) {
            let held = group.holders[index]
            let first = group.line.first?.member
            book.leave(GroupBookTests.key, held)
            stopping.remove(held)
            book.leave(GroupBookTests.key, held)
            settle()
            if let first { #expect(group.holders.contains(first), "whoever is first goes first") }
        }
    }

    @Test(arguments: [1, 2], ConcurrencyPlan.OnNew.allCases) func holdsItsRules(
        _ limit: Int, _ onNew: ConcurrencyPlan.OnNew
    ) {
        var count = 0
        func visit(_ story: Story, _ depth: Int) {
            count += 1
            guard depth > 0 else { return }
            var joined = story
            joined.join()
            visit(joined, depth - 1)
            for index in story.group.holders.indices {
                var left = story
                left.leave(index)
                visit(left, depth - 1)
            }
        }
        for order in ConcurrencyPlan.Order.allCases { visit(Story(limit: limit, onNew: onNew, order: order), 8) }
        #expect(count > 200)
    }

    @Test func orderIsByAgeOrByReadiness() {
        for order in ConcurrencyPlan.Order.allCases {
            var book = GroupBook()
            let plan = ConcurrencyPlan(group: "g", order: order)
            for (run, since) in [(Int64(9), Int64(1)), (5, 2), (3, 3)] {
                let member = GroupMember(run: RunID(rawValue: run), job: 0)
                _ = book.join(Self.key, .init(member: member, plan: plan, since: since)) { _ in false }
            }
            let line = book[Self.key]?.line.map(\.member.run.rawValue)
            #expect(line == (order == .created ? [3, 5, 9] : [9, 5, 3]))
        }
    }

    @Test func ownRunIsSpared() {
        var book = GroupBook()
        let plan = ConcurrencyPlan(group: "g", onNew: .cancelRunning)
        for job in 0..<3 {
            let (superseded, stopped) = book.join(
                Self.key, .init(member: GroupMember(run: 1, job: job), plan: plan, since: 0)
            ) { _ in false }
            #expect(superseded.isEmpty && stopped.isEmpty)
            if let next = book.next(Self.key) { book.admit(next, to: Self.key) }
        }
        let other = GroupMember(run: 2, job: 0)
        let (superseded, stopped) = book.join(Self.key, .init(member: other, plan: plan, since: 1)) { _ in false }
        #expect(superseded.map(\.job) == [1, 2] && stopped.map(\.job) == [0])
    }
}
