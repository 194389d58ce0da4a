import AnsFlowProtocol
import ControllerCore
import Testing

/// A run with the queue and the agents that its actions speak to.
struct Story: Sendable {
    var run: RunLifecycle
    var queued: Set<Int> = []
    var slots: Set<Int> = []
    var ended = 0
    var now: Int64 = 10
    var attempts: Int64 = 0
    var jobAttempts: Int64 = 0
    /// Jobs in their groups, and those that wait; nil is the whole run.
    var inGroup: Set<Int?> = []
    var wanting: Set<Int?> = []

    init(_ jobs: [JobPlan]) { self.init(Make.request(jobs).plan) }

    init(_ plan: RunPlan, origin: RunOrigin? = nil) {
        let jobs = plan.jobs
        let row = RunRow(
            id: 1, project: 1, pipeline: 1, pipelineName: "p", pipelineVersion: 1, number: 1, event: "manual", ref: "",
            branch: "", tag: "", commit: "", inputs: [:], priority: 0, actor: "a", createdAt: 1, deadline: 1_000_000)
        var next: Int64 = 0
        let steps = jobs.map { job in
            job.steps.map { _ -> StepID in
                next += 1
                return StepID(next)
            }
        }
        run = RunLifecycle(
            row, plan: plan, jobIDs: jobs.indices.map { JobID(Int64($0 + 1)) }, stepIDs: steps, origin: origin)
        act(run.begin(now: 1, clock: 1))
    }

    mutating func act(_ actions: [RunLifecycle.Action]) {
        for action in actions {
            switch action {
            case .jobQueued(let job): #expect(queued.insert(job).inserted)
            case .jobUnqueued(let job): queued.remove(job)
            case .start(let job, let step):
                guard run.jobs[job].steps[step].row.phase == .queued, let attempt = run.jobs[job].attempt else {
                    continue
                }
                attempts += 1
                run.attemptMade(
                    AttemptRow(
                        id: AttemptID(attempts), step: run.jobs[job].steps[step].row.id, job: run.jobs[job].row.id,
                        jobAttempt: attempt.id, run: 1, agent: 1,
                        number: run.jobs[job].steps[step].row.attempts + 1, createdAt: now, deadline: 100),
                    at: StepPlace(job: job, step: step))
            case .stop(let id, _): #expect(live.contains { run.jobs[$0.job].steps[$0.step].attempt?.row.id == id })
            case .attemptEnded(let id): #expect(id.rawValue <= attempts)
            case .postponed(let job): act(run.giveBack(job, now: now, clock: now))
            case .jobEnded(let job): #expect(slots.remove(job) != nil, "a slot was freed that nobody held")
            case .wantsGroup(let job): #expect(wanting.insert(job).inserted)
            case .leftGroup(let job):
                #expect(inGroup.remove(job) != nil || wanting.remove(job) != nil, "a group was left that nobody was in")
            case .runEnded: ended += 1
            }
        }
    }

    var live: [StepPlace] {
        run.jobs.indices.flatMap { job in
            run.jobs[job].steps.indices.filter { run.jobs[job].steps[$0].isLive }.map { StepPlace(job: job, step: $0) }
        }
    }

    enum Event {
        case assign(Int), started, success, failed, never, lost, unreachable, reachable
        case cancel, skipFinally, expire(Int), deadline, due, approve, decline, admit, jobLost(Int), exit(Int32)
    }

    var possible: [Event] {
        var events: [Event] = queued.sorted().map { .assign($0) }
        if !live.isEmpty { events += [.started, .success, .failed, .never, .lost, .unreachable, .reachable] }
        if gate != nil { events += [.approve, .decline] }
        if !wanting.isEmpty { events.append(.admit) }
        if run.plan.jobs.contains(where: { $0.steps.contains { $0.stage == .finally } }) { events.append(.skipFinally) }
        if run.plan.jobs.contains(where: {
            $0.retry != nil || $0.approval != nil || $0.steps.contains { $0.retry != nil }
        }) {
            events.append(.due)
        }
        return events + [.cancel, .deadline] + run.jobs.indices.map { .expire($0) }
    }

    mutating func happen(_ event: Event) {
        now += 1
        let (now, place) = (now, live.first)
        func attempt(_ body: (inout AttemptLifecycle) -> AttemptLifecycle.Action) {
            if let place { act(run.attempt(at: place, now: now, clock: now, body)) }
        }
        switch event {
        case .assign(let job):
            queued.remove(job)
            slots.insert(job)
            jobAttempts += 1
            act(run.assigned(job, to: 1, attempt: JobAttemptID(jobAttempts), now: now, clock: now))
        case .started: attempt { $0.started(at: now) }
        case .success: finish(.success, .exit, attempt)
        case .failed: finish(.failed, .exit, attempt)
        case .never: finish(.error, .neverStarted, attempt)
        case .lost: attempt { $0.lost(.agentGone, message: nil, at: now) }
        case .unreachable: attempt { $0.becameUnreachable() }
        case .reachable: attempt { $0.becameReachable() }
        case .exit(let code): finish(.failed, .exit, code: code, attempt)
        case .cancel: act(run.cancel(by: "somebody", reason: nil, now: now, clock: now))
        case .skipFinally: act(run.cancel(by: "somebody", reason: nil, skipFinally: true, now: now, clock: now))
        case .deadline: act(run.stop(.timeout, message: "timeout", now: now, clock: now))
        case .expire(let job): act(run.jobExpired(job, now: now, clock: now))
        case .due: due()
        case .approve:
            if let gate { act(run.approve(gate.job, by: "boss", inputs: [:], reason: nil, now: now, clock: now)) }
        case .decline: if let gate { act(run.decline(gate.job, by: "boss", reason: "no", now: now, clock: now)) }
        case .admit:
            guard let member = wanting.min(by: { ($0 ?? -1) < ($1 ?? -1) }) else { return }
            wanting.remove(member)
            inGroup.insert(member)
            act(member.map { run.jobAdmitted($0, now: now, clock: now) } ?? run.admitted(now: now, clock: now))
        case .jobLost(let job): act(run.jobLost(job, cause: .agentLost, message: "gone", now: now, clock: now))
        }
    }

    /// A step's attempt ends well.
    mutating func finish(_ place: StepPlace) {
        now += 1
        let now = now
        act(
            run.attempt(at: place, now: now, clock: now) {
                let (finish, log) = Make.finish($0.row.id, .success, .exit)
                return $0.finished(finish, log: log, at: now)
            })
    }

    private func finish(
        _ result: AttemptResult, _ cause: Cause, code: Int32? = nil,
        _ attempt: ((inout AttemptLifecycle) -> AttemptLifecycle.Action) -> Void
    ) {
        let now = now
        attempt {
            var (finish, log) = Make.finish($0.row.id, result, cause)
            if let code { finish.exitCode = code }
            if cause == .neverStarted { finish.exitCode = nil }
            return $0.finished(finish, log: log, at: now)
        }
    }

    /// The first gate that waits.
    var gate: Gate? {
        if run.awaitsApproval { return Gate(job: nil) }
        return run.jobs.firstIndex { $0.awaitsApproval }.map { Gate(job: $0) }
    }

    struct Gate { var job: Int? }

    /// The clock goes to the next thing that is due.
    mutating func due() {
        let next = run.nextDue()
        guard next < Int64.max else { return }
        now = max(now, next)
        act(run.timeCame(now: now, clock: now))
    }

    /// Everything that waits gets an agent, everything that runs ends: then the run has ended.
    func expectsToEnd() {
        var story = self
        for _ in 0..<60 where !story.run.isFinished {
            if let job = story.queued.min() {
                story.happen(.assign(job))
            } else if story.gate != nil {
                story.happen(.approve)
            } else if !story.wanting.isEmpty {
                story.happen(.admit)
            } else if story.live.isEmpty {
                let before = story.now
                story.due()
                if story.now == before { break }
            } else {
                story.happen(.success)
            }
        }
        #expect(story.run.isFinished, "\(story.run.jobs.map { ($0.row.phase, $0.steps.map(\.row.phase)) })")
        #expect(story.slots.isEmpty && story.queued.isEmpty && story.ended == 1)
        #expect(story.inGroup.subtracting([nil]).isEmpty && story.wanting.isEmpty)
    }
}
