package import AnsFlowProtocol
package import ControllerCore

/// What became of a LOG message.
package enum AppendOutcome: Equatable, Sendable {
    /// The bytes are in the segment. They are durable once ``LogStoreEvents/durable`` says so.
    case accepted(next: UInt64)
    /// Nothing was stored: the message begins behind `next`, or brings only what is known. The sender goes on at `next`.
    case ignored(next: UInt64)
    /// The message can never be stored. The log stays as it is.
    case rejected(String)
    /// The disk took nothing (full, or an I/O error): a cause of HALT. Nothing is lost; the same message succeeds once it heals.
    case storeFull(errno: Int32)
}

/// What a comparison with the agent's end of output gave.
package enum LogFinish: Equatable, Sendable {
    /// Length and hash agree (hash: only where the agent sent one and no bytes are missing), and all is durable.
    case complete(LogFacts)
    /// The sender owes the bytes from `next` on.
    case waiting(next: UInt64)
    /// The bytes are not those that the agent has, or they are more.
    case mismatch(LogFacts)
}

/// What is stored of a log that has ended.
package struct LogFacts: Equatable, Sendable {
    /// Length of the output, holes included.
    package var total: UInt64
    /// Lower-case hex, over the stored bytes only; for a log with holes nothing to compare with.
    package var sha256: String
    /// Lines begun, an unfinished last one and one marker for each hole included.
    package var lines: Int
    package var holes: [LogHole]

    package init(total: UInt64, sha256: String, lines: Int, holes: [LogHole]) {
        self.total = total
        self.sha256 = sha256
        self.lines = lines
        self.holes = holes
    }
}

/// Why a call on the log store failed.
package enum LogStoreError: Error, Equatable, CustomStringConvertible {
    /// A file call failed.
    case io(operation: String, attempt: AttemptID?, errno: Int32)
    /// A segment's header names another attempt: somebody moved files by hand.
    case foreign(attempt: AttemptID, found: Int64)
    /// A closed log's index does not match its checksum, or is of a newer version.
    case unreadable(attempt: AttemptID, String)
    /// A sync failed before; the process must end. See ``LogStoreEvents/fatal``.
    case failed
    case closed

    package var description: String {
        switch self {
        case .io(let operation, let attempt, let number):
            let whose = attempt.map { " of attempt \($0)" } ?? ""
            return "The log store could not \(operation) the log\(whose): error \(number). "
                + "Check the disk of the data directory: free space, permissions, kernel messages."
        case .foreign(let attempt, let found):
            return "The log file of attempt \(attempt) holds the output of attempt \(found). "
                + "Put the right file back from a backup, or move this one away."
        case .unreadable(let attempt, let what):
            return "The stored log of attempt \(attempt) can't be read: \(what). Put it back from a backup."
        case .failed:
            return "The log store stopped after a failed sync. Check the disk, then start the controller again."
        case .closed:
            return "The log store is closed."
        }
    }
}
