import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import NIOConcurrencyHelpers

/// Which agents are connected. An agent has one session and at most one that is joining.
final class SessionRegistry: Sendable {
    private struct State {
        var sessions: [AgentID: AgentSession] = [:]
        var joining: Set<AgentID> = []
        var lastID: Int64 = 0
        var stopping = false
    }

    private let state = NIOLockedValueBox(State())

    /// Claims the agent's one place for joining; false where it is taken or the gateway stops.
    func beginJoin(_ agent: AgentID) -> Bool {
        state.withLockedValue { !$0.stopping && $0.joining.insert(agent).inserted }
    }

    func endJoin(_ agent: AgentID) {
        _ = state.withLockedValue { $0.joining.remove(agent) }
    }

    func session(of agent: AgentID) -> AgentSession? {
        state.withLockedValue { $0.sessions[agent] }
    }

    /// Makes a new session the agent's. The old one must be gone.
    func install(_ agent: AgentID, nonce: String, _ connection: MessageConnection) -> AgentSession {
        state.withLockedValue { state in
            precondition(state.sessions[agent] == nil, "an agent's old session ends before its new one begins")
            state.lastID += 1
            let session = AgentSession(
                id: SessionID(rawValue: state.lastID), agent: agent, processNonce: nonce, connection: connection)
            state.sessions[agent] = session
            return session
        }
    }

    func remove(_ session: AgentSession) {
        state.withLockedValue { state in
            if state.sessions[session.agent] === session { state.sessions[session.agent] = nil }
        }
    }

    /// All sessions; none begins after this.
    func stop() -> [AgentSession] {
        state.withLockedValue { state in
            state.stopping = true
            return Array(state.sessions.values)
        }
    }

    var isStopping: Bool { state.withLockedValue { $0.stopping } }
    var connected: [AgentID: SessionID] { state.withLockedValue { $0.sessions.mapValues(\.id) } }
}
