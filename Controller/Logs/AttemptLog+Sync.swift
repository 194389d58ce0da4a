import AnsFlowProtocol
import Glibc
import Synchronization

extension AttemptLog {
    /// Makes durable what is in the file, and says so; on a thread of the pool.
    ///
    /// - Returns: Whether more has come meanwhile, so that the log must be put in line again.
    func syncOnce(_ shared: LogStoreShared) -> Bool {
        let begun = state.withLock { state -> (file: LogFile, next: UInt64, name: Bool, generation: UInt64)? in
            state.queued = false
            guard !state.failed, !shared.hasFailed, state.needsSync, let file = state.segment.file else { return nil }
            state.syncing = true
            return (file, state.segment.next, !state.nameDurable, state.generation)
        }
        guard let begun else { return false }
        var failed = shared.configuration.sync(begun.file.descriptor)
        if failed == 0, begun.name { failed = shared.directory.syncNames(attempt) }
        if failed != 0 {
            failSync(.io(operation: "sync", attempt: attempt, errno: failed), shared)
            return false
        }
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
