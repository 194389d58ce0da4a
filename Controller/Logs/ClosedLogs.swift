import AnsFlowProtocol
import Glibc
import Synchronization

/// A closed log, opened: its file and its index.
struct ClosedLog: Sendable {
    var file: LogFile
    var index: ClosedIndex

    var total: UInt64 { index.total }

    var summary: LogSummary {
        LogSummary(
            total: index.total, sha256: index.sha256.hex, lines: index.count.begun,
            holes: index.holes)
    }

    func source(_ attempt: AttemptID, generation: UInt64) -> LogSource {
        let info = LogInfo(
            total: index.total, lines: index.count.begun, complete: true, sha256: index.sha256.hex, holes: index.holes)
        return LogSource(
            attempt: attempt, generation: generation, marks: index.marks, count: index.count, info: info,
            storage: .closed(file, index.extents))
    }
}

/// The closed logs that were read last.
final class ClosedLogs: Sendable {
    private struct Entry: Sendable {
        var attempt: AttemptID
        var log: ClosedLog
        var generation: UInt64
    }

    private struct State: Sendable {
        /// Newest use last.
        var entries: [Entry] = []
        /// Counts downwards from the top, apart from the generations of segments.
        var generation = UInt64.max
    }

    private let directory: LogDirectory
    private let capacity: Int
    private let state = Mutex(State())

    init(directory: LogDirectory, capacity: Int) {
        self.directory = directory
        self.capacity = capacity
    }

    /// The closed log, or `nil` where there is none.
    func find(_ attempt: AttemptID) throws(LogStoreError) -> ClosedLog? {
        try entry(attempt)?.log
    }

    func source(_ attempt: AttemptID) throws(LogStoreError) -> LogSource? {
        try entry(attempt).map { $0.log.source(attempt, generation: $0.generation) }
    }

    /// Forgets what was read of it: the file is replaced or removed.
    func forget(_ attempt: AttemptID) {
        state.withLock { $0.entries.removeAll { $0.attempt == attempt } }
    }

    private func entry(_ attempt: AttemptID) throws(LogStoreError) -> Entry? {
        let kept = state.withLock { state -> Entry? in
            guard let found = state.entries.lastIndex(where: { $0.attempt == attempt }) else { return nil }
            let entry = state.entries.remove(at: found)
            state.entries.append(entry)
            return entry
        }
        if let kept { return kept }
        guard let file = LogFile(path: directory.path(attempt, .closed), flags: O_RDONLY) else {
            if errno == ENOENT { return nil }
            throw .io(operation: "open", attempt: attempt, errno: errno)
        }
        let log = ClosedLog(file: file, index: try ClosedIndex.read(attempt, file))
        return state.withLock { state in
            state.generation -= 1
            let entry = Entry(attempt: attempt, log: log, generation: state.generation)
            state.entries.removeAll { $0.attempt == attempt }
            state.entries.append(entry)
            if state.entries.count > capacity { state.entries.removeFirst(state.entries.count - capacity) }
            return entry
        }
    }
}
