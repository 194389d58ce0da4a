/// The engine's own maxima. Times are milliseconds of the engine's clock.
package enum EngineLimits {
    package static let queuedMsMax: Int64 = 24 * 3_600_000
    /// A run or job that waits this long for its concurrency group fails.
    package static let groupMsMax: Int64 = 24 * 3_600_000
    /// An agent has this long, beyond the step's own grace, to end what it was told to stop.
    package static let stopMsMax: Int64 = 60_000
    /// A job attempt without a live step whose agent has been absent this long is lost.
    package static let lostAfterMs: Int64 = 10 * 60_000
    /// An agent that is absent this long makes its attempts unreachable.
    package static let unreachableAfterMs: Int64 = 15_000
    /// A tick counts at most this much, however late it comes.
    package static let tickMsMax: Int64 = 1_000
    /// An agent that did not start what it was given is given nothing new for this long; each time doubled.
    package static let holdMsMin: Int64 = 5_000
    package static let holdMsMax: Int64 = 5 * 60_000
    /// The clock is stored at least this often.
    package static let clockStoredEveryMs: Int64 = 60_000
    /// Waiting this long weighs as much as one slot in the fair share.
    package static let ageingMsPerSlot: Int64 = 60_000
    /// A job that waits this long goes before its project's jobs of higher priority that do not.
    package static let priorityMsMax: Int64 = 30 * 60_000
    /// Inputs that may wait for the engine; more are refused.
    package static let inboxMax = 4_096
    /// Inputs that one commit takes.
    package static let groupMax = 512
    package static let activeRunsMax = 20_000
    package static let idempotencyKeptMs: Int64 = 24 * 3_600_000
    package static let idempotencyKeysMax = 100_000
}
