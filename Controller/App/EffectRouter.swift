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
    }

    private let parts = Mutex<Parts?>(nil)

    func attach(gateway: Gateway, hub: EventHub, ingest: LogIngest) {
        parts.withLock { $0 = Parts(gateway: gateway, hub: hub, ingest: ingest) }
    }

    func perform(_ effects: [EngineEffect]) async {
        guard let parts = parts.withLock({ $0 }) else { return }
        for effect in effects {
            switch effect {
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

    func resynchronise() async {
        guard let parts = parts.withLock({ $0 }) else { return }
        for agent in parts.gateway.connectedAgents.keys {
            parts.gateway.closeSession(agent, .goingAway, reason: "The controller can write again; say HELLO anew.")
        }
        // Awaited by nobody: what is not packed before a crash is packed after the next start.
        Task { await parts.ingest.packEnded() }
    }
}
