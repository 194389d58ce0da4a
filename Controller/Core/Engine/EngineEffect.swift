package import AnsFlowProtocol

/// What goes out once the group that decided it is durable. Effects are performed in order and may be lost in a crash: both
/// ends derive them again from durable state.
package enum EngineEffect: Equatable, Sendable {
    case send(AgentID, SessionID, ControllerMessage)
    case close(AgentID, SessionID, CloseCode, reason: String)
    /// The attempt has its end: its log takes no more bytes.
    case sealLog(AttemptID)
    case publish([EventRow])
}

/// What an agent's HELLO is answered with. WELCOME goes out before the effects of its group.
package enum HelloAnswer: Equatable, Sendable {
    case welcome(Welcome)
    case refuse(CloseCode, reason: String)
}

/// One group of decided inputs.
package struct EngineGroup: Equatable, Sendable {
    package var batch: CommitBatch
    package var effects: [EngineEffect]
}
