package import AnsFlowProtocol

/// Everything that can happen to an agent. Each input of a link carries that link's number; numbers rise and never come again.
package enum AgentInput: Equatable, Sendable {
    // The link.
    case linkOpened(UInt64)
    /// - Parameter code: The close code, as far as one came and is known.
    case linkClosed(UInt64, code: CloseCode?)
    case received(UInt64, ControllerMessage)
    /// The controller said outside of a link, as by refusing a certificate, that it wants this agent no more.
    case revoked

    // The journal's answers to ``AgentEffect/journal(_:)`` of an accept; other entries are not answered.
    case journalled(AttemptID)
    /// The accept could not be written, or no shim could be had. Nothing was handed to anyone.
    case notJournalled(AttemptID, reason: String)

    // What shims say.
    /// The start file is there and the child runs.
    case shimStarted(AttemptID)
    /// The shim did not start it and never will: the start file was there already.
    case shimRefused(AttemptID, reason: String)
    /// The shim could not start it, for a reason that will stay; the start file is not there.
    case shimUnable(AttemptID, reason: String)
    /// The spool holds this many bytes.
    case spooled(AttemptID, UInt64)
    /// The exit record is there.
    case exited(AttemptID, AttemptEnding)
    /// The shim's lock is free and there is no exit record. What was left of its processes has been killed.
    case shimLost(AttemptID, spooled: UInt64)
    /// The last process of an attempt that was unkillable is gone.
    case vacated(AttemptID)

    // Answers to effects.
    /// - Parameter won: Whether the start file was made now; `false` where it was there already.
    case claimed(AttemptID, won: Bool)
    /// The LOG message of ``AgentEffect/sendLog(link:attempt:from:upTo:)`` was given to the link; it ended at `end`.
    case logSent(link: UInt64, attempt: AttemptID, from: UInt64, end: UInt64)
    /// `length` bytes from `from` on can't be read from the spool.
    case logUnreadable(link: UInt64, attempt: AttemptID, from: UInt64, length: UInt64, reason: String)
    /// - Parameter sha256: Of the first `total` bytes; `nil` where not all of them could be read.
    case hashed(AttemptID, total: UInt64, sha256: String?)

    /// The operator asks for no new job attempts.
    case drain
    /// About once a second.
    case tick
}
