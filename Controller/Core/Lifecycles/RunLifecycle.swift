package import AnsFlowProtocol

/// A step of a run in memory.
package struct StepState: Equatable, Sendable {
    package var row: StepRow
    package var attempt: AttemptLifecycle?

    package var isLive: Bool { attempt?.isLive ?? false }
}

/// A job of a run in memory.
package struct JobState: Equatable, Sendable {
    package var row: JobRow
    package var attempt: JobAttemptRow?
    package var steps: [StepState]

    package var isFinished: Bool { row.phase == .finished }
    /// Whether it holds a slot of its agent.
    package var holdsSlot: Bool { attempt != nil && attempt?.outcome == nil }
    package var liveSteps: Int { steps.count { $0.isLive } }
    package var isStopping: Bool { row.phase == .stopping }
}

/// One run with its jobs, steps and newest attempts: a pure value. Each event is one `mutating func` that returns what is
/// to be done; nothing here knows of agents' connections, clocks or storage.
package struct RunLifecycle: Sendable {
    package enum Action: Equatable, Sendable {
        /// The job is ready for an agent.
        case jobQueued(Int)
        /// The job waits for an agent no more.
        case jobUnqueued(Int)
        /// The step wants an attempt on its job's agent.
        case start(job: Int, step: Int)
        /// Tell the agent.
        case stop(AttemptID, StopReason)
        /// The attempt has an end: once that is durable, the agent may forget it and its log is closed.
        case attemptEnded(AttemptID)
        /// The agent did not start a step of the job, again: it is to be asked later, or another agent.
        case postponed(Int)
        /// The job's slot is free.
        case jobEnded(Int)
        case runEnded
    }

    package internal(set) var row: RunRow
    package let plan: RunPlan
    package internal(set) var jobs: [JobState]
    let topology: PlanTopology
    /// What was changed since it was last taken.
    var changes = RunChanges()

    /// A new run: everything waits for what it needs.
    package init(_ row: RunRow, plan: RunPlan, jobIDs: [JobID], stepIDs: [[StepID]]) {
        self.row = row
        self.plan = plan
        topology = PlanTopology(plan)
        jobs = plan.jobs.enumerated().map { index, job in
            JobState(
                row: JobRow(id: jobIDs[index], run: row.id, index: index, name: job.id, phase: .blocked),
                steps: job.steps.enumerated().map { place, step in
                    StepState(
                        row: StepRow(
                            id: stepIDs[index][place], job: jobIDs[index], run: row.id, index: place, name: step.id,
                            phase: .blocked))
                })
        }
        changes.run = true
        for (index, job) in plan.jobs.enumerated() {
            changes.jobs.insert(index)
            for place in job.steps.indices { changes.steps.insert(StepPlace(job: index, step: place)) }
        }
    }

    /// A run as it was stored.
    package init(restoring stored: EngineSnapshot.Run) {
        row = stored.row
        plan = stored.plan
        topology = PlanTopology(stored.plan)
        let attempts = Dictionary(stored.attempts.map { ($0.step, $0) }) { $0.id > $1.id ? $0 : $1 }
        let jobAttempts = Dictionary(stored.jobAttempts.map { ($0.job, $0) }) { $0.id > $1.id ? $0 : $1 }
        let steps = Dictionary(grouping: stored.steps, by: \.job)
        jobs = stored.jobs.sorted { $0.index < $1.index }.map { job in
            JobState(
                row: job, attempt: jobAttempts[job.id],
                steps: (steps[job.id] ?? []).sorted { $0.index < $1.index }.map {
                    StepState(row: $0, attempt: attempts[$0.id].map(AttemptLifecycle.init))
                })
        }
    }

    package var isFinished: Bool { row.phase == .finished }
    var isStopping: Bool { row.phase == .stopping }

    /// Whether a committed cancel, or the run's own deadline, ends it.
    var stopCause: Cause {
        row.cancelledBy == nil ? .timeout : .cancelledByUser
    }

    // MARK: Access that records what changed

    mutating func modifyRun(_ change: (inout RunRow) -> Void) {
        change(&row)
        changes.run = true
    }

    mutating func modifyJob(_ job: Int, _ change: (inout JobState) -> Void) {
        change(&jobs[job])
        changes.jobs.insert(job)
    }

    mutating func modifyStep(_ job: Int, _ step: Int, _ change: (inout StepState) -> Void) {
        change(&jobs[job].steps[step])
        changes.steps.insert(StepPlace(job: job, step: step))
    }

    package mutating func takeChanges() -> RunChanges {
        defer { changes = RunChanges() }
        return changes
    }
}

/// A step's place in its run's plan.
package struct StepPlace: Hashable, Comparable, Sendable {
    package var job: Int
    package var step: Int

    package init(job: Int, step: Int) {
        self.job = job
        self.step = step
    }

    package static func < (left: StepPlace, right: StepPlace) -> Bool {
        (left.job, left.step) < (right.job, right.step)
    }
}

/// Which rows of a run are to be written and which events are to be told.
package struct RunChanges: Equatable, Sendable {
    package var run = false
    package var jobs: Set<Int> = []
    package var steps: Set<StepPlace> = []

    package var isEmpty: Bool { !run && jobs.isEmpty && steps.isEmpty }
}
