import AgentCore
import AnsFlowProtocol
import ControllerCore

/// One connection between an agent and the controller. TCP: in each direction in order, nothing lost in the middle.
struct Link {
    var agent: Int
    /// The agent's process that dialled.
    var process: Int
    var session: SessionID
    var openAtController = true
    var openAtAgent = true
    /// Nothing arrives any more, and nobody is told.
    var isHalfOpen = false
    /// When the last message of each direction arrives; later ones come later.
    var lastToController: UInt64 = 0
    var lastToAgent: UInt64 = 0
    /// Whether HELLO was answered.
    var welcomed = false
    /// Output that came to the agent's kernel and was not yet read: for the mutant that does not drain.
    var heardByController: UInt64 = 0
}

extension World {
    mutating func sendToController(_ link: Int, _ message: ToController) {
        guard links[link].openAtAgent, links[link].openAtController, !links[link].isHalfOpen else { return }
        let arrival = max(links[link].lastToController, now + UInt64(random.below(8)))
        links[link].lastToController = arrival
        events.push(.arriveAtController(link: link, message), at: arrival)
    }

    mutating func sendToAgent(_ link: Int, _ message: ControllerMessage) {
        guard links[link].openAtAgent, links[link].openAtController, !links[link].isHalfOpen else { return }
        let arrival = max(links[link].lastToAgent, now + UInt64(random.below(8)))
        links[link].lastToAgent = arrival
        if case .logAck(let attempt, let next) = message {
            oracle.acknowledged[attempt] = max(oracle.acknowledged[attempt] ?? 0, next)
        }
        events.push(.arriveAtAgent(link: link, message), at: arrival)
    }

    /// Both ends see the end, each at its own time; what is under way may or may not arrive before.
    mutating func breakLink(_ link: Int) {
        schedule(.controllerLinkClosed(link: link), after: random.below(2_000))
        schedule(.agentLinkClosed(link: link, nil), after: random.below(2_000))
    }

    mutating func networkEvent(_ event: Event) throws {
        switch event {
        case .arriveAtController(let link, let message):
            guard links[link].openAtController, controller.isUp, !links[link].isHalfOpen else { return }
            links[link].heardByController = now
            try controllerReceives(message, link: link)
        case .arriveAtAgent(let link, let message):
            let host = links[link].agent
            guard links[link].openAtAgent, !links[link].isHalfOpen, hosts[host].process == links[link].process else {
                return
            }
            try feed(host, .received(UInt64(link), message))
        case .controllerLinkClosed(let link):
            guard links[link].openAtController else { return }
            links[link].openAtController = false
            controllerLost(link)
            schedule(.agentLinkClosed(link: link, nil), after: random.below(50))
        case .agentLinkClosed(let link, let code):
            guard links[link].openAtAgent else { return }
            links[link].openAtAgent = false
            let host = links[link].agent
            if hosts[host].process == links[link].process { try feed(host, .linkClosed(UInt64(link), code: code)) }
            schedule(.controllerLinkClosed(link: link), after: random.below(50))
        case .linkUp(let agent, let process):
            guard hosts[agent].process == process, hosts[agent].machine != nil else { return }
            guard controller.isUp else {
                return schedule(.linkUp(agent: agent, process: process), after: 300 + random.below(3_000))
            }
            controller.sessions += 1
            links.append(
                Link(agent: agent, process: process, session: SessionID(controller.sessions), heardByController: now))
            try feed(agent, .linkOpened(UInt64(links.count - 1)))
        default: break
        }
    }

    /// The link that the controller takes an agent's messages from.
    func currentLink(of agent: AgentID) -> Int? {
        links.indices.last { hosts[links[$0].agent].agent == agent && links[$0].openAtController && links[$0].welcomed }
    }
}
