import AnsFlowProtocol
import ControllerCore
import ControllerGateway
import ControllerRealtime
import Synchronization

/// Performs the engine's effects: frames to agents, events to viewers, logs to be closed.
final class EffectRouter: EffectSink {
    private struct Parts {
        var gateway: Gateway
        var hub: EventHub
        var ingest: LogIngest
        var engine: Engine
        var secrets: SecretDelivery
        var reported: ReportedLink
    }

    private let parts = Mutex<Parts?>(nil)

    func attach(
        gateway: Gateway, hub: EventHub, ingest: LogIngest, engine: Engine, secrets: any SecretReading,
        reported: ReportedLink
    ) {
        let delivery = SecretDelivery(secrets: secrets, engine: engine)
        parts.withLock {
            $0 = Parts(
                gateway: gateway, hub: hub, ingest: ingest, engine: engine, secrets: delivery, reported: reported)
        }
    }

    func perform(_ effects: [EngineEffect]) async {
        guard let parts = parts.withLock({ $0 }) else { return }
        let plan = await parts.secrets.plan(effects.compactMap(Self.started))
        for effect in effects {
            switch effect {
            case .send(let agent, _, let message) where parts.reported.stands(for: agent):
                parts.reported.send(message)
            case .send(let agent, let session, .start(let start)):
                guard !plan.ended.contains(start.attempt) else { continue }
                await deliver(start, plan.needs[start.attempt], to: agent, session, parts)
            case .send(let agent, let session, let message):
                parts.gateway.send(message, to: agent, session: session)
            case .close(let agent, let session, let code, let reason):
                guard parts.gateway.connectedAgents[agent] == session else { continue }
                parts.gateway.closeSession(agent, code, reason: reason)
            case .sealLog(let attempt): parts.ingest.seal(attempt)
            case .publish(let events): parts.hub.publish(events)
            }
        }
    }

    private static func started(_ effect: EngineEffect) -> AttemptID? {
        if case .send(_, _, .start(let start)) = effect { start.attempt } else { nil }
    }

    private func deliver(
        _ start: Start, _ needs: SecretNeeds?, to agent: AgentID, _ session: SessionID, _ parts: Parts
    ) async {
        guard let needs else {
            parts.gateway.send(.start(start), to: agent, session: session)
            return
        }
        switch await parts.secrets.complete(start, needs) {
        case .send(let complete): parts.gateway.send(.start(complete), to: agent, session: session)
        case .refuse(let reason):
            let attempt = start.attempt
            // Not awaited: this is called by the engine, which takes it up as its next input.
            Task { await parts.engine.tell(always: true) { $0.unsendable(attempt, reason: reason) } }
        case .later(let reason):
            parts.gateway.closeSession(agent, .goingAway, reason: reason)
        }
    }

    func resynchronise() async {
        guard let parts = parts.withLock({ $0 }) else { return }
        for agent in parts.gateway.connectedAgents.keys {
            parts.gateway.closeSession(agent, .goingAway, reason: "The controller can write again; say HELLO anew.")
        }
        // Not awaited: it asks the engine, which calls this.
        Task { await parts.reported.reconnect() }
        // Awaited by nobody: what is not packed before a crash is packed after the next start.
        Task { await parts.ingest.packEnded() }
    }
}
