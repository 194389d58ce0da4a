package import AnsFlowProtocol
import ControllerCore
package import Logging
import NIOPosix
import Synchronization

/// The output of all attempts: taken in, kept, read and followed. Log bytes pass through nothing else of the controller.
///
/// Life of a log: ``open(_:)`` → ``append(_:)`` … → ``finish(_:expected:)`` → (the attempt's end is committed) → ``seal(_:)``, which is
/// ``compress(_:)`` and ``dropSegment(_:)`` but for small logs. A crash between any two leaves it readable, and the same call can
/// be made again.
///
/// Calls that change one attempt's log come one at a time (from the task of its agent's connection); calls for different attempts,
/// and reads, come from anywhere. ``append(_:)`` writes on the caller's thread into the kernel's cache; everything else that
/// touches the disk runs on the store's own threads.
package final class LogStore: Sendable {
    let shared: LogStoreShared
    private let pool: NIOThreadPool
    /// One thread of its own, so that packing a long log delays no acknowledgement.
    private let packing = NIOThreadPool(numberOfThreads: 1)
    private let logs = Mutex<[AttemptID: AttemptLog]>([:])

    /// - Parameters:
    ///   - directory: Made where it is missing; nobody else may touch what is in it.
    ///   - events: What the owner is told.
    /// - Throws: ``LogStoreError/io(operation:attempt:errno:)``.
    package init(
        directory: String, configuration: LogStoreConfiguration = LogStoreConfiguration(),
        events: LogStoreEvents = LogStoreEvents(), logger: Logger
    ) throws {
        pool = NIOThreadPool(numberOfThreads: max(1, configuration.syncsAtOnce))
        let names = try LogDirectory(path: directory, sync: configuration.syncDirectory)
        shared = LogStoreShared(
            configuration: configuration, events: events, directory: names, pool: pool, logger: logger)
        shared.syncs.connect(shared)
        pool.start()
        packing.start()
    }

    /// Ends the store's threads. Call it last: what was not durable yet is not acknowledged, so it comes again.
    package func close() async {
        try? await packing.shutdownGracefully()
        try? await pool.shutdownGracefully()
        shared.syncs.connect(nil)
    }

    /// The log of an attempt that may change. Kept until it is dropped.
    func log(_ attempt: AttemptID) -> AttemptLog {
        logs.withLock { logs in
            if let log = logs[attempt] { return log }
            let log = AttemptLog(attempt, shared)
            logs[attempt] = log
            return log
        }
    }

    private func known(_ attempt: AttemptID) -> AttemptLog? { logs.withLock { $0[attempt] } }

    private func forget(_ attempt: AttemptID) { logs.withLock { _ = $0.removeValue(forKey: attempt) } }

    /// A closed log needs no entry: its index is kept elsewhere.
    private func forgetIfClosed(_ log: AttemptLog) {
        let closed = log.state.withLock { state in
            if case .closed = state.phase { return true }
            return false
        }
        if closed { forget(log.attempt) }
    }

    /// On the caller's thread where the log was looked at before: then its length and hash are at hand.
    private func ask<Value: Sendable>(
        _ log: AttemptLog, _ question: @escaping @Sendable (AttemptLog) throws -> Value
    ) async throws -> Value {
        if log.isKnown { return try question(log) }
        return try await onPool { try question(log) }
    }

    func onPool<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(work)
    }

    /// A log to read from, as it is now; on a thread of the pool. An attempt that nobody heard of has an empty one.
    func source(_ attempt: AttemptID) throws(LogStoreError) -> LogSource {
        if known(attempt) != nil || shared.directory.exists(attempt, .segment) {
            let source = try log(attempt).source()
            thinOut()
            if let source { return source }
        }
        if let closed = try shared.closed.source(attempt) { return closed }
        let info = LogInfo(bytes: 0, lines: 0, complete: false)
        return LogSource(
            attempt: attempt, generation: 0, marks: [], count: LineCount(), info: info, storage: .none)
    }

    /// Gives up descriptors of segments that were not used lately where too many are open.
    private func thinOut() {
        let most = shared.configuration.openFilesMax
        guard shared.openFileCount > most else { return }
        let logs = logs.withLock { Array($0.values) }
        var excess = shared.openFileCount - most + most / 8
        for _ in 0..<2 {
            for log in logs where excess > 0 {
                if log.closeIfIdle(shared) { excess -= 1 }
            }
        }
    }
}

extension LogStore: LogRemoving {
    package func removeLog(_ attempt: AttemptID) async throws { try await remove(attempt) }
}

// MARK: Taking in

extension LogStore {
    /// Looks at what is on the disk: a segment is cut at its first bad record, and what remains is made durable.
    ///
    /// - Returns: The offset at which the sender goes on; 0 for an attempt that was never seen.
    /// - Throws: ``LogStoreError`` where the disk fails or the file is another attempt's.
    /// - Complexity: O(segment) the first time, O(1) from then on.
    package func open(_ attempt: AttemptID) async throws -> UInt64 {
        let log = log(attempt)
        let next = try await ask(log) { try $0.open() }
        forgetIfClosed(log)
        thinOut()
        return next
    }

    /// Stores a LOG message. The caller has checked that the attempt is the sender's. Viewers see its lines at once; it is durable when ``LogStoreEvents/durable`` says so.
    ///
    /// Call ``open(_:)`` before an attempt's first message after a start of the controller; otherwise the segment is scanned here,
    /// on the caller's thread. A message that begins before `next` and ends behind it is stored without its known part; what is
    /// stored already is not compared, since the hash is compared at the end.
    package func append(_ frame: LogFrame) -> AppendOutcome {
        let log = log(frame.attempt)
        let outcome = log.append(frame.records)
        switch outcome {
        case .accepted: thinOut()
        case .ignored: forgetIfClosed(log)
        case .rejected, .storeFull: break
        }
        return outcome
    }

    /// Stores that bytes are missing: a marker stands in their place, and offsets go on behind them.
    package func gap(_ attempt: AttemptID, offset: UInt64, length: UInt64, reason: String) -> AppendOutcome {
        log(attempt).gap(offset: offset, length: length, reason: reason)
    }

    /// The offset behind the last stored byte, of a log that is open; `nil` where ``open(_:)`` was not called.
    package func next(_ attempt: AttemptID) -> UInt64? {
        known(attempt)?.state.withLock { state in
            if case .open = state.phase { return state.segment.next }
            return nil
        }
    }

    /// How long the file of a growing log is as far as it is whole; `nil` where it was not looked at since the start.
    func segmentEnd(_ attempt: AttemptID) -> UInt64? {
        known(attempt)?.state.withLock { state in
            if case .open = state.phase { return state.segment.fileEnd }
            return nil
        }
    }

    /// Waits until all that was appended is durable.
    package func sync(_ attempt: AttemptID) async throws {
        try await known(attempt)?.waitDurable(shared)
    }
}

// MARK: Ending

extension LogStore {
    /// Compares what is stored with what the agent says it sent. Where they agree, waits until all is durable and tells viewers
    /// that the log has ended.
    ///
    /// - Throws: ``LogStoreError`` where the disk fails.
    package func finish(_ attempt: AttemptID, expected: LogEnd) async throws -> LogFinish {
        let log = log(attempt)
        let found = try await ask(log) { try $0.summary() }
        defer { forgetIfClosed(log) }
        if found.total < expected.total { return .waiting(next: found.total) }
        let comparable = found.holes.isEmpty && expected.sha256 != nil
        guard found.total == expected.total, !comparable || found.sha256 == expected.sha256 else {
            return .mismatch(found)
        }
        return .complete(try await end(attempt))
    }

    /// Ends a log as it is, whatever the agent sent or did not send: for an attempt that is lost, or whose log stays damaged.
    package func end(_ attempt: AttemptID) async throws -> LogFacts {
        let log = log(attempt)
        _ = try await ask(log) { try $0.open() }
        try await log.waitDurable(shared)
        let (summary, isNew) = log.markEnded()
        forgetIfClosed(log)
        if isNew { shared.broadcaster.tell(attempt, .ended(LogInfo(summary))) }
        return summary
    }

    /// Throws away what is stored, for one resend from 0.
    package func reset(_ attempt: AttemptID) async throws {
        let log = log(attempt)
        try await onPool { try log.reset() }
        shared.broadcaster.tell(attempt, .restarted)
    }

    /// Closes a log whose attempt's end is committed: packs it, or keeps it as it is where it is small. Where that fails, such as on a
    /// full disk, it is tried again a few times; the log is whole and readable meanwhile.
    ///
    /// - Parameter retrying: Whether it is tried again, over ``LogStoreConfiguration/sealRetries``.
    /// - Throws: what the last try threw; then it is up to ``attemptsWithSegment()`` after the next start.
    package func seal(_ attempt: AttemptID, retrying: Bool = true) async throws {
        var pauses = retrying ? shared.configuration.sealRetries[...] : []
        while true {
            do {
                return try await sealOnce(attempt)
            } catch {
                guard !shared.hasFailed, let pause = pauses.popFirst() else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }

    private func sealOnce(_ attempt: AttemptID) async throws {
        _ = try await end(attempt)
        let log = log(attempt)
        defer { forgetIfClosed(log) }
        if try await onPool({ try log.keep() }) { return }
        _ = try await compress(attempt)
        try await dropSegment(attempt)
    }

    /// Writes the closed form beside the segment and makes it durable. The segment stays until ``dropSegment(_:)``.
    ///
    /// Ends the log if nobody did. Can be called again at any time: after a crash, after a full disk.
    ///
    /// - Returns: What is stored. Holes of kind ``LogHole/Kind/damaged`` are blocks that no longer matched their checksum.
    package func compress(_ attempt: AttemptID) async throws -> LogFacts {
        _ = try await end(attempt)
        let shared = shared
        let log = log(attempt)
        defer { forgetIfClosed(log) }
        return try await packing.runIfActive { try log.pack(shared) }
    }

    /// Removes the segment of a log that was packed, once the attempt's end is committed. Does nothing without a closed form.
    package func dropSegment(_ attempt: AttemptID) async throws {
        let log = log(attempt)
        try await onPool { try log.drop() }
        forgetIfClosed(log)
    }

    /// Removes all of a log, for retention or a deleted run. Behind a packing that goes on, so that it leaves no file behind.
    package func remove(_ attempt: AttemptID) async throws {
        let log = log(attempt)
        try await packing.runIfActive { try log.remove() }
        forget(attempt)
    }

    /// Attempts that still have a segment: after a start, those among them that have ended wait for ``compress(_:)`` and
    /// ``dropSegment(_:)``. Removes what a crash left of an unfinished packing.
    package func attemptsWithSegment() async throws -> [AttemptID] {
        let directory = shared.directory
        return try await onPool {
            for attempt in directory.attempts(with: .unfinished) { _ = directory.remove(attempt, .unfinished) }
            return directory.attempts(with: .segment)
        }
    }
}
