import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore
import Glibc
import Synchronization

/// One attempt's log while the store has to do with it.
///
/// Everything that changes is behind one lock, held for one message's write and hash (about 0.1 ms for 64 KiB). Calls that change
/// the log come one at a time; reads may come from anywhere.
final class AttemptLog: Sendable {
    enum Phase: Sendable {
        /// Nobody has looked at the disk yet.
        case unknown
        case open
        /// There is no open segment any more: the log is packed, or kept as its segment was.
        case closed(total: UInt64)
    }

    struct State: Sendable {
        var phase = Phase.unknown
        var segment = OpenSegment()
        /// Tells one life of the segment from the next.
        var generation: UInt64 = 0
        /// Set once the log has ended.
        var ended: LogFacts?
        /// All bytes before are durable.
        var durable: UInt64 = 0
        /// The segment's name is durable.
        var nameDurable = false
        var syncing = false
        var queued = false
        var failed = false
        /// Used since the open files were last thinned out.
        var used = false
        var waiters: [(upTo: UInt64, CheckedContinuation<Void, any Error>)] = []

        var needsSync: Bool { segment.file != nil && (durable < segment.next || !nameDurable) }
    }

    let attempt: AttemptID
    let state = Mutex(State())
    let shared: LogStoreShared

    init(_ attempt: AttemptID, _ shared: LogStoreShared) {
        self.attempt = attempt
        self.shared = shared
    }

    /// Looks at the disk where nobody has: recovers the segment, or finds the closed log.
    func prepare(_ state: inout State) throws(LogStoreError) {
        guard case .unknown = state.phase else { return }
        let path = shared.directory.path(attempt, .segment)
        guard let file = LogFile(path: path, flags: O_RDWR) else {
            guard errno == ENOENT else { throw .io(operation: "open", attempt: attempt, errno: errno) }
            if let closed = try shared.closed.find(attempt) {
                state.phase = .closed(total: closed.total)
                state.ended = closed.summary
            } else {
                state.phase = .open
            }
            state.generation = shared.newGeneration()
            return
        }
        let blockBytes = shared.configuration.blockBytes
        state.segment = try OpenSegment.recover(attempt, file: file, blockBytes: blockBytes)
        // The bytes may be in the kernel only: no acknowledgement may rest on them before they are durable.
        try makeDurable(file)
        shared.opened(1)
        state.durable = state.segment.next
        state.nameDurable = true
        state.generation = shared.newGeneration()
        state.phase = .open
    }

    private func makeDurable(_ file: LogFile) throws(LogStoreError) {
        var failed = shared.configuration.sync(file.descriptor)
        if failed == 0 { failed = shared.directory.syncNames(attempt) }
        guard failed != 0 else { return }
        let error = LogStoreError.io(operation: "sync", attempt: attempt, errno: failed)
        shared.fail(error)
        throw error
    }

    /// The segment's file, made or opened again where it is not at hand; else the error number.
    func file(_ state: inout State) -> (file: LogFile?, errno: Int32) {
        state.used = true
        if let file = state.segment.file { return (file, 0) }
        let path = shared.directory.path(attempt, .segment)
        let isNew = state.segment.fileEnd == 0
        if isNew {
            let failed = shared.directory.prepare(attempt)
            if failed != 0 { return (nil, failed) }
        }
        guard let file = LogFile(path: path, flags: O_RDWR | (isNew ? O_CREAT | O_TRUNC : 0)) else {
            return (nil, errno)
        }
        state.segment.file = file
        shared.opened(1)
        return (file, 0)
    }

    /// Writes at the end of what is whole; on an error nothing has changed.
    private func write(_ bytes: [UInt8], _ state: inout State) -> Int32 {
        let (opened, problem) = file(&state)
        guard let file = opened else { return problem }
        if state.segment.fileEnd == 0 {
            let header = LogFileHeader(attempt: attempt.rawValue).encoded()
            let failed = file.write(header, at: 0)
            if failed != 0 { return failed }
            state.segment.fileEnd = UInt64(header.count)
        }
        let failed = file.write(bytes, at: state.segment.fileEnd)
        // What was written of it is cut off here or overwritten by the next try; recovery would cut it too.
        if failed != 0 { _ = file.truncate(to: state.segment.fileEnd) }
        return failed
    }

    /// See ``LogStore/append(_:)``.
    func append(_ message: [UInt8]) -> AppendOutcome {
        let follow = shared.broadcaster.hasFollowers(attempt)
        let (outcome, batch, toSync) = state.withLock { state in
            var batch: LogBatch?
            let outcome = append(message, &state, follow: follow, &batch)
            var toSync = false
            if case .accepted = outcome { toSync = Self.queue(&state) }
            return (outcome, batch, toSync)
        }
        if toSync { shared.syncs.submit(self) }
        if let batch { shared.broadcaster.tell(attempt, .lines(batch)) }
        return outcome
    }

    /// Whether the log must be put in line to be synced.
    private static func queue(_ state: inout State) -> Bool {
        guard !state.queued, !state.syncing else { return false }
        state.queued = true
        return true
    }

    private func append(
        _ message: [UInt8], _ state: inout State, follow: Bool, _ batch: inout LogBatch?
    ) -> AppendOutcome {
        if let refused = ready(&state) { return refused }
        let next = state.segment.next
        let records: FrameRecords
        do {
            records = try message.withUnsafeBytes { raw in
                Result { () throws(Refusal) in try FrameRecords(raw) }
            }.get()
        } catch {
            return .rejected(error.reason)
        }
        guard records.start <= next, records.end > next else { return .ignored(next: next) }
        guard records.end <= shared.configuration.logBytesMax else {
            return .rejected("the log would be longer than \(shared.configuration.logBytesMax) bytes")
        }
        if records.start < next {
            let rest = message.withUnsafeBytes { records.trimmed($0, from: next) }
            return append(rest, &state, follow: follow, &batch)
        }
        guard state.segment.fileEnd + UInt64(message.count) <= shared.configuration.segmentBytesMax else {
            return .rejected("the log's records are so small that their heads fill its file")
        }
        let failed = write(message, &state)
        guard failed == 0 else { return .storeFull(errno: failed) }
        batch = absorb(records, message, &state, follow: follow)
        return .accepted(next: state.segment.next)
    }

    /// Takes up what was written, and cuts out its lines where somebody follows.
    private func absorb(_ records: FrameRecords, _ message: [UInt8], _ state: inout State, follow: Bool) -> LogBatch? {
        var builder = follow ? BatchBuilder(count: state.segment.count, tail: state.segment.tail) : nil
        let base = state.segment.fileEnd
        message.withUnsafeBytes { raw in
            for item in records.items {
                state.segment.absorb(
                    item.record, FrameRecords.payload(item, in: raw), position: base + UInt64(item.position),
                    blockBytes: shared.configuration.blockBytes)
            }
        }
        guard builder != nil else { return nil }
        for item in records.items { builder?.add(item, message) }
        let unfinished = state.segment.tail.shouldShow() ? state.segment.tail : nil
        return builder?.batch(attempt, unfinished: unfinished)
    }

    /// The answer where nothing can be added; `nil` where the segment is open.
    private func ready(_ state: inout State) -> AppendOutcome? {
        do {
            try prepare(&state)
        } catch .io(_, _, let number) {
            return .storeFull(errno: number)
        } catch {
            return .rejected(error.description)
        }
        if state.failed || shared.hasFailed { return .storeFull(errno: EIO) }
        if let ended = state.ended { return .ignored(next: ended.total) }
        if case .closed(let total) = state.phase { return .ignored(next: total) }
        return nil
    }

    /// See ``LogStore/gap(_:offset:length:reason:)``.
    func gap(offset: UInt64, length: UInt64, reason: String) -> AppendOutcome {
        let follow = shared.broadcaster.hasFollowers(attempt)
        let (outcome, batch, toSync) = state.withLock { state -> (AppendOutcome, LogBatch?, Bool) in
            if let refused = ready(&state) { return (refused, nil, false) }
            let next = state.segment.next
            guard length > 0, offset <= shared.configuration.logBytesMax,
                length <= shared.configuration.logBytesMax - offset
            else { return (.rejected("a gap has no length or reaches behind the log's limit"), nil, false) }
            guard offset <= next, offset + length > next else { return (.ignored(next: next), nil, false) }
            guard state.segment.holes.count < shared.configuration.holesMax else {
                return (.rejected("the log has \(state.segment.holes.count) gaps already"), nil, false)
            }
            let hole = LogHole(
                kind: .missing, offset: next, length: offset + length - next, reason: Self.clean(reason))
            let bytes = SegmentEntry.encode(hole)
            let failed = write(bytes, &state)
            guard failed == 0 else { return (.storeFull(errno: failed), nil, false) }
            let before = state.segment
            state.segment.absorb(hole, position: state.segment.fileEnd, size: bytes.count)
            let batch = follow ? Self.batch(attempt, hole, before) : nil
            return (.accepted(next: state.segment.next), batch, Self.queue(&state))
        }
        if toSync { shared.syncs.submit(self) }
        if let batch { shared.broadcaster.tell(attempt, .lines(batch)) }
        return outcome
    }

    /// One line, in the limit.
    private static func clean(_ reason: String) -> String {
        var kept = ""
        for scalar in reason.unicodeScalars {
            let safe = scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar
            guard kept.utf8.count + UTF8.width(safe) <= ProtocolLimits.reasonBytesMax else { break }
            kept.unicodeScalars.append(safe)
        }
        return kept
    }

    /// The line that the hole ended, and the hole's marker.
    private static func batch(_ attempt: AttemptID, _ hole: LogHole, _ before: OpenSegment) -> LogBatch {
        var lines: [LogLine] = []
        let first = before.count.current
        if !before.count.atStart {
            lines.append(
                LogLine(
                    number: first, timeMs: before.tail.timeMs, text: before.tail.bytes[...],
                    isCut: before.tail.isCut))
        }
        let marker = LogLine(
            number: first + lines.count, timeMs: 0, text: Array(hole.marker.utf8)[...], kind: .missing)
        lines.append(marker)
        return LogBatch(attempt: attempt, firstLine: first, nextLine: marker.number + 1, lines: lines)
    }

    /// The log as it is now, to read from; `nil` where the closed file has it.
    func source() throws(LogStoreError) -> LogSource? {
        try state.withLock { (state) throws(LogStoreError) -> LogSource? in
            try prepare(&state)
            if case .closed = state.phase { return nil }
            let segment = state.segment
            let info = LogInfo(
                bytes: segment.next, lines: UInt64(segment.count.begun), complete: state.ended != nil,
                sha256: state.ended?.sha256, holes: segment.holes)
            var storage = LogSource.Storage.none
            if segment.fileEnd > 0 {
                let (opened, problem) = file(&state)
                guard let opened else { throw .io(operation: "open", attempt: attempt, errno: problem) }
                storage = .segment(opened, end: segment.fileEnd)
            }
            return LogSource(
                attempt: attempt, generation: state.generation, marks: segment.marks, count: segment.count, info: info,
                storage: storage)
        }
    }
}
