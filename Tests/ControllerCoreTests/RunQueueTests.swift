import AnsFlowProtocol
import ControllerCore
import Testing

@Suite struct RunQueueTests {
    /// The rule without the structure: look at everything, every time.
    struct Naive {
        var entries: [QueueEntry] = []

        func first(of project: ProjectID, _ labels: [String: String]) -> QueueEntry? {
            let own = entries.filter { $0.project == project && $0.labels == labels }
            guard let head = own.min(by: before),
                let oldest = own.min(by: { ($0.since, $0.run, $0.job) < ($1.since, $1.run, $1.job) })
            else { return nil }
            return oldest.since + EngineLimits.priorityMsMax <= head.since ? oldest : head
        }

        func before(_ left: QueueEntry, _ right: QueueEntry) -> Bool {
            if left.priority != right.priority { return left.priority > right.priority }
            return left.run == right.run ? left.job < right.job : left.run < right.run
        }

        func next(clock: Int64, used: [ProjectID: Int], fits: ([String: String]) -> Bool) -> QueueEntry? {
            let heads = entries.filter { fits($0.labels) && first(of: $0.project, $0.labels) == $0 }
            func score(_ entry: QueueEntry) -> Int64 {
                Int64(used[entry.project] ?? 0) - max(0, clock - entry.since) / EngineLimits.ageingMsPerSlot
            }
            return heads.min { score($0) == score($1) ? before($0, $1) : score($0) < score($1) }
        }

        func position(of entry: QueueEntry) -> Int? {
            guard entries.contains(entry) else { return nil }
            return entries.count { $0.labels == entry.labels && before($0, entry) } + 1
        }
    }

    @Test(arguments: 0..<20) func doesWhatTheNaiveOneDoes(_ seed: UInt64) {
        var chance = Chance(seed)
        var queue = RunQueue()
        var naive = Naive()
        let labels: [[String: String]] = [[:], ["os": "linux"], ["os": "mac", "gpu": "*"]]
        for step in 0..<400 {
            let clock = Int64(step) * 20_000
            if chance.percent(55) {
                let run = RunID(Int64(chance.below(80)))
                // One run has one project and one priority.
                let entry = QueueEntry(
                    run: run, job: chance.below(3), project: ProjectID(run.rawValue % 4),
                    priority: Int(run.rawValue % 3), since: clock, labels: labels[Int(run.rawValue % 3)])
                guard !naive.entries.contains(where: { $0.run == entry.run && $0.job == entry.job }) else { continue }
                queue.insert(entry)
                naive.entries.append(entry)
            } else if let entry = naive.entries.isEmpty ? nil : chance.pick(naive.entries) {
                #expect(queue.position(of: entry) == naive.position(of: entry))
                queue.remove(entry)
                queue.remove(entry)
                naive.entries.removeAll { $0 == entry }
                #expect(queue.position(of: entry) == nil)
            }
            #expect(queue.count == naive.entries.count)
            let used: [ProjectID: Int] = [0: chance.below(5), 1: chance.below(5), 2: 1]
            let allowed = labels.filter { _ in chance.percent(70) }
            let fits: ([String: String]) -> Bool = { allowed.contains($0) }
            let expected = naive.next(clock: clock, used: used, fits: fits)
            #expect(queue.next(clock: clock, slotsInUse: { used[$0] ?? 0 }, fits: fits) == expected)
        }
    }

    @Test func theProjectWithFewestSlotsGoesFirstUntilAnotherHasWaited() {
        var queue = RunQueue()
        let busy = QueueEntry(run: 1, job: 0, project: 1, priority: 0, since: 0, labels: [:])
        let idle = QueueEntry(run: 2, job: 0, project: 2, priority: 0, since: 170_000, labels: [:])
        queue.insert(busy)
        queue.insert(idle)
        let used: (ProjectID) -> Int = { $0 == 1 ? 3 : 0 }
        #expect(queue.next(clock: 170_000, slotsInUse: used, fits: { _ in true }) == idle)
        #expect(queue.next(clock: 180_000, slotsInUse: used, fits: { _ in true }) == busy, "three minutes, three slots")
    }

    @Test func higherPriorityGoesFirstWithinAProject() {
        var queue = RunQueue()
        for (run, priority) in [(1, 0), (2, 5), (3, 5), (4, -1)] {
            queue.insert(
                QueueEntry(
                    run: RunID(Int64(run)), job: 0, project: 1, priority: priority, since: 0, labels: [:]))
        }
        var order: [RunID] = []
        while let entry = queue.next(clock: 0, slotsInUse: { _ in 0 }, fits: { _ in true }) {
            order.append(entry.run)
            queue.remove(entry)
        }
        #expect(order == [2, 3, 1, 4])
    }

    @Test func labelsFitByPattern() {
        let agent = ["os": "linux", "arch": "amd64", "zone": "eu/west"]
        #expect(LabelMatch.fits([:], agent))
        #expect(LabelMatch.fits(["os": "linux", "arch": "*"], agent))
        #expect(LabelMatch.fits(["zone": "eu*"], agent))
        #expect(!LabelMatch.fits(["os": "lin"], agent))
        #expect(!LabelMatch.fits(["gpu": "*"], agent))
        #expect(LabelMatch.missing(["gpu": "*", "os": "linux"], agent) == "label gpu=*")
        #expect(LabelMatch.missing(["os": "mac"], agent) == "label os=mac (it has os=linux)")
        #expect(LabelMatch.missing(["os": "l?nux"], agent) == nil)
    }

    /// A thousand agents and ten thousand jobs: one group, well under a second.
    @Test func dispatchIsCheapWithManyAgentsAndJobs() {
        var rig = Rig(agents: 1_000, slots: 1, labels: ["os": "linux"])
        let labels = (0..<50).map { ["os": "linux", "kind": "k\($0)"] }
        rig.group { engine in
            for index in 0..<10_000 {
                let wanted = index % 2 == 0 ? ["os": "lin*"] : labels[index % 50]
                _ = engine.createRun(
                    Make.request([Make.job("a", labels: wanted)], project: ProjectID(Int64(index % 20))))
            }
        }
        var engine = rig.machine
        for id in 1...1_000 {
            let hello = Hello(
                version: "1", processNonce: "p", bootID: "b", storeID: "s", highestAttemptSeen: 0,
                containment: .cgroup2, slots: 1, labels: ["os": "linux", "kind": "x\(id % 100)"], attempts: [])
            _ = engine.agentConnected(
                AgentID(Int64(id)), session: SessionID(Int64(id)), remote: "", hello: hello, logNext: [:],
                writable: true)
        }
        let clock = ContinuousClock()
        var before = engine
        let took = clock.measure { engine.dispatch() }
        #expect(engine.statistics.runningAttempts == 1_000)
        #expect(engine.statistics.queuedJobs == 9_000)
        #expect(took < .seconds(2), "\(took)")
        // Nothing fits: what each group costs while jobs wait for agents that nobody has.
        before = engine
        let idle = clock.measure { before.dispatch() }
        #expect(idle < .milliseconds(200), "\(idle)")
    }
}
