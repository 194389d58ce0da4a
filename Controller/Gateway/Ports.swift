package import AnsFlowProtocol
package import ControllerCore

/// An agent as the directory knows it.
package struct KnownAgent: Equatable, Sendable {
    package var id: AgentID
    package var revoked: Bool

    package init(id: AgentID, revoked: Bool) {
        self.id = id
        self.revoked = revoked
    }
}

package enum EnrolOutcome: Equatable, Sendable {
    case agent(AgentID)
    case refused(EnrolRefusal)
}

/// Which keys are agents. The store stands behind it.
package protocol AgentDirectory: Sendable {
    /// The agent whose public key has this fingerprint (see ``KeyFingerprint``); `nil` where it was never enrolled.
    ///
    /// Asked for every HELLO, so that revoking is only a change of a row.
    func agent(forKey fingerprint: String) async throws -> KnownAgent?

    /// Enrols a key by a token, or renews one that is known, durably.
    ///
    /// Idempotent by (token, key): the same pair gets the same agent again, the same token with another key is refused. Two
    /// calls with one token at the same time must not both win.
    ///
    /// - Parameters:
    ///   - token: ``EnrolToken/secret``; `nil` for a renewal, which a known and unrevoked key alone may have.
    ///   - key: The fingerprint of the public key, whose owner has proved that it holds the private one.
    ///   - remote: The address that asked, for the audit.
    /// - Throws: When nothing can be made durable; the agent is told to come again.
    func enrol(
        token: String?, key: String, name: String, labels: [String: String], slots: Int, remote: String
    ) async throws -> EnrolOutcome
}

/// The engine's word on a HELLO.
package enum HelloDecision: Equatable, Sendable {
    /// The gateway fills in ``Welcome/proto``.
    case welcome(Welcome)
    case refuse(CloseCode, reason: String)
}

/// What happens on agents' connections. The engine and the log store stand behind it.
///
/// For one agent the calls come one after the other: `connected`, then what was received in its order, then `disconnected`; the
/// next session's `connected` comes only when the last session's `disconnected` has returned. While a call runs, nothing more is
/// read from that agent: that is the flow control.
///
/// Who the agent is comes from its key. Whether an attempt that a message names is that agent's is for the receiver to check.
package protocol SessionEvents: Sendable {
    /// An agent of a known key, of a version that both speak, alone with its key, says HELLO. Messages sent to this session
    /// before the answer wait until WELCOME is out. A refused session gets no further call.
    func connected(agent: AgentID, session: SessionID, hello: Hello, remote: String) async -> HelloDecision
    /// A control message: never `hello`, never `log`.
    func received(agent: AgentID, session: SessionID, message: AgentMessage) async
    /// Output; its records are not looked at yet.
    func receivedLog(agent: AgentID, session: SessionID, frame: LogFrame) async
    func disconnected(agent: AgentID, session: SessionID) async
    /// A connection with this agent's key was refused for a reason that does not pass by itself. May come at any time.
    func refused(agent: AgentID, code: CloseCode, reason: String) async
}
