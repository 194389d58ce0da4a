import AnsFlowProtocol
import ControllerCore

// Runs from outside: they wait for somebody's word, and get neither secrets nor agents of the others.
extension World {
    /// What the controller puts into a START at the moment of sending it.
    mutating func sendStart(_ start: Start, on link: Int) {
        guard let machine = controller.machine, machine.isLive(start.attempt) else { return }
        guard let needs = machine.secretNeeds(of: start.attempt) else { return sendToAgent(link, .start(start)) }
        guard needs.trusted || mutant == .secretsToUntrusted else { return submit(.unsendable(start.attempt)) }
        var complete = start
        complete.secrets = needs.variables.mapValues { "the value of \($0)" }
        sendToAgent(link, .start(complete))
    }

    /// TRUST: what an agent is about to start is for its pool, and of a run from outside it was approved and holds no secret.
    func checkTrust(_ start: Start, on host: Int) throws {
        guard let row = controller.store.attempts[start.attempt], let plan = controller.store.plans[row.run] else {
            return
        }
        let isOutside = hosts[host].labels[LabelMatch.untrusted] == "true"
        func violation(_ detail: String) -> Violation {
            Violation(invariant: "TRUST", detail: "attempt \(start.attempt) of run \(row.run) \(detail)")
        }
        guard !plan.facts.trusted else {
            if isOutside { throw violation("is trusted and was given to an agent for what is not") }
            return
        }
        if !isOutside { throw violation("comes from outside and was given to an agent of the others") }
        if !start.secrets.isEmpty { throw violation("comes from outside and was given secrets") }
        if !oracle.approved.contains(row.run) { throw violation("comes from outside and nobody said yes to it") }
    }
}
