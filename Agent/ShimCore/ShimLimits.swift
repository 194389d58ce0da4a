/// Every maximum of what agent and shim say to each other. Both ends check each.
package enum ShimLimits {
    /// The version of messages, exit record and files. A newer agent reads every older one.
    package static let version: UInt8 = 1

    /// Bytes of one message behind its length: kind and body.
    package static let messageBytesMax = 512 * 1024
    package static let argumentsMax = 4096
    package static let environmentMax = 4096
    /// Bytes of one argument, variable or path.
    package static let textBytesMax = 256 * 1024
    package static let secretsMax = 1024
    package static let secretBytesMax = 64 * 1024
    /// Bytes of all secrets of a shim, those added at run time included.
    package static let secretBytesTotalMax = 1024 * 1024
    package static let messageTextBytesMax = 1024

    /// A warm shim that no agent has spoken to for this long exits by itself, in milliseconds.
    package static let orphanMs: UInt64 = 60_000
    /// How often a shim that no agent is connected to looks whether its files are still there, in milliseconds.
    package static let forsakenLookMs: UInt64 = 5_000
    /// How long descendants may outlive the main process before they are killed, in milliseconds.
    package static let lingerMs: UInt64 = 2_000
    /// After KILL, until survivors are called unkillable, in milliseconds.
    package static let killConfirmMs: UInt64 = 5_000
    /// How long output is awaited after the tree is empty: only a process outside the tree can hold the pipe then.
    package static let drainMs: UInt64 = 2_000
    /// The same of a leashed shim that has not been spoken to yet: who started it died in that instant.
    package static let leashOrphanMs: UInt64 = 5_000
    /// Between TERM and KILL of a step that nobody can ever ask about, in milliseconds: a leashed one whose agent is gone, or one whose
    /// shim's files were removed.
    package static let leashGraceMs: UInt64 = 2_000
    /// The longest grace between TERM and KILL, in milliseconds.
    package static let graceMsMax: UInt64 = 3_600_000
}

/// What agent and shim can't read of each other.
package struct ShimCodecError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
