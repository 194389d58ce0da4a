/// How a child of the shim ended, as `waitpid` says.
package enum ChildStatus: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
}

/// What the shim must do because of an event.
package enum ShimAction: Hashable, Sendable {
    /// Prepare spool and record, then take the start file, and say which with `startFileClaimed` or `startFileRefused`.
    case claim
    /// Answer a START that runs nothing.
    case refuse(StartRefusal)
    /// Say again what is: the START or STOP was heard before.
    case reportState
    /// Let the parked child execute its program, and report the start.
    case release
    /// TERM to the step's process group.
    case terminate
    /// KILL to the whole tree.
    case killTree
    /// Take no more output.
    case closeOutput
    /// Write the record, then report the end. Comes once.
    case finish(Ending, unkillable: Bool)
    /// The tree that was called unkillable is empty now.
    case reportEmptied
    /// Remove the cgroup, end the parked child if there is one, and go.
    case exit
}

/// The life of one shim and of the one attempt that it runs.
///
/// ```
/// warm -> claiming -> running -> terminating -> killing -> draining -> ended -> gone
///   ^        |           |            |            |                     ^
///   +refused-+           +-> lingering +-----------+-- 5 s: unkillable --+
/// ```
///
/// `running` waits for the first of exit, stop, deadline and out of memory, which alone decides the ``Ending``. After a stop or
/// the deadline comes TERM, then KILL when the grace is over; after an exit that left descendants, KILL 2 s later. An empty tree
/// is never waited for. Output is then read to its end.
///
/// There is no clock inside: events carry `now`, milliseconds of any clock that never goes back, and ``due`` says when
/// ``timerDue(now:)`` wants to be called. A call too early does nothing.
package struct ShimLifecycle: Hashable, Sendable {
    private enum Phase: Hashable {
        case warm
        case claiming(attempt: Int64, timeoutMs: UInt64, graceMs: UInt64)
        /// The program runs, or is about to.
        case running(graceMs: UInt64)
        /// TERM was sent. `exited`: the main process is gone, some of the tree is not.
        case terminating(exited: Bool)
        /// The main process ended by itself and left descendants.
        case lingering
        case killing(exited: Bool)
        case draining
        case ended(treeEmpty: Bool, exited: Bool, forgotten: Bool)
        case gone
    }

    private var phase = Phase.warm
    private var outputClosed = false
    private var attached = false
    /// When to call ``timerDue(now:)``.
    package private(set) var due: UInt64?
    /// The attempt that was taken.
    package private(set) var attempt: Int64?
    /// How the attempt ended; once set it never changes.
    package private(set) var ending: Ending?

    /// - Parameter now: A shim that no agent speaks to within `orphanMs` of this exits.
    package init(now: UInt64, orphanMs: UInt64 = ShimLimits.orphanMs) {
        due = now + orphanMs
    }

    /// Whether a start can be asked for.
    package var isWarm: Bool { phase == .warm }
    /// Whether KILL was sent and the tree is not known to be empty: the shell sweeps again from time to time.
    package var isKilling: Bool {
        switch phase {
        case .killing, .ended(treeEmpty: false, exited: _, forgotten: _): true
        case .warm, .claiming, .running, .terminating, .lingering, .draining, .ended, .gone: false
        }
    }
    /// Whether the end of a step that still runs is decided.
    package var isStopping: Bool { ending != nil }
    package var hasEnded: Bool {
        switch phase {
        case .ended, .gone: true
        case .warm, .claiming, .running, .terminating, .lingering, .killing, .draining: false
        }
    }
    /// Whether no process of the step is left.
    package var isTreeEmpty: Bool {
        switch phase {
        case .draining, .ended(treeEmpty: true, exited: _, forgotten: _): true
        case .warm, .claiming, .running, .terminating, .lingering, .killing, .ended, .gone: false
        }
    }
    package var isGone: Bool { phase == .gone }

    // MARK: The agent's side

    /// START came.
    package mutating func startRequested(attempt: Int64, timeoutMs: UInt64, graceMs: UInt64) -> [ShimAction] {
        switch phase {
        case .warm:
            phase = .claiming(
                attempt: attempt, timeoutMs: timeoutMs, graceMs: min(graceMs, ShimLimits.graceMsMax))
            return [.claim]
        case .claiming(let taken, _, _):
            return taken == attempt ? [] : [.refuse(.busy)]
        case .running, .terminating, .lingering, .killing, .draining, .ended:
            return self.attempt == attempt ? [.reportState] : [.refuse(.busy)]
        case .gone: return []
        }
    }

    /// The start file is this shim's: the attempt is started. The deadline counts from `now`.
    package mutating func startFileClaimed(now: UInt64) -> [ShimAction] {
        guard case .claiming(let attempt, let timeoutMs, let graceMs) = phase else { return [] }
        self.attempt = attempt
        phase = .running(graceMs: graceMs)
        let deadline = now.addingReportingOverflow(timeoutMs)
        due = deadline.overflow ? .max : deadline.partialValue
        return [.release]
    }

    /// Nothing was started; the shim can take another attempt.
    package mutating func startFileRefused(_ reason: StartRefusal, now: UInt64) -> [ShimAction] {
        guard case .claiming = phase else { return [] }
        phase = .warm
        due = attached ? nil : now + ShimLimits.orphanMs
        return [.refuse(reason)]
    }

    /// STOP came, with its own grace. One that comes before the start file is claimed stops nothing: claim at once.
    package mutating func stopRequested(_ reason: ShimStopReason, graceMs: UInt64, now: UInt64) -> [ShimAction] {
        let grace = min(graceMs, ShimLimits.graceMsMax)
        switch phase {
        case .running:
            guard ending == nil else { return shorten(to: now + grace, now: now) }
            return decide(.stopped(reason), graceMs: grace, now: now)
        case .terminating, .lingering: return shorten(to: now + grace, now: now)
        case .warm, .claiming, .killing, .draining, .ended: return [.reportState]
        case .gone: return []
        }
    }

    /// FORGET came. Ignored while the step runs, so that no fault of an agent can lose a step.
    package mutating func forget() -> [ShimAction] {
        switch phase {
        case .warm, .ended(treeEmpty: true, exited: _, forgotten: _):
            due = nil
            phase = .gone
            return [.exit]
        case .ended(treeEmpty: false, let exited, forgotten: _):
            phase = .ended(treeEmpty: false, exited: exited, forgotten: true)
            return []
        case .claiming, .running, .terminating, .lingering, .killing, .draining: return [.reportState]
        case .gone: return []
        }
    }

    /// An agent has connected.
    package mutating func agentCame() {
        attached = true
        if phase == .warm { due = nil }
    }

    /// The last agent's connection is closed. Only a warm shim minds.
    package mutating func agentLeft(now: UInt64) {
        attached = false
        if phase == .warm { due = now + ShimLimits.orphanMs }
    }

    // MARK: The step's side

    /// The child could not execute its program; its exit follows.
    package mutating func startFailed(_ stage: StartStage, errno: Int32) {
        guard case .running = phase, ending == nil else { return }
        ending = .startFailed(stage, errno: errno)
    }

    /// The main process ended.
    ///
    /// - Parameter treeEmpty: Whether it was the last of its tree.
    package mutating func childExited(_ status: ChildStatus, treeEmpty: Bool, now: UInt64) -> [ShimAction] {
        switch phase {
        case .warm, .claiming:
            // The parked child was killed from outside: nothing can be run here any more.
            due = nil
            phase = .gone
            return [.exit]
        case .running:
            if ending == nil {
                switch status {
                case .exited(let code): ending = .exited(code)
                case .signalled(let signal): ending = .signalled(signal)
                }
            }
            if treeEmpty { return drain(now: now) }
            phase = .lingering
            due = now + ShimLimits.lingerMs
            return []
        case .terminating(exited: false):
            if treeEmpty { return drain(now: now) }
            phase = .terminating(exited: true)
            return shorten(to: now + ShimLimits.lingerMs, now: now)
        case .killing(exited: false):
            if treeEmpty { return drain(now: now) }
            phase = .killing(exited: true)
            return []
        case .ended(treeEmpty: false, exited: false, let forgotten):
            phase = .ended(treeEmpty: false, exited: true, forgotten: forgotten)
            return treeEmpty ? emptied() : []
        case .terminating, .lingering, .killing, .draining, .ended, .gone: return []
        }
    }

    /// The last process of the tree is gone. Heard only after the main process has ended.
    package mutating func treeEmpty(now: UInt64) -> [ShimAction] {
        switch phase {
        case .terminating(exited: true), .lingering, .killing(exited: true): drain(now: now)
        case .ended(treeEmpty: false, exited: true, forgotten: _): emptied()
        case .warm, .claiming, .running, .terminating, .killing, .draining, .ended, .gone: []
        }
    }

    /// The kernel killed a process of the tree for want of memory.
    package mutating func outOfMemory(now: UInt64) -> [ShimAction] {
        guard case .running = phase, ending == nil else { return [] }
        ending = .outOfMemory
        return kill(exited: false, now: now)
    }

    /// Output came to its end: nobody holds the pipe.
    package mutating func outputEnded() -> [ShimAction] {
        outputClosed = true
        guard phase == .draining else { return [] }
        return finish(treeEmpty: true, exited: true)
    }

    // MARK: Time

    /// The deadline, a grace or a wait may be over.
    package mutating func timerDue(now: UInt64) -> [ShimAction] {
        guard let due, now >= due else { return [] }
        switch phase {
        case .warm:
            self.due = nil
            phase = .gone
            return [.exit]
        case .running(let graceMs):
            guard ending == nil else { return kill(exited: false, now: now) }
            return decide(.timedOut, graceMs: graceMs, now: now)
        case .terminating(let exited): return kill(exited: exited, now: now)
        case .lingering: return kill(exited: true, now: now)
        case .killing(let exited): return [.closeOutput] + finish(treeEmpty: false, exited: exited)
        case .draining: return [.closeOutput] + finish(treeEmpty: true, exited: true)
        case .claiming, .ended, .gone:
            self.due = nil
            return []
        }
    }

    // MARK: Parts

    private mutating func decide(_ ending: Ending, graceMs: UInt64, now: UInt64) -> [ShimAction] {
        self.ending = ending
        guard graceMs > 0 else { return kill(exited: false, now: now) }
        phase = .terminating(exited: false)
        due = now + graceMs
        return [.terminate]
    }

    private mutating func shorten(to moment: UInt64, now: UInt64) -> [ShimAction] {
        let sooner = min(due ?? .max, moment)
        due = sooner
        return sooner <= now ? timerDue(now: now) : []
    }

    private mutating func kill(exited: Bool, now: UInt64) -> [ShimAction] {
        phase = .killing(exited: exited)
        due = now + ShimLimits.killConfirmMs
        return [.killTree]
    }

    private mutating func drain(now: UInt64) -> [ShimAction] {
        guard !outputClosed else { return finish(treeEmpty: true, exited: true) }
        phase = .draining
        due = now + ShimLimits.drainMs
        return []
    }

    private mutating func finish(treeEmpty: Bool, exited: Bool) -> [ShimAction] {
        guard let ending else { preconditionFailure("a step that finishes has an ending") }
        phase = .ended(treeEmpty: treeEmpty, exited: exited, forgotten: false)
        due = nil
        return [.finish(ending, unkillable: !treeEmpty)]
    }

    private mutating func emptied() -> [ShimAction] {
        guard case .ended(_, _, let forgotten) = phase else { return [] }
        phase = forgotten ? .gone : .ended(treeEmpty: true, exited: true, forgotten: false)
        return forgotten ? [.reportEmptied, .exit] : [.reportEmptied]
    }
}
