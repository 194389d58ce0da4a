import AnsFlowProtocol
import Glibc
import Synchronization

extension LogInfo {
    init(_ summary: LogSummary) {
        self.init(
            total: summary.total, lines: summary.lines, complete: true, sha256: summary.sha256, holes: summary.holes)
    }
}

extension AttemptLog {
    /// Looks at the disk where nobody has; the offset at which the sender goes on.
    func open() throws(LogStoreError) -> UInt64 {
        try state.withLock { (state) throws(LogStoreError) -> UInt64 in
            try prepare(&state)
            if case .closed(let total) = state.phase { return total }
            return state.segment.next
        }
    }

    func summary() throws(LogStoreError) -> LogSummary {
        try state.withLock { (state) throws(LogStoreError) -> LogSummary in
            try prepare(&state)
            return state.ended ?? state.segment.summary
        }
    }

    /// - Returns: What is stored, and whether the log had not ended before.
    func markEnded() -> (LogSummary, Bool) {
        state.withLock { state in
            if let ended = state.ended { return (ended, false) }
            let summary = state.segment.summary
            state.ended = summary
            return (summary, true)
        }
    }

    /// Throws everything away. Readers who hold the old file keep it.
    func reset() throws(LogStoreError) {
        try removeFiles([.closed, .segment])
        state.withLock { state in
            clear(&state)
            state.phase = .open
        }
    }

    func remove() throws(LogStoreError) {
        try removeFiles([.closed, .unfinished, .segment])
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

    /// Writes the closed form; on the packing thread.
    func pack(_ shared: LogStoreShared) throws(LogStoreError) -> LogSummary {
        let summary = try summary()
        guard let source = try source() else { return summary }
        if let there = try? shared.closed.find(attempt), there.total == summary.total,
            there.index.sha256.hex == summary.sha256
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
        let failed = shared.directory.remove(attempt, .segment)
        if failed != 0 { throw .io(operation: "remove", attempt: attempt, errno: failed) }
        state.withLock { state in
            clear(&state)
            state.phase = .closed(total: closed.total)
            state.ended = closed.summary
        }
    }
}
