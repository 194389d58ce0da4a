import AgentShimCore
import CAgentSystem
import Glibc

/// One shim: a warm one with its parked child, then the supervisor of one step.
///
/// A single thread waits for whatever comes next and hands it to ``ShimLifecycle``, whose actions it carries out. It makes
/// nothing durable: what a crash of the host takes is `lost` anyway.
final class Supervisor {
    let options: ShimProgram.Options
    var lifecycle: ShimLifecycle
    var diagnostics: Diagnostics
    var tree: ProcessTree
    var step: Step?
    private let lock: Int32
    private let listener: Int32
    private let timer: Int32
    private let children: Int32
    private var connections: [Connection] = []
    private var interest: [pollfd] = []
    private var isOver = false
    /// Nobody is left who could say FORGET, and the step was not to outlive that.
    private var isAbandoned = false
    /// When it was last looked whether the files are there.
    private var lastLook: UInt64 = 0
    private var chunk = [UInt8](repeating: 0, count: 64 * 1024)

    init(_ options: ShimProgram.Options) throws(ShimFailure) {
        self.options = options
        diagnostics = Diagnostics(path: "\(options.directory)/\(ShimFiles.log)")
        lock = try Self.takeLock("\(options.directory)/\(ShimFiles.lock)")
        _ = ansflow_become_subreaper()
        children = try Self.check(ansflow_child_signal_fd(), "Signals can't be received")
        timer = try Self.check(ansflow_timer_fd(), "A timer can't be made")
        tree = try ProcessTree(parent: options.cgroup, name: options.name)
        let directory = open(options.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if directory >= 0 { close(directory) } }
        listener = try Self.check(
            directory < 0 ? -errno : ansflow_unix_listen(directory, ShimFiles.socket), "The shim's socket can't be made"
        )
        lifecycle = ShimLifecycle(
            now: ansflow_boottime_ms(),
            orphanMs: options.isLeashed ? ShimLimits.leashOrphanMs : ShimLimits.orphanMs)
        if options.cgroup != nil && tree.containment == .sweep {
            diagnostics.note("No cgroup could be made in \(options.cgroup ?? ""): containment is best effort.")
        }
    }

    /// Handles events until the agent says FORGET or nobody needs this shim.
    func run() {
        while !isOver {
            collectInterest()
            ansflow_timer_set(timer, lifecycle.due ?? 0)
            let count = poll(&interest, nfds_t(interest.count), pollTimeout)
            if count < 0 && errno != EINTR {
                diagnostics.note("poll failed: \(Diagnostics.text(of: errno)).")
                usleep(100_000)
            }
            turn()
            lookWhetherForsaken()
            if isAbandoned, lifecycle.hasEnded { perform(lifecycle.forget()) }
        }
        tree.remove()
    }

    private var socketPath: String { "\(options.directory)/\(ShimFiles.socket)" }
    private var hasAgent: Bool { connections.contains { $0.isAgent } }

    /// Agents find a shim by its files. Where they were removed while no agent was connected, nobody can ever say STOP or FORGET, nor
    /// learn how the step ended: it is stopped, instead of running on until its deadline. A directory that was only moved is not
    /// taken for a removed one.
    private func lookWhetherForsaken() {
        guard !hasAgent, !isAbandoned, now >= lastLook + ShimLimits.forsakenLookMs else { return }
        lastLook = now
        var info = stat()
        guard fstat(lock, &info) == 0, info.st_nlink == 0 else { return }
        if lifecycle.hasEnded { isOver = true } else { abandon() }
    }

    /// How long the loop may sleep, in milliseconds.
    private var pollTimeout: Int32 {
        // While a killed tree is not empty, orphans may come without a signal.
        if lifecycle.isKilling { return lifecycle.hasEnded ? 1_000 : 20 }
        return hasAgent || isAbandoned ? -1 : Int32(ShimLimits.forsakenLookMs)
    }

    var now: UInt64 { ansflow_boottime_ms() }

    // MARK: One turn of the loop

    private func isReady(_ descriptor: Int32) -> Bool {
        interest.contains { $0.fd == descriptor && $0.revents != 0 }
    }

    private func collectInterest() {
        interest.removeAll(keepingCapacity: true)
        for descriptor in [listener, timer, children] {
            interest.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        }
        for descriptor in [tree.status, tree.output] where descriptor >= 0 {
            interest.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        }
        if step != nil && !lifecycle.isTreeEmpty {
            for descriptor in tree.eventDescriptors {
                interest.append(pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0))
            }
        }
        for connection in connections {
            let events = Int16(POLLIN) | (connection.wantsToWrite ? Int16(POLLOUT) : 0)
            interest.append(pollfd(fd: connection.descriptor, events: events, revents: 0))
        }
    }

    /// Looks once at every source that has something. The order matters: what explains an exit is looked at before the exit.
    private func turn() {
        if isReady(tree.status) { readStatus() }
        if isReady(tree.output) { readOutput() }
        let treeEvent = tree.eventDescriptors.contains(where: isReady)
        if treeEvent {
            tree.rearmEvents()
            noteOutOfMemory()
        }
        if treeEvent || lifecycle.isKilling || isReady(children) { reap() }
        perform(lifecycle.timerDue(now: now))
        for connection in connections where isReady(connection.descriptor) { receive(connection) }
        if isReady(listener) { accept() }
        reportProgress()
        for connection in connections { connection.flush() }
        dropClosed()
    }

    private func readStatus() {
        guard let failure = tree.readStatus(), step != nil else { return }
        lifecycle.startFailed(failure.stage, errno: failure.errno)
    }

    /// Reads at most 1 MiB, so that commands are heard under a flood.
    private func readOutput() {
        guard tree.output >= 0, step != nil else { return }
        for _ in 0..<16 {
            let count = chunk.withUnsafeMutableBytes { read(tree.output, $0.baseAddress, $0.count) }
            if count > 0 {
                chunk.withUnsafeBytes { takeOutput(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                tree.closeOutput()
                finishOutput()
                perform(lifecycle.outputEnded())
                return
            } else {
                return
            }
        }
    }

    private func takeOutput(_ bytes: UnsafeRawBufferPointer) {
        let before = step?.files.spool.failure ?? 0
        let time = sinceStart
        step?.files.spool.take(bytes, time: time)
        if let failure = step?.files.spool.failure, failure != before {
            diagnostics.note("Recording stopped: \(Diagnostics.text(of: failure)).")
        }
    }

    private func finishOutput() {
        let time = sinceStart
        step?.files.spool.finish(time: time)
    }

    private var sinceStart: UInt64 { now - (step?.startedAt ?? now) }

    private func noteOutOfMemory() {
        if step != nil, tree.hasOutOfMemory { perform(lifecycle.outOfMemory(now: now)) }
    }

    private func reap() {
        ansflow_child_signal_drain(children)
        if let status = tree.reap(sweeping: lifecycle.isKilling) {
            readStatus()
            noteOutOfMemory()
            step?.status = status
            perform(lifecycle.childExited(status, treeEmpty: tree.isEmpty, now: now))
        }
        if step?.status != nil, !lifecycle.isTreeEmpty, tree.isEmpty { perform(lifecycle.treeEmpty(now: now)) }
    }

    // MARK: Connections

    private func accept() {
        while true {
            let descriptor = ansflow_accept(listener)
            guard descriptor >= 0 else { return }
            if connections.count < 32 { connections.append(Connection(descriptor)) } else { close(descriptor) }
        }
    }

    private func receive(_ connection: Connection) {
        for command in connection.receive() {
            switch command {
            case .attach(let version):
                connection.isAgent = true
                lifecycle.agentCame()
                var state = state
                state.version = min(version, ShimLimits.version)
                connection.reported = (state.spooled, state.dropped)
                connection.send(.state(state))
            case .mask(let secret):
                connection.send(.masked(step?.files.spool.mask(secret) ?? false))
            case .start(let spec) where connection.isAgent: start(spec, from: connection)
            case .stop(let reason, let graceMs) where connection.isAgent:
                perform(lifecycle.stopRequested(reason, graceMs: graceMs, now: now), from: connection)
            case .forget where connection.isAgent: perform(lifecycle.forget(), from: connection)
            case .start, .stop, .forget: break
            }
        }
    }

    private func start(_ spec: ShimSpec, from connection: Connection) {
        if lifecycle.isWarm, let fault = spec.fault {
            connection.send(.startRefused(attempt: spec.attempt, .badSpec, message: fault))
            return
        }
        let actions = lifecycle.startRequested(
            attempt: spec.attempt, timeoutMs: spec.timeoutMs, graceMs: spec.graceMs)
        guard actions == [.claim] else {
            perform(actions, from: connection, attempt: spec.attempt)
            return
        }
        let blob = tree.blob(for: spec, control: socketPath)
        do throws(StepFiles.Refusal) {
            step = Step(
                attempt: spec.attempt, program: spec.arguments[0], files: try StepFiles.claim(spec), startedAt: now)
            step?.outputFile = OutputMask.path(in: spec.environment)
            perform(lifecycle.startFileClaimed(now: now), blob: blob)
        } catch {
            _ = lifecycle.startFileRefused(error.reason, now: now)
            connection.send(.startRefused(attempt: spec.attempt, error.reason, message: error.message))
        }
    }

    private func report(_ report: ShimReport) {
        for connection in connections where connection.isAgent { connection.send(report) }
    }

    private func reportProgress() {
        guard let spool = step?.files.spool, step?.record == nil else { return }
        for connection in connections where connection.isAgent && !connection.isBusy {
            guard connection.reported != (spool.stored, spool.dropped) else { continue }
            connection.reported = (spool.stored, spool.dropped)
            connection.send(.spooled(bytes: spool.stored, dropped: spool.dropped))
        }
    }

    private func dropClosed() {
        guard connections.contains(where: { !$0.isOpen }) else { return }
        let hadAgent = connections.contains { $0.isAgent }
        for connection in connections where !connection.isOpen { connection.end() }
        connections.removeAll { !$0.isOpen }
        if hadAgent, !hasAgent {
            lifecycle.agentLeft(now: now)
            if options.isLeashed { abandon() }
        }
    }

    /// Whoever started this shim is gone, and the step was not to outlive it; or nobody can find it any more.
    private func abandon() {
        isAbandoned = true
        if lifecycle.isWarm || lifecycle.hasEnded {
            perform(lifecycle.forget())
        } else {
            perform(lifecycle.stopRequested(.cancel, graceMs: ShimLimits.leashGraceMs, now: now))
        }
    }

    private var state: ShimState {
        let phase: ShimState.Phase
        if let step, let record = step.record {
            phase = .ended(record, treeEmpty: lifecycle.isTreeEmpty)
        } else if let step {
            phase = .running(
                attempt: step.attempt, pid: tree.pid, startedAtBoottimeMs: step.startedAt,
                stopping: lifecycle.isStopping)
        } else {
            phase = .warm
        }
        return ShimState(
            containment: tree.containment, phase: phase, spooled: step?.files.spool.stored ?? 0,
            dropped: step?.files.spool.dropped ?? 0)
    }

    // MARK: Actions

    private func perform(
        _ actions: [ShimAction], from connection: Connection? = nil, attempt: Int64 = 0, blob: [UInt8] = []
    ) {
        for action in actions {
            switch action {
            case .claim: preconditionFailure("a claim is made where START is handled")
            case .refuse(let reason):
                connection?.send(
                    .startRefused(attempt: attempt, reason, message: "This shim has taken another attempt."))
            case .reportState: connection?.send(.state(state))
            case .release: release(blob)
            case .terminate: tree.terminate()
            case .killTree: tree.kill()
            case .closeOutput: abandonOutput()
            case .finish(let ending, let unkillable): finish(ending, unkillable: unkillable)
            case .reportEmptied: report(.emptied(attempt: step?.attempt ?? 0))
            case .exit: isOver = true
            }
        }
    }

    private func release(_ blob: [UInt8]) {
        let error = tree.release(blob)
        if error != 0 { lifecycle.startFailed(.release, errno: error) }
        report(.started(attempt: step?.attempt ?? 0, startedAtBoottimeMs: step?.startedAt ?? 0))
    }

    /// Takes what is in the pipe, then no more: a process that can't be reached still holds it.
    private func abandonOutput() {
        guard tree.output >= 0 else { return }
        readOutput()
        guard tree.output >= 0 else { return }
        tree.closeOutput()
        finishOutput()
        step?.droppedIsKnown = false
    }

    private func maskOutputs() {
        guard let spool = step?.files.spool, let path = step?.outputFile else { return }
        let time = sinceStart
        let isMasked = OutputMask.apply(to: path) { spool.masked($0) }
        if isMasked { step?.files.spool.add(OutputMask.note, time: time) }
    }

    private func finish(_ ending: Ending, unkillable: Bool) {
        maskOutputs()
        guard let step else { return }
        var record = step.exitRecord(ending, unkillable: unkillable)
        record.usage = tree.usage(wallMs: now - step.startedAt)
        let error = step.files.write(record)
        if error != 0 { diagnostics.note("The exit record was not written: \(Diagnostics.text(of: error)).") }
        self.step?.record = record
        step.files.end()
        report(.ended(record))
    }

    // MARK: Start of the shim

    /// A probe of the lock may hold it for a moment, so one refusal is not the last word.
    private static func takeLock(_ path: String) throws(ShimFailure) -> Int32 {
        var result = ansflow_lock(path)
        for _ in 0..<100 where result == -EWOULDBLOCK {
            usleep(10_000)
            result = ansflow_lock(path)
        }
        return try check(result, "The shim's lock \(path) can't be taken")
    }

    static func check(_ result: Int32, _ text: String) throws(ShimFailure) -> Int32 {
        guard result >= 0 else { throw ShimFailure(text: text, code: result) }
        return result
    }
}
