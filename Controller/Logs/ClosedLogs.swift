import AnsFlowProtocol
import ControllerCore
import Glibc
import Synchronization

/// A closed log, opened: packed, or kept as its segment was.
struct ClosedLog: Sendable {
    var file: LogFile
    var summary: LogFacts
    var marks: [BlockMark]
    var count: LineCount
    var storage: LogSource.Storage
    /// Length of the file of a log that was not packed.
    var keptBytes: UInt64?

    var total: UInt64 { summary.total }

    init(
        file: LogFile, summary: LogFacts, marks: [BlockMark], count: LineCount, storage: LogSource.Storage,
        keptBytes: UInt64? = nil
    ) {
        self.file = file
        self.summary = summary
        self.marks = marks
        self.count = count
        self.storage = storage
        self.keptBytes = keptBytes
    }

    init(file: LogFile, index: ClosedIndex) {
        let summary = LogFacts(
            total: index.total, sha256: index.sha256.hex, lines: index.count.begun, holes: index.holes)
        self.init(
            file: file, summary: summary, marks: index.marks, count: index.count,
            storage: .closed(file, index.extents))
    }

    func source(_ attempt: AttemptID, generation: UInt64) -> LogSource {
        LogSource(
            attempt: attempt, generation: generation, marks: marks, count: count, info: LogInfo(summary),
            storage: storage)
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
    private let blockBytes: Int
    private let state = Mutex(State())

    init(directory: LogDirectory, capacity: Int, blockBytes: Int) {
        self.directory = directory
        self.capacity = capacity
        self.blockBytes = blockBytes
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
        guard let log = try read(attempt) else { return nil }
        return state.withLock { state in
            state.generation -= 1
            let entry = Entry(attempt: attempt, log: log, generation: state.generation)
            state.entries.removeAll { $0.attempt == attempt }
            state.entries.append(entry)
            if state.entries.count > capacity { state.entries.removeFirst(state.entries.count - capacity) }
            return entry
        }
    }

    /// The packed form counts where both are there: packing was cut off behind its end.
    private func read(_ attempt: AttemptID) throws(LogStoreError) -> ClosedLog? {
        if let file = try open(attempt, .closed) {
            return ClosedLog(file: file, index: try ClosedIndex.read(attempt, file))
        }
        guard let file = try open(attempt, .kept) else { return nil }
        return try KeptLog.read(attempt, file, blockBytes: blockBytes)
    }

    private func open(_ attempt: AttemptID, _ form: LogDirectory.Form) throws(LogStoreError) -> LogFile? {
        if let file = LogFile(path: directory.path(attempt, form), flags: O_RDONLY) { return file }
        guard errno == ENOENT else { throw .io(operation: "open", attempt: attempt, errno: errno) }
        return nil
    }
}
