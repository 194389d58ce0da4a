/// What a shim is told over its socket. All of it may come twice and changes nothing the second time.
package enum ShimCommand: Equatable, Sendable {
    /// First on an agent's connection, with the newest version that the agent speaks. Answered with ``ShimReport/state(_:)``,
    /// and from then on this connection gets every report.
    case attach(version: UInt8)
    /// Run this attempt. Answered with `started` or `startRefused`; for an attempt that this shim has taken before, with its state.
    case start(ShimSpec)
    /// TERM, then KILL `graceMs` later. A second one can only make the grace shorter.
    case stop(ShimStopReason, graceMs: UInt64)
    /// Mask this from now on. Also sent from inside a step, which waits for ``ShimReport/masked(_:)`` before it uses the value.
    case mask([UInt8])
    /// The attempt's end is durable elsewhere, or a warm shim is not needed: go away. A running shim ignores it.
    case forget
}

/// What a shim tells.
package enum ShimReport: Equatable, Sendable {
    case state(ShimState)
    /// The start file is there: the step runs, or has failed to and says so by its end.
    case started(attempt: Int64, startedAtBoottimeMs: UInt64)
    /// Nothing was run for this attempt. The shim is warm still.
    case startRefused(attempt: Int64, StartRefusal, message: String)
    /// Bytes in the spool and bytes dropped so far. At most one each turn of the shim's loop.
    case spooled(bytes: UInt64, dropped: UInt64)
    /// The step has ended; its record is on disk.
    case ended(ExitRecord)
    /// The last process of a tree that was called unkillable is gone.
    case emptied(attempt: Int64)
    /// Whether the value is masked from now on; false where it is too short or there are too many.
    case masked(Bool)
}

package enum StartRefusal: UInt8, Sendable, CaseIterable {
    /// The start file exists: this attempt was started or claimed elsewhere.
    case startFileExists = 1
    /// The specification can't be run.
    case badSpec = 2
    /// Spool, record or start file could not be made.
    case storage = 3
    /// This shim runs, or has run, another attempt.
    case busy = 4
}

/// How a step's processes are held together.
package enum Containment: UInt8, Sendable, CaseIterable {
    /// By a cgroup of version 2: complete.
    case cgroup = 1
    /// By sweeping the shim's descendants: best effort.
    case sweep = 2
}

/// All that a restarted agent needs to go on with a shim.
package struct ShimState: Equatable, Sendable {
    package enum Phase: Equatable, Sendable {
        case warm
        /// `pid` is for people only.
        case running(attempt: Int64, pid: Int32, startedAtBoottimeMs: UInt64, stopping: Bool)
        /// `treeEmpty` is false while an unkillable process lives.
        case ended(ExitRecord, treeEmpty: Bool)
    }

    /// The version that both ends speak on this connection.
    package var version: UInt8
    package var containment: Containment
    package var phase: Phase
    package var spooled: UInt64
    package var dropped: UInt64

    package init(
        version: UInt8 = ShimLimits.version, containment: Containment, phase: Phase, spooled: UInt64 = 0,
        dropped: UInt64 = 0
    ) {
        self.version = version
        self.containment = containment
        self.phase = phase
        self.spooled = spooled
        self.dropped = dropped
    }
}
