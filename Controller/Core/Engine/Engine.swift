package import AnsFlowProtocol
package import Logging
import Synchronization

/// Where effects go. Called in order, behind the commit that decided them; must not block.
package protocol EffectSink: Sendable {
    func perform(_ effects: [EngineEffect]) async
    /// The disk came back after a HALT: agents are to say HELLO again.
    func resynchronise() async
}

/// Clocks of the outside, so that the engine itself reads none.
package struct EngineTime: Sendable {
    /// Milliseconds since 1970, for people.
    package var wall: @Sendable () -> Int64
    /// Milliseconds of a clock that never goes back, for ticks.
    package var steady: @Sendable () -> Int64

    package init(wall: @escaping @Sendable () -> Int64, steady: @escaping @Sendable () -> Int64) {
        self.wall = wall
        self.steady = steady
    }
}

/// Places between a group's decision and its effects, for tests that kill the process exactly there.
package enum EngineCheckpoint: String, Sendable, CaseIterable {
    case decided, committed, answered, performed
}

/// What is stored of an attempt's log.
package struct StoredLog: Equatable, Sendable {
    package var bytes: UInt64
    package var lines: UInt64

    package init(bytes: UInt64, lines: UInt64) {
        self.bytes = bytes
        self.lines = lines
    }
}

/// The one actor around ``EngineMachine``: takes all waiting inputs, decides them in order on a copy, commits once, swaps
/// the copy in, lets the effects out. What arrives meanwhile is the next group.
package actor Engine {
    typealias Decision = @Sendable (inout EngineMachine) -> Void

    private struct Input {
        var decide: Decision
        /// Told once: nil when durable, or why not.
        var done: @Sendable (CommandFailure?) -> Void
    }

    private let store: any EngineStore
    private let sink: any EffectSink
    private let time: EngineTime
    private let publicURL: String?
    private let logger: Logger
    /// What is committed; nil while halted.
    private var machine: EngineMachine?
    private var inbox: [Input] = []
    private var draining = false
    private var lastTick: Int64
    private var commits = 0
    private var haltReason: String?
    /// An fsync failed: nothing is tried any more, whatever the owner does about it.
    private var isDead = false
    /// Told when an fsync failed: the process must end at once.
    private let fatal: @Sendable (String) -> Void
    private let checkpoint: @Sendable (EngineCheckpoint) -> Void
    private let haltedFlag: Atomic<Bool>
    private let storedLog: @Sendable (AttemptID) async -> StoredLog?

    /// - Parameters:
    ///   - publicURL: where people see the controller, without a slash at its end; for `ANSFLOW_RUN_URL`.
    ///   - storedLog: what the log store holds of an attempt, for those that the engine gives up without its agent.
    package init(
        store: any EngineStore, sink: any EffectSink, time: EngineTime, logger: Logger,
        publicURL: String? = nil, fatal: @escaping @Sendable (String) -> Void,
        checkpoint: @escaping @Sendable (EngineCheckpoint) -> Void = { _ in },
        storedLog: @escaping @Sendable (AttemptID) async -> StoredLog? = { _ in nil }
    ) async throws {
        self.store = store
        self.sink = sink
        self.time = time
        self.publicURL = publicURL
        self.logger = logger
        self.fatal = fatal
        self.checkpoint = checkpoint
        self.storedLog = storedLog
        haltedFlag = Atomic(false)
        lastTick = time.steady()
        machine = EngineMachine(try await store.load())
        machine?.publicURL = publicURL
    }

    /// Whether nothing can be made durable now; cheap, for heartbeats and readiness.
    package nonisolated var isHalted: Bool { haltedFlag.load(ordering: .relaxed) }

    package var halted: String? { haltReason }
    package var commitCount: Int { commits }
    /// Inputs that wait for the next group.
    package var waitingInputs: Int { inbox.count }

    /// Reads the committed state.
    package func read<Value: Sendable>(_ body: (EngineMachine) -> Value) -> Value? {
        machine.map(body)
    }

    /// Decides something and returns when it is durable.
    ///
    /// - Throws: ``CommandFailure/notWritable(_:)`` where its group could not be committed; whether it happened is then unknown
    ///   until the engine has loaded again.
    package func submit<Value: Sendable>(
        _ decide: @escaping @Sendable (inout EngineMachine) -> Value
    ) async throws(CommandFailure) -> Value {
        let box = Box<Value>()
        let failure = await withCheckedContinuation { (continuation: CheckedContinuation<CommandFailure?, Never>) in
            enqueue(
                Input(
                    decide: { machine in box.value.withLock { $0 = decide(&machine) } },
                    done: { continuation.resume(returning: $0) }))
        }
        if let failure { throw failure }
        guard let value = box.value.withLock({ $0 }) else { throw .notWritable("the engine did not decide") }
        return value
    }

    /// Decides something that nobody waits for.
    ///
    /// - Parameter always: taken also from an engine with too much to do. For what is said once only, by a party that can
    ///   say it seldom: an agent whose connection ended must not be taken for connected for ever.
    package func tell(always: Bool = false, _ decide: @escaping @Sendable (inout EngineMachine) -> Void) {
        enqueue(Input(decide: decide, done: { _ in }), always: always)
    }

    /// To be called about once a second.
    package func tick() async {
        let steady = time.steady()
        let elapsed = steady - lastTick
        lastTick = steady
        guard !isDead else { return }
        if machine == nil { return await heal() }
        guard inbox.count < EngineLimits.inboxMax / 2 else { return }
        tell { $0.tick(elapsed: elapsed) }
    }

    // MARK: Groups

    private func enqueue(_ input: Input, always: Bool = false) {
        guard machine != nil else { return input.done(.notWritable(haltReason ?? "the controller is halted")) }
        guard always || inbox.count < EngineLimits.inboxMax else { return input.done(.overloaded) }
        inbox.append(input)
        guard !draining else { return }
        draining = true
        // Awaited by nobody: it ends by itself when the inbox is empty, and every input in it is answered.
        Task { await drain() }
    }

    private func drain() async {
        while !inbox.isEmpty, machine != nil {
            let count = min(inbox.count, EngineLimits.groupMax)
            let group = Array(inbox.prefix(count))
            inbox.removeFirst(count)
            await commit(group)
        }
        draining = false
    }

    private func commit(_ inputs: [Input]) async {
        guard var next = machine else { return refuse(inputs, haltReason ?? "halted") }
        next.begin(now: time.wall())
        for input in inputs { input.decide(&next) }
        next.dispatch()
        // Effects alone, such as a FORGET said again, need no transaction.
        let mustWrite = next.mustWrite
        var group = next.takeGroup()
        if mustWrite {
            await measureLost(&group.batch)
            checkpoint(.decided)
            do throws(CommitFailure) {
                try await store.commit(group.batch)
                commits += 1
            } catch {
                return fail(error, inputs)
            }
            checkpoint(.committed)
        }
        machine = next
        for input in inputs { input.done(nil) }
        if mustWrite { checkpoint(.answered) }
        if !group.effects.isEmpty { await sink.perform(group.effects) }
        if mustWrite { checkpoint(.performed) }
    }

    /// An attempt that was given up has whatever of its log was stored, and nobody who could say how much that is.
    private func measureLost(_ batch: inout CommitBatch) async {
        for index in batch.attempts.indices {
            let row = batch.attempts[index]
            guard row.outcome == .lost, row.logState == .incomplete, row.logBytes == 0,
                let stored = await storedLog(row.id)
            else { continue }
            batch.attempts[index].logBytes = stored.bytes
            batch.attempts[index].logLines = stored.lines
        }
    }

    private func refuse(_ inputs: [Input], _ reason: String) {
        for input in inputs { input.done(.notWritable(reason)) }
    }

    /// The outcome of a failed commit is unknown: nothing of the group counts, memory is dropped and loaded again.
    private func fail(_ failure: CommitFailure, _ inputs: [Input]) {
        let reason: String
        switch failure {
        case .disk(let text): reason = text
        case .refused(let text): reason = "the database refused a transaction: \(text)"
        case .fsync(let text):
            logger.critical("an fsync failed; the process ends", metadata: ["error": "\(text)"])
            isDead = true
            reason = text
            fatal(text)
        }
        logger.error("halted: nothing can be made durable", metadata: ["error": "\(reason)"])
        haltReason = reason
        haltedFlag.store(true, ordering: .relaxed)
        machine = nil
        refuse(inputs, reason)
        refuse(inbox, reason)
        inbox = []
    }

    /// Tries to go on after a HALT: loads as at boot, and proves with a commit that the disk takes writes again.
    private func heal() async {
        do {
            var loaded = EngineMachine(try await store.load())
            loaded.publicURL = publicURL
            loaded.begin(now: time.wall())
            let group = loaded.takeGroup()
            try await store.commit(group.batch)
            guard machine == nil else { return }
            machine = loaded
        } catch {
            if let failure = error as? CommitFailure, case .fsync(let text) = failure {
                isDead = true
                fatal(text)
            }
            return
        }
        logger.notice("healed: transactions are durable again")
        haltReason = nil
        haltedFlag.store(false, ordering: .relaxed)
        lastTick = time.steady()
        await sink.resynchronise()
    }
}

/// Carries a decision's value out of the closure that made it.
private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}
