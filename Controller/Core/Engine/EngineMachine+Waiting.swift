import AnsFlowProtocol
import HashTreeCollections

// Why things wait.
extension EngineMachine {
    /// Why each waiting part of a run waits.
    package func waitingReasons(_ id: RunID) -> [WaitingReason] {
        guard let run = runs[id] else { return [] }
        if run.isHeld { return [held(run)] }
        var reasons: [WaitingReason] = []
        for (index, job) in run.jobs.enumerated() {
            switch job.row.phase {
            case .blocked: reasons.append(blocked(run, job: index))
            case .queued where job.row.retryAt != nil:
                reasons.append(backOff(job.row.retryAt, job: job.row.name, step: nil, why: job.row.message))
            case .queued: reasons.append(queued(run, job: index))
            case .running, .unreachable, .starting, .stopping: reasons += waitingSteps(run, job: index)
            case .created, .finished: break
            }
        }
        return reasons
    }

    /// The whole run waits.
    private func held(_ run: RunLifecycle) -> WaitingReason {
        if run.awaitsApproval {
            return WaitingReason(
                job: "", kind: .approval,
                message:
                    "what it runs comes from outside the project: it waits until somebody approves it, and then runs without "
                    + "secrets, on agents with the label untrusted=true",
                remainingMs: run.approval.map { max(0, $0.deadline - clock) })
        }
        return group(run, job: nil)
    }

    private func blocked(_ run: RunLifecycle, job: Int) -> WaitingReason {
        let state = run.jobs[job]
        let name = state.row.name
        if state.awaitsApproval {
            let roles = run.plan.jobs[job].approval?.by.map(\.rawValue) ?? []
            let who = roles.isEmpty ? "somebody who may start runs" : roles.joined(separator: " or ")
            let text = run.plan.jobs[job].approval?.message.map { ": \($0)" } ?? ""
            return WaitingReason(
                job: name, kind: .approval, message: "waits for the approval of \(who)\(text)",
                remainingMs: state.approval.map { max(0, $0.deadline - clock) })
        }
        if state.awaitsGroup { return group(run, job: job) }
        let open = run.topology.jobNeeds[job].map { run.jobs[$0.to] }.filter { !$0.isFinished }.map(\.row.name)
        return WaitingReason(job: name, kind: .needs, message: "waits for \(Self.list(open))")
    }

    /// At most a dozen names.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(12).joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }

    private func group(_ run: RunLifecycle, job: Int?) -> WaitingReason {
        let name = (job.map { run.jobs[$0].row.group } ?? run.row.group) ?? ""
        let since = (job.map { run.jobs[$0].row.groupSince } ?? run.row.groupSince) ?? clock
        let limit = (job.map { run.plan.jobs[$0].concurrency } ?? run.plan.concurrency)?.limit ?? 1
        let key = GroupKey(project: run.row.project, name: name)
        let member = GroupMember(run: run.row.id, job: job ?? RunChanges.wholeRun)
        let (holders, waiting) = groups.front(of: member, in: key)
        var front: [WaitingReason.Front] = []
        for (members, holds) in [(holders, true), (waiting, false)] {
            for member in members where front.count < WaitingReason.frontMax {
                guard let other = runs[member.run] else { continue }
                front.append(
                    WaitingReason.Front(
                        run: member.run, pipeline: other.row.pipelineName, number: other.row.number,
                        job: member.job == RunChanges.wholeRun ? nil : other.jobs[member.job].row.name, holds: holds))
            }
        }
        let names = front.filter(\.holds).map { one in
            (one.job.map { "job \($0) of " } ?? "") + "\(one.pipeline) run \(one.number)"
        }
        let before = waiting.isEmpty ? "" : "; \(waiting.count) wait before it"
        let circle = run.holdsGroup ? circle(through: holders, to: run) : ""
        return WaitingReason(
            job: job.map { run.jobs[$0].row.name } ?? "", kind: .group,
            message:
                "the concurrency group \(name) lets \(limit) in at a time: it is held by \(Self.list(names))\(before)\(circle)",
            position: waiting.count + 1, front: front,
            remainingMs: max(0, since + EngineLimits.groupMsMax - clock))
    }

    /// Says so where everybody who holds the group waits, by way of other runs or at once, for the group that this run holds. Nothing but a
    /// person, or the end of the wait, breaks such a circle; one pipeline alone can't make it.
    private func circle(through holders: [GroupMember], to run: RunLifecycle) -> String {
        guard !holders.isEmpty, holders.allSatisfy({ waits($0, for: run.row.id) }) else { return "" }
        return
            "; whoever holds it waits in turn for the group \(run.row.group ?? ""), which this run holds: cancel one of them, "
            + "and let all pipelines take their groups in one order"
    }

    /// Whether a holder can't leave its group before `run` leaves its own. A job that holds a group waits for nothing but agents.
    private func waits(_ holder: GroupMember, for run: RunID) -> Bool {
        var seen: Set<RunID> = []
        var open = [holder]
        while let member = open.popLast() {
            guard member.job == RunChanges.wholeRun, seen.insert(member.run).inserted, let other = runs[member.run]
            else { continue }
            for job in other.jobs where job.awaitsGroup {
                let key = GroupKey(project: other.row.project, name: job.row.group ?? "")
                let holders = groups[key]?.holders ?? []
                if holders.contains(GroupMember(run: run, job: RunChanges.wholeRun)) { return true }
                open += holders
            }
        }
        return false
    }

    private func backOff(_ at: Int64?, job: String, step: String?, why: String?) -> WaitingReason {
        let left = max(0, (at ?? clock) - clock)
        return WaitingReason(
            job: job, step: step, kind: .retry,
            message: (why ?? "it is tried again") + " in \(TimeWords.words(UInt64(left)))", remainingMs: left)
    }

    private func queued(_ run: RunLifecycle, job: Int) -> WaitingReason {
        let name = run.jobs[job].row.name
        let entry = entry(run, job: job)
        let wanted = entry.labels
        var candidates: [WaitingReason.Candidate] = []
        var fitting: [AgentState] = []
        for id in agentOrder {
            guard let agent = agents[id], !agent.row.revoked else { continue }
            if let missing = LabelMatch.missing(wanted, agent.row.labels) {
                candidates.append(.init(agent: agent.row.name, lacks: missing))
                continue
            }
            fitting.append(agent)
            candidates.append(.init(agent: agent.row.name, lacks: Self.lack(of: agent)))
        }
        let labels = wanted.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        let with = labels.isEmpty ? "" : " with \(labels)"
        let kind: WaitingReason.Kind
        var message: String
        if fitting.isEmpty {
            kind = .noAgent
            message = "no enrolled agent\(with); enrol one or change the job's agents"
        } else if !fitting.contains(where: { $0.session != nil }) {
            kind = .agentsOffline
            message = "no agent\(with) is connected; \(fitting.count) known"
        } else if !fitting.contains(where: { $0.session != nil && !$0.row.paused && !$0.isDraining }) {
            kind = .agentsPaused
            message = "every connected agent\(with) is paused or draining"
        } else {
            kind = .slots
            message = "every slot of the agents\(with) is in use"
        }
        if !run.plan.facts.trusted { message += "; untrusted runs go to agents with the label untrusted=true only" }
        return WaitingReason(
            job: name, kind: kind, message: message, position: queue.position(of: entry),
            candidates: candidates.sorted { $0.agent < $1.agent },
            remainingMs: run.jobs[job].row.deadline.map { max(0, $0 - clock) })
    }

    /// What an agent whose labels fit lacks.
    private static func lack(of agent: AgentState) -> String {
        if agent.session == nil { return "a connection" }
        if agent.row.paused { return "it is paused" + (agent.row.note.map { " (\($0))" } ?? "") }
        if agent.isDraining { return "it is draining" }
        if agent.holdUntil != nil { return "it did not start what it was given; it is asked again soon" }
        return "a free slot (\(agent.jobs.count) of \(agent.row.slots) in use)"
    }

    private func waitingSteps(_ run: RunLifecycle, job: Int) -> [WaitingReason] {
        let state = run.jobs[job]
        let holder = state.attempt.flatMap { agents[$0.agent] }
        let agent = holder?.row.name ?? "its agent"
        var reasons: [WaitingReason] = []
        for (index, step) in state.steps.enumerated() {
            let name = step.row.name
            func add(_ kind: WaitingReason.Kind, _ message: String) {
                reasons.append(WaitingReason(job: state.row.name, step: name, kind: kind, message: message))
            }
            switch step.row.phase {
            case .blocked where run.plan.jobs[job].steps[index].stage != .body:
                add(.needs, "runs behind the job's other steps")
            case .blocked:
                let open = run.topology.stepNeeds[job][index].map { state.steps[$0.to].row }.filter {
                    $0.phase != .finished
                }
                if open.isEmpty {
                    let limit = run.plan.jobs[job].parallel
                    add(.parallel, "\(limit) steps of the job run already, as many as its parallel allows")
                } else {
                    add(.needs, "waits for \(Self.list(open.map(\.name)))")
                }
            case .queued where step.row.retryAt != nil:
                reasons.append(backOff(step.row.retryAt, job: state.row.name, step: name, why: step.row.message))
            case .queued where holder?.session != nil:
                add(.slots, "agent \(agent) did not start it when it was told to; it is asked again soon")
            case .unreachable where holder?.session != nil:
                add(
                    .unreachable,
                    "agent \(agent) is connected and has not ended it since it was told to stop; "
                        + "`ansflow cancel --force` ends it here")
            case .queued, .unreachable:
                add(
                    .unreachable,
                    "agent \(agent) is silent; it goes on when the agent is back, or ends with "
                        + "`ansflow agent gone \(agent)`")
            default: break
            }
        }
        return reasons
    }
}
