import AnsFlowProtocol

/// A step of a run in memory.
package struct StepState: Equatable, Sendable {
    package internal(set) var row: StepRow
    package internal(set) var attempt: AttemptLifecycle?
    /// Needs that have not finished.
    var openNeeds = 0

    package var isLive: Bool { attempt?.isLive ?? false }
    /// Whether it takes one of the job's places side by side: it is to start, runs, or waits to be tried again.
    var isBusy: Bool { row.phase != .blocked && row.phase != .created && row.phase != .finished }
}

/// A job of a run in memory.
package struct JobState: Equatable, Sendable {
    /// How many steps of each stage have not finished.
    struct Unfinished: Equatable, Sendable {
        var body = 0
        var collect = 0
        var finally = 0

        subscript(stage: StepPlan.Stage) -> Int {
            get {
                switch stage {
                case .body: body
                case .collect: collect
                case .finally: finally
                }
            }
            set {
                switch stage {
                case .body: body = newValue
                case .collect: collect = newValue
                case .finally: finally = newValue
                }
            }
        }
    }

    package internal(set) var row: JobRow
    /// The newest.
    package internal(set) var attempt: JobAttemptRow?
    package internal(set) var approval: ApprovalRow?
    package internal(set) var steps: [StepState]

    // Counts that follow from the rows, kept so that an event does not cost as much as the job has steps.
    /// Needs that have not finished.
    var openNeeds = 0
    var unfinished = Unfinished()
    var busy = 0
    /// Blocked steps of the body whose needs have all finished, the first of the plan last.
    var ready: [Int] = []

    package var isFinished: Bool { row.phase == .finished }
    /// Whether it holds a slot of its agent.
    package var holdsSlot: Bool { attempt != nil && attempt?.outcome == nil }
    package var liveSteps: Int { steps.count { $0.isLive } }
    package var isStopping: Bool { row.phase == .stopping }
    /// Whether it has an agent.
    var isUnderWay: Bool { row.phase == .running || row.phase == .stopping }
    /// Whether its work is over and nothing but clean-up is left.
    var isCleaning: Bool { isUnderWay && unfinished.body == 0 && unfinished.collect == 0 }
    /// Whether somebody's word is waited for.
    package var awaitsApproval: Bool { approval?.state == .waiting }
    /// Whether it holds its concurrency group.
    package var holdsGroup: Bool { row.group != nil && row.phase != .blocked && row.phase != .finished }
    package var awaitsGroup: Bool { row.groupSince != nil && row.phase == .blocked }

    mutating func insertReady(_ step: Int) {
        let place = ready.firstIndex { $0 <= step } ?? ready.count
        if place < ready.count, ready[place] == step { return }
        ready.insert(step, at: place)
    }

    mutating func removeReady(_ step: Int) {
        if ready.last == step {
            ready.removeLast()
        } else if let place = ready.firstIndex(of: step) {
            ready.remove(at: place)
        }
    }

    /// Counts anew.
    mutating func recount(_ plan: JobPlan, _ needs: [[Edge]]) {
        unfinished = Unfinished()
        busy = 0
        ready = []
        for place in steps.indices {
            let stage = plan.steps[place].stage
            if steps[place].row.phase != .finished { unfinished[stage] += 1 }
            if steps[place].isBusy { busy += 1 }
            steps[place].openNeeds = needs[place].count { steps[$0.to].row.phase != .finished }
        }
        ready = steps.indices.reversed().filter {
            plan.steps[$0].stage == .body && steps[$0].row.phase == .blocked && steps[$0].openNeeds == 0
        }
    }
}
