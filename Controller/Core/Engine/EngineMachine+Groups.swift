import AnsFlowProtocol
import HashTreeCollections

// Concurrency groups.
extension EngineMachine {
    mutating func joinGroup(_ job: Int?, of id: RunID) {
        guard let run = runs[id], let entry = groupEntry(run, job) else { return }
        let ending = Set((groups[entry.key]?.holders ?? []).filter { isEnding($0) })
        let (superseded, stopped) = groups.join(entry.key, entry.waiting) { ending.contains($0) }
        dirtyGroups.insert(entry.key)
        let text = job.map { "job \(run.jobs[$0].row.name) of run \(run.row.number)" } ?? "run \(run.row.number)"
        for member in superseded + stopped { supersede(member, by: "\(text) of \(run.row.pipelineName)") }
    }

    mutating func leaveGroup(_ job: Int?, of id: RunID) {
        guard let run = runs[id], let name = job.map({ run.jobs[$0].row.group }) ?? run.row.group else { return }
        let key = GroupKey(project: run.row.project, name: name)
        groups.leave(key, GroupMember(run: id, job: job ?? RunChanges.wholeRun))
        dirtyGroups.insert(key)
    }

    /// Lets in whoever has room, until nobody has.
    mutating func settleGroups() {
        while let key = dirtyGroups.min() {
            dirtyGroups.remove(key)
            while let member = groups.next(key) {
                groups.admit(member, to: key)
                change(member.run) { [now, clock] run in
                    member.job == RunChanges.wholeRun
                        ? run.admitted(now: now, clock: clock) : run.jobAdmitted(member.job, now: now, clock: clock)
                }
            }
        }
    }

    mutating func restoreGroups(_ run: RunLifecycle) {
        for job in [nil] + run.jobs.indices.map(Optional.some) {
            let holds = job.map { run.jobs[$0].holdsGroup } ?? run.holdsGroup
            let waits = job.map { run.jobs[$0].awaitsGroup } ?? run.awaitsGroup
            guard holds || waits, let entry = groupEntry(run, job) else { continue }
            if holds {
                groups.restore(entry.waiting.member, holding: entry.key)
            } else {
                groups.restore(entry.waiting, in: entry.key)
            }
        }
    }

    private func groupEntry(_ run: RunLifecycle, _ job: Int?) -> (key: GroupKey, waiting: GroupBook.Waiting)? {
        let plan = job.map { run.plan.jobs[$0].concurrency } ?? run.plan.concurrency
        let since = job.map { run.jobs[$0].row.groupSince } ?? run.row.groupSince
        guard let plan else { return nil }
        return (
            GroupKey(project: run.row.project, name: plan.group),
            GroupBook.Waiting(
                member: GroupMember(run: run.row.id, job: job ?? RunChanges.wholeRun), plan: plan,
                since: since ?? clock)
        )
    }

    private func isEnding(_ member: GroupMember) -> Bool {
        guard let run = runs[member.run] else { return true }
        if member.job == RunChanges.wholeRun { return run.isStopping }
        return run.isStopping || run.jobs[member.job].isStopping || run.jobs[member.job].isCleaning
    }

    private mutating func supersede(_ member: GroupMember, by text: String) {
        change(member.run) { [now, clock] run in
            member.job == RunChanges.wholeRun
                ? run.stop(.superseded, message: "superseded by \(text)", now: now, clock: clock)
                : run.jobSuperseded(member.job, by: text, now: now, clock: clock)
        }
    }
}
