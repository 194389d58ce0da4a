package import AnsFlowProtocol

/// What the shell around ``AgentMachine`` has to do, in order. Those with an answer name the input that answers them.
package enum AgentEffect: Equatable, Sendable {
    /// Connect; back off as seems right. Answer: `linkOpened` with a new number.
    case dial
    /// Answer: `linkClosed`, at once if the link is gone already.
    case close(link: UInt64, code: CloseCode)
    case send(link: UInt64, AgentMessage)
    /// Send a heartbeat with the host's present figures.
    case sendHeartbeat(link: UInt64)
    /// Read whole records from the spool and send them as one LOG: from `from` on, at most
    /// ``ProtocolLimits/logPayloadBytesMax`` bytes of output, none past `upTo`. Answer: `logSent` or `logUnreadable`, once the
    /// link has room for more. On a link that is gone no answer is needed.
    case sendLog(link: UInt64, attempt: AttemptID, from: UInt64, upTo: UInt64)
    /// Answer: `hashed`.
    case hashLog(AttemptID, total: UInt64)
    /// Append durably. An accept is answered with `journalled` or `notJournalled`.
    case journal(AgentJournalEntry)
    /// Make the workspace where it is missing and hand everything to the shim that the journal names. Answer: `shimStarted`,
    /// `shimRefused`, `exited` or `shimLost`.
    case startShim(Start)
    case stopShim(AttemptID, reason: StopReason, graceMs: UInt64)
    /// Let the shim go and delete spool and exit record. Every `journal` before it is durable first.
    case forgetShim(AttemptID)
    /// Make the attempt's start file with O_EXCL. Answer: `claimed`.
    case claimStartFile(AttemptID)
    case cleanWorkspace(JobAttemptID)
    /// End the process; nothing is left to do.
    case exit(AgentExitReason)
}

/// An entry of the agent's journal, as the core knows it; the shell adds boot id and shim.
package enum AgentJournalEntry: Equatable, Sendable {
    case accept(AttemptID, JobAttemptID)
    case neverStarted(AttemptID)
    case forgotten(AttemptID)
}

package enum AgentExitReason: Equatable, Sendable {
    /// The controller refused this agent for good; its steps have been killed.
    case revoked
    /// It was told to drain and the last attempt is forgotten.
    case drained
}
