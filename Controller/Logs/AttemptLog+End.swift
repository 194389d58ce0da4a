import AnsFlowProtocol
import ControllerCore
import Glibc
import Synchronization

extension LogInfo {
    init(_ facts: LogFacts) {
        self.init(
            bytes: facts.total, lines: UInt64(facts.lines), complete: true, sha256: facts.sha256, holes: facts.holes)
    }
}

extension AttemptLog {
    /// Whether what is asked of the log needs no look at the disk.
    var isKnown: Bool {
        state.withLock { state in
            if case .unknown = state.phase { return false }
            return true
        }
    }

    /// Looks at the disk where nobody has; the offset at which the sender goes on.
    func open() throws(LogStoreError) -> UInt64 {
        try state.withLock { (state) throws(LogStoreError) -> UInt64 in
            try prepare(&state)
            if case .closed(let total) = state.phase { return total }
            return state.segment.next
        }
    }

    func summary() throws(LogStoreError) -> LogFacts {
        try state.withLock { (state) throws(LogStoreError) -> LogFacts in
            try prepare(&state)
            return state.ended ?? state.segment.summary
        }
    }

    /// - Returns: What is stored, and whether the log had not ended before.
    func markEnded() -> (LogFacts, Bool) {
        state.withLock { state in
            if let ended = state.ended { return (ended, false) }
            let summary = state.segment.summary
            state.ended = summary
            return (summary, true)
        }
    }

    /// Throws everything away. Readers who hold the old file keep it.
    func reset() throws(LogStoreError) {
        try removeFiles([.closed, .kept, .segment])
        state.withLock { state in
            clear(&state)
            state.phase = .open
        }
    }

    func remove() throws(LogStoreError) {
        try removeFiles([.closed, .kept, .unfinished, .segment])
        state.withLock { clear(&$0) }
        // A bucket that was never made needs no sync.
        let failed = shared.directory.syncNames(attempt)
        guard failed == 0 || failed == ENOENT else {
            throw .io(operation: "sync the directory of", attempt: attempt, errno: failed)
        }
    }

    private func removeFiles(_ forms: [LogDirectory.Form]) throws(LogStoreError) {
        defer { shared.closed.forget(attempt) }
        for form in forms {
            let failed = shared.directory.remove(attempt, form)
            if failed != 0 { throw .io(operation: "remove", attempt: attempt, errno: failed) }
        }
    }

    private func clear(_ state: inout State) {
        if state.segment.file != nil { shared.opened(-1) }
        state.segment = OpenSegment()
        state.generation = shared.newGeneration()
        state.phase = .unknown
        state.ended = nil
        state.durable = 0
        state.nameDurable = false
    }

    /// Closes a small log as it is; see ``KeptLog``. All of it is durable and it has ended.
    ///
    /// - Returns: Whether it is closed now. Not one that is larger, nor one that is empty and has no file.
    func keep() throws(LogStoreError) -> Bool {
        try state.withLock { (state) throws(LogStoreError) -> Bool in
            if case .closed = state.phase { return true }
            guard case .open = state.phase, let summary = state.ended, !state.needsSync, !state.syncing,
                state.segment.fileEnd > 0, state.segment.fileEnd <= shared.configuration.keptBytesMax
            else { return false }
            let (opened, problem) = file(&state)
            guard let opened else { throw .io(operation: "open", attempt: attempt, errno: problem) }
            var failed = opened.write(
                KeptLog.end(total: summary.total, sha256: summary.sha256), at: state.segment.fileEnd)
            if failed != 0 { throw .io(operation: "write", attempt: attempt, errno: failed) }
            failed = shared.directory.keep(attempt)
            if failed != 0 { throw .io(operation: "rename", attempt: attempt, errno: failed) }
            shared.closed.forget(attempt)
            clear(&state)
            state.phase = .closed(total: summary.total)
            state.ended = summary
            return true
        }
    }

    /// What is to be packed: an open segment, or a kept log that is to be kept no more.
    private func unpacked() throws(LogStoreError) -> LogSource? {
        if let open = try source() { return open }
        guard let kept = try shared.closed.find(attempt), let bytes = kept.keptBytes,
            bytes > shared.configuration.keptBytesMax
        else { return nil }
        return kept.source(attempt, generation: 0)
    }

    /// Writes the closed form; on the packing thread.
    func pack(_ shared: LogStoreShared) throws(LogStoreError) -> LogFacts {
        let summary = try summary()
        guard let source = try unpacked() else { return summary }
        if let there = try? shared.closed.find(attempt), there.keptBytes == nil, there.summary.total == summary.total,
            there.summary.sha256 == summary.sha256
        {
            return there.summary
        }
        var failed = shared.directory.prepare(attempt)
        guard failed == 0 else { throw .io(operation: "make the directory of", attempt: attempt, errno: failed) }
        let unfinished = shared.directory.path(attempt, .unfinished)
        guard let file = LogFile(path: unfinished, flags: O_RDWR | O_CREAT | O_TRUNC) else {
            throw .io(operation: "create", attempt: attempt, errno: errno)
        }
        let index: ClosedIndex
        do {
            index = try ClosedWriter.write(
                source, sha256: summary.sha256, to: file, level: shared.configuration.compressionLevel)
        } catch {
            _ = shared.directory.remove(attempt, .unfinished)
            throw error
        }
        failed = shared.configuration.sync(file.descriptor)
        if failed == 0 {
            failed = rename(unfinished, shared.directory.path(attempt, .closed)) == 0 ? 0 : errno
            guard failed == 0 else { throw .io(operation: "rename", attempt: attempt, errno: failed) }
            shared.closed.forget(attempt)
            failed = shared.directory.syncNames(attempt)
        }
        if failed != 0 {
            let error = LogStoreError.io(operation: "sync", attempt: attempt, errno: failed)
            shared.fail(error)
            throw error
        }
        return ClosedLog(file: file, index: index).summary
    }

    /// Removes the segment where a good closed form stands beside it.
    func drop() throws(LogStoreError) {
        guard let closed = try shared.closed.find(attempt) else { return }
        for form in [LogDirectory.Form.segment, .kept] where form == .segment || closed.keptBytes == nil {
            let failed = shared.directory.remove(attempt, form)
            if failed != 0 { throw .io(operation: "remove", attempt: attempt, errno: failed) }
        }
        state.withLock { state in
            clear(&state)
            state.phase = .closed(total: closed.total)
            state.ended = closed.summary
        }
    }
}
