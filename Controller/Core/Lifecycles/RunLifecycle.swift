package import AnsFlowProtocol

/// One run with its jobs, steps and newest attempts: a pure value. Each event is one `mutating func` that returns what is
/// to be done; nothing here knows of agents' connections, other runs, clocks or storage.
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
        /// The job, or the whole run, wants its concurrency group. Answered with ``admitted(now:clock:)`` or
        /// ``jobAdmitted(_:now:clock:)``.
        case wantsGroup(Int?)
        /// It waits for its group no more, or does not need it any longer.
        case leftGroup(Int?)
        case runEnded
    }

    package internal(set) var row: RunRow
    package let plan: RunPlan
    package internal(set) var jobs: [JobState]
    /// Of the whole run.
    package internal(set) var approval: ApprovalRow?
    let topology: PlanTopology
    /// What was changed since it was last taken.
    var changes = RunChanges()
    /// Jobs that have not finished.
    var unfinishedJobs = 0
    /// Blocked jobs whose needs have all finished and whose gates were not asked yet.
    var readyJobs: Set<Int> = []
    /// Engine clock when something may be due; nil where that must be found anew.
    var due: Int64?

    /// A new run: everything waits for what it needs, but for what was taken over from an earlier one.
    package init(_ row: RunRow, plan: RunPlan, jobIDs: [JobID], stepIDs: [[StepID]], origin: RunOrigin? = nil) {
        self.row = row
        self.plan = plan
        topology = PlanTopology(plan)
        jobs = plan.jobs.enumerated().map { index, job in
            let carried = origin?.carried[job.id]
            var state = JobState(
                row: JobRow(
                    id: jobIDs[index], run: row.id, index: index, name: job.id, phase: .blocked,
                    environment: job.deployment, group: Self.group(of: job, in: plan)),
                steps: job.steps.enumerated().map { place, step in
                    StepState(
                        row: StepRow(
                            id: stepIDs[index][place], job: jobIDs[index], run: row.id, index: place, name: step.id,
                            phase: .blocked))
                })
            if let carried, let origin { state.carry(carried, from: origin, at: row.createdAt) }
            return state
        }
        changes.before = row
        for (index, job) in plan.jobs.enumerated() {
            changes.jobs.insert(index)
            for place in job.steps.indices { changes.steps.insert(StepPlace(job: index, step: place)) }
        }
        recount()
    }

    /// A run as it was stored.
    package init(restoring stored: EngineSnapshot.Run) {
        row = stored.row
        plan = stored.plan
        topology = PlanTopology(stored.plan)
        let attempts = Dictionary(stored.attempts.map { ($0.step, $0) }) { $0.id > $1.id ? $0 : $1 }
        let jobAttempts = Dictionary(stored.jobAttempts.map { ($0.job, $0) }) { $0.id > $1.id ? $0 : $1 }
        let approvals = Dictionary(stored.approvals.map { ($0.job, $0) }) { $1 }
        let steps = Dictionary(grouping: stored.steps, by: \.job)
        jobs = stored.jobs.sorted { $0.index < $1.index }.map { job in
            JobState(
                row: job, attempt: jobAttempts[job.id], approval: approvals[job.id],
                steps: (steps[job.id] ?? []).sorted { $0.index < $1.index }.map {
                    StepState(row: $0, attempt: attempts[$0.id].map(AttemptLifecycle.init))
                })
        }
        approval = stored.approvals.first { $0.job == nil }
        recount()
    }

    /// Its own group, unless the whole run is in it anyway: it would wait for itself.
    private static func group(of job: JobPlan, in plan: RunPlan) -> String? {
        job.concurrency?.group == plan.concurrency?.group ? nil : job.concurrency?.group
    }

    /// Derives all counts from the rows.
    private mutating func recount() {
        unfinishedJobs = jobs.count { !$0.isFinished }
        readyJobs = []
        for job in jobs.indices {
            jobs[job].recount(plan.jobs[job], topology.stepNeeds[job])
            jobs[job].openNeeds = topology.jobNeeds[job].count { !jobs[$0.to].isFinished }
            let state = jobs[job]
            if state.openNeeds == 0, state.row.phase == .blocked, state.approval == nil, state.row.groupSince == nil {
                readyJobs.insert(job)
            }
        }
    }

    package var isFinished: Bool { row.phase == .finished }
    package var isStopping: Bool { row.phase == .stopping }
    /// Whether it waits for somebody's word or for its group before anything of it begins.
    package var isHeld: Bool { row.phase == .blocked }
    package var awaitsApproval: Bool { approval?.state == .waiting }
    package var holdsGroup: Bool { row.group != nil && row.phase != .blocked && row.phase != .finished }
    package var awaitsGroup: Bool { row.groupSince != nil && row.phase == .blocked }

    /// Why it is being ended.
    var stopCause: Cause { row.cause ?? .cancelledByUser }

    // MARK: Access that records what changed and keeps the counts

    mutating func modifyRun(_ change: (inout RunRow) -> Void) {
        if changes.before == nil { changes.before = row }
        change(&row)
        due = nil
    }

    mutating func modifyJob(_ job: Int, _ change: (inout JobState) -> Void) {
        let finished = jobs[job].isFinished
        change(&jobs[job])
        changes.jobs.insert(job)
        due = nil
        guard !finished, jobs[job].isFinished else { return }
        unfinishedJobs -= 1
        readyJobs.remove(job)
        for dependent in topology.jobDependents[job] {
            jobs[dependent].openNeeds -= 1
            if jobs[dependent].openNeeds == 0, jobs[dependent].row.phase == .blocked { readyJobs.insert(dependent) }
        }
    }

    mutating func modifyStep(_ job: Int, _ step: Int, _ change: (inout StepState) -> Void) {
        let before = jobs[job].steps[step].row.phase
        let wasBusy = jobs[job].steps[step].isBusy
        change(&jobs[job].steps[step])
        changes.steps.insert(StepPlace(job: job, step: step))
        due = nil
        let after = jobs[job].steps[step].row.phase
        let isBusy = jobs[job].steps[step].isBusy
        if wasBusy != isBusy { jobs[job].busy += isBusy ? 1 : -1 }
        guard before != after else { return }
        let isBody = plan.jobs[job].steps[step].stage == .body
        if before == .blocked, isBody { jobs[job].removeReady(step) }
        if after == .blocked, isBody, jobs[job].steps[step].openNeeds == 0 { jobs[job].insertReady(step) }
        guard after == .finished else { return }
        jobs[job].unfinished[plan.jobs[job].steps[step].stage] -= 1
        for dependent in topology.stepDependents[job][step] {
            jobs[job].steps[dependent].openNeeds -= 1
            if jobs[job].steps[dependent].openNeeds == 0, jobs[job].steps[dependent].row.phase == .blocked {
                jobs[job].insertReady(dependent)
            }
        }
    }

    mutating func modifyApproval(_ job: Int?, _ change: (inout ApprovalRow?) -> Void) {
        if let job { change(&jobs[job].approval) } else { change(&approval) }
        changes.approvals.insert(job ?? RunChanges.wholeRun)
        due = nil
    }

    package mutating func takeChanges() -> RunChanges {
        defer { changes = RunChanges() }
        return changes
    }
}

extension JobState {
    /// Takes a job's end over from an earlier run.
    mutating func carry(_ carried: CarriedJob, from origin: RunOrigin, at now: Int64) {
        let did = carried.outcome != .skipped && carried.outcome.satisfies
        row.phase = .finished
        row.outcome = carried.outcome
        row.cause = did ? .reused : carried.cause
        row.message = "taken over from run \(origin.run)"
        row.finishedAt = now
        row.carriedFrom = carried.attempt
        row.carriedOutputs = carried.outputs
        for place in steps.indices {
            let step = place < carried.steps.count ? carried.steps[place] : CarriedJob.Step(outcome: .skipped)
            let did = step.outcome == .success || step.outcome == .warning
            steps[place].row.exitCode = step.exitCode
            steps[place].row.finish(step.outcome, cause: did ? .reused : step.cause, message: step.message, at: now)
        }
    }
}
