import AgentShimCore
import AnsFlowProtocol
import ControllerCore

extension World {
    mutating func makeFault() throws {
        guard stormy else { return }
        let chosen = Faults.names.map(\.0).filter { faults.contains($0) }
        guard !chosen.isEmpty else { return }
        let fault = chosen[random.below(chosen.count)]
        let host = random.below(hosts.count)
        switch fault {
        case .controllerCrash:
            crashController()
            schedule(.startController, after: 100 + random.below(8_000))
        case .longOutage:
            crashController()
            schedule(.startController, after: 60_000 + random.below(100_000))
        case .agentCrash: crashAgent(host)
        case .hostCrash: crashHost(host, wipe: false)
        case .storeWipe: crashHost(host, wipe: true)
        case .shimKill:
            let live = hosts[host].shims.values.filter { $0.alive && $0.record == nil }.map(\.attempt).sorted()
            if !live.isEmpty { killShim(host, live[random.below(live.count)]) }
        case .linkBreak:
            if let link = links.indices.last(where: { links[$0].agent == host && links[$0].openAtAgent }) {
                breakLink(link)
            }
        case .halfOpen:
            if let link = links.indices.last(where: { links[$0].agent == host && links[$0].openAtAgent }) {
                links[link].isHalfOpen = true
            }
        case .diskFull:
            diskWorks = false
            schedule(.diskHeals, after: 500 + random.below(15_000))
        case .cancel: cancelSomething()
        case .drain:
            submit(.drain(hosts[host].agent))
            schedule(.undrain(host), after: 5_000 + random.below(60_000))
        case .refuse: hosts[host].refusesUntil = now + 5_000 + UInt64(random.below(40_000))
        default: break
        }
    }

    private mutating func cancelSomething() {
        guard let machine = controller.machine else { return }
        let runs = controller.store.runs.keys.filter { controller.store.runs[$0]?.phase != .finished }.sorted()
        if !runs.isEmpty {
            submit(
                .cancel(runs[random.below(runs.count)], force: random.chance(30), skipFinally: random.chance(30)))
        }
        let absent = machine.agentViews.filter { !$0.connected }
        if random.chance(20), let agent = absent.first, hosts[Int(agent.row.id.rawValue) - 1].machine == nil {
            oracle.declaredGone.insert(agent.row.id)
            submit(.gone(agent.row.id))
        }
    }

    /// A person looks at what waits, and now and then does something again.
    mutating func person() {
        schedule(.person, after: 2_000 + random.below(12_000))
        let waiting = controller.store.approvals.values.flatMap(\.values).filter { $0.state == .waiting }.sorted {
            ($0.run, $0.job ?? JobID(0)) < ($1.run, $1.job ?? JobID(0))
        }
        if let row = waiting.first {
            let job = row.job.flatMap { controller.store.jobs[$0]?.name }
            if random.chance(60) { submit(.answer(row.run, job: job, yes: random.chance(80))) }
        }
        let ended = controller.store.runs.values.filter { $0.phase == .finished && $0.origin == nil }.map(\.id).sorted()
        if rerunsLeft > 0, stormy, let run = ended.first, random.chance(30) {
            rerunsLeft -= 1
            submit(.rerun(run, random.chance(50) ? .failed : .all))
        }
    }

    /// Whoever was drained works again: the agent's process was started anew for that.
    mutating func undrain(_ host: Int) {
        guard controller.store.agents[hosts[host].agent]?.draining ?? false else { return crashAgent(host) }
        // Asked until it is durable: the controller may be down.
        submit(.undrain(hosts[host].agent))
        schedule(.undrain(host), after: 3_000)
    }

    mutating func crashAgent(_ host: Int) {
        guard hosts[host].machine != nil else { return }
        hosts[host].machine = nil
        hosts[host].process += 1
        for link in links.indices where links[link].agent == host && links[link].openAtAgent {
            links[link].openAtAgent = false
            schedule(.controllerLinkClosed(link: link), after: links[link].isHalfOpen ? 30_000 : random.below(500))
        }
        for id in hosts[host].shims.keys { hosts[host].shims[id]!.life.agentLeft(now: now) }
        schedule(.startAgent(host), after: 50 + random.below(20_000))
    }

    /// The power goes: every process dies, and files keep a prefix of what was not synced.
    private mutating func crashHost(_ host: Int, wipe: Bool) {
        crashAgent(host)
        hosts[host].boot += 1
        for id in hosts[host].shims.keys.sorted() {
            killTree(host, id)
            hosts[host].shims[id]!.alive = false
            hosts[host].shims[id]!.record = nil
            let kept = random.between(0...hosts[host].shims[id]!.spool.count)
            hosts[host].shims[id]!.spool.removeLast(hosts[host].shims[id]!.spool.count - kept)
        }
        guard wipe else { return }
        hosts[host].storeNumber += 1
        hosts[host].journal = []
        hosts[host].shims = [:]
        hosts[host].startFiles = []
        hosts[host].specs = [:]
    }
}
