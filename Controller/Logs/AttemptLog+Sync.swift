import AnsFlowProtocol
import Glibc
import Synchronization

extension AttemptLog {
    /// What one sync of a log covers.
    private struct Begun {
        var log: AttemptLog
        var file: LogFile
        var next: UInt64
        var needsName: Bool
        var generation: UInt64
    }

    /// Makes durable what is in the files of some logs, and says so; on a thread of the pool. New names in one directory cost one
    /// sync together.
    ///
    /// - Returns: The logs to which more has come meanwhile, so that they must be put in line again.
    static func sync(_ logs: ArraySlice<AttemptLog>, _ shared: LogStoreShared) -> [AttemptLog] {
        var begun = logs.compactMap { $0.beginSync(shared) }
        begun.removeAll { !$0.log.syncFile($0, shared) }
        var again = begun.filter { !$0.needsName && $0.log.endSync($0, shared) }.map(\.log)
        let named = begun.filter(\.needsName)
        for (_, group) in Dictionary(grouping: named, by: { shared.directory.place(of: $0.log.attempt) }) {
            let failed = shared.directory.syncNames(group[0].log.attempt)
            for begun in group {
                if failed == 0 {
                    if begun.log.endSync(begun, shared) { again.append(begun.log) }
                } else {
                    begun.log.failSync(.io(operation: "sync", attempt: begun.log.attempt, errno: failed), shared)
                }
            }
        }
        return again
    }

    private func beginSync(_ shared: LogStoreShared) -> Begun? {
        state.withLock { state in
            state.queued = false
            guard !state.failed, !shared.hasFailed, state.needsSync, let file = state.segment.file else { return nil }
            state.syncing = true
            return Begun(
                log: self, file: file, next: state.segment.next, needsName: !state.nameDurable,
                generation: state.generation)
        }
    }

    private func syncFile(_ begun: Begun, _ shared: LogStoreShared) -> Bool {
        let failed = shared.configuration.sync(begun.file.descriptor)
        if failed != 0 { failSync(.io(operation: "sync", attempt: attempt, errno: failed), shared) }
        return failed == 0
    }

    /// - Returns: Whether more has come meanwhile.
    private func endSync(_ begun: Begun, _ shared: LogStoreShared) -> Bool {
        let (told, ready, again) = state.withLock {
            state -> (Bool, [CheckedContinuation<Void, any Error>], Bool) in
            state.syncing = false
            var told = false
            if state.generation == begun.generation {
                state.durable = begun.next
                state.nameDurable = true
                told = true
            }
            let durable = state.durable
            let ready = state.waiters.filter { $0.upTo <= durable }.map { $0.1 }
            state.waiters.removeAll { $0.upTo <= durable }
            let again = state.needsSync && !state.queued
            if again { state.queued = true }
            return (told, ready, again)
        }
        if told { shared.events.durable(attempt, begun.next) }
        for waiter in ready { waiter.resume() }
        return again
    }

    private func failSync(_ error: LogStoreError, _ shared: LogStoreShared) {
        // The kernel may have dropped the pages and may answer a second sync with success: this file is never synced again.
        abandon(error)
        shared.fail(error)
    }

    /// No bytes will become durable any more: tells all who wait.
    func abandon(_ error: LogStoreError) {
        let waiting = state.withLock { state in
            state.failed = true
            state.syncing = false
            state.queued = false
            let waiting = state.waiters
            state.waiters = []
            return waiting
        }
        for waiter in waiting { waiter.1.resume(throwing: error) }
    }

    /// Waits until all that is stored now is durable.
    ///
    /// - Throws: ``LogStoreError`` where a sync failed.
    func waitDurable(_ shared: LogStoreShared) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            enum Answer { case done, failed, wait, submit }
            let answer = state.withLock { state -> Answer in
                if state.failed || shared.hasFailed { return .failed }
                guard state.needsSync else { return .done }
                state.waiters.append((state.segment.next, continuation))
                guard !state.queued, !state.syncing else { return .wait }
                state.queued = true
                return .submit
            }
            switch answer {
            case .done: continuation.resume()
            case .failed: continuation.resume(throwing: LogStoreError.failed)
            case .wait: break
            case .submit: shared.syncs.submit(self)
            }
        }
    }

    /// Gives the descriptor up where nothing waits to be synced: a sync through a new descriptor could miss an error.
    ///
    /// - Returns: Whether one was given up. One that was used since the last question is spared once.
    func closeIfIdle(_ shared: LogStoreShared) -> Bool {
        state.withLock { state in
            guard state.segment.file != nil, !state.needsSync, !state.syncing, !state.queued else { return false }
            if state.used {
                state.used = false
                return false
            }
            state.segment.file = nil
            shared.opened(-1)
            return true
        }
    }
}
