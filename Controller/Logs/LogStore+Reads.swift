package import AnsFlowProtocol
package import ControllerCore
import NIOPosix

// Live and closed logs are read alike. Every byte that is given matched its checksum; what does not is a marked hole.
extension LogStore {
    /// An attempt that nobody heard of has an empty log that is not complete.
    package func info(_ attempt: AttemptID) async throws -> LogInfo {
        try await onPool { [self] in try source(attempt).info }
    }

    /// Lines from number `first` on (they count from 1).
    ///
    /// - Parameters:
    ///   - count: Most lines.
    ///   - maxBytes: The page ends behind the line that reaches this.
    /// - Complexity: O(page) and at most one block more, wherever in the log it is.
    package func lines(
        _ attempt: AttemptID, from first: Int, count: Int, maxBytes: Int = LogViewLimits.pageBytesDefault
    ) async throws -> LinePage {
        try await onPool { [self] in
            try LinePager.page(
                source(attempt), cache: shared.cache, from: first, count: count, maxBytes: maxBytes)
        }
    }

    /// Where a line's bytes stand, its line feed with them; nil where there is no such line, or a hole stands there.
    package func place(_ attempt: AttemptID, line: Int) async throws -> Range<UInt64>? {
        try await onPool { [self] in try LinePlace.range(source(attempt), cache: shared.cache, line: line) }
    }

    /// The last `count` lines, as many of them as `maxBytes` allows from the first of them on.
    package func tail(
        _ attempt: AttemptID, _ count: Int, maxBytes: Int = LogViewLimits.pageBytesDefault
    ) async throws -> LinePage {
        try await onPool { [self] in
            let source = try self.source(attempt)
            let first = max(1, source.count.begun - max(0, count) + 1)
            return try LinePager.page(source, cache: shared.cache, from: first, count: count, maxBytes: maxBytes)
        }
    }

    /// Lines `k · 512 + 1` to `k · 512 + 512`.
    ///
    /// - Returns: The lines, and whether they can never change: the block is full and its last line has ended.
    package func block(_ attempt: AttemptID, _ k: Int) async throws -> (page: LinePage, isFinal: Bool) {
        let size = LogViewLimits.blockLines
        guard k >= 0, k < Int.max / size - 1 else {
            return (LinePage(firstLine: 1, lines: [], nextLine: 1, totalLines: 0, complete: false), false)
        }
        let page = try await lines(attempt, from: k * size + 1, count: size, maxBytes: .max)
        return (page, page.complete || page.nextLine == (k + 1) * size + 1)
    }

    /// The stored bytes of a range of offsets, clamped to the log; of all of it without one.
    package func bytes(_ attempt: AttemptID, _ range: Range<UInt64>? = nil) async throws -> LogByteStream {
        let source = try await onPool { [self] in try self.source(attempt) }
        let clamped = (range ?? 0..<source.total).clamped(to: 0..<source.total)
        return LogByteStream(source: source, cache: shared.cache, pool: shared.pool, range: clamped)
    }
}

// MARK: Following

extension LogStore {
    /// Has `handler` called with what is added from now on, on the thread that adds it and before it is durable.
    ///
    /// One subscription can serve many viewers: ``LogBatch/json`` is encoded once. The handler must not block nor call back into
    /// changes of this log. To miss nothing, subscribe first, then read what is stored, then drop what comes twice by line number.
    package func subscribe(
        _ attempt: AttemptID, _ handler: @escaping @Sendable (LogEvent) -> Void
    ) -> LogSubscription {
        LogSubscription(shared.broadcaster, attempt, handler)
    }

    /// Follows a log from a line on: first what is stored, then what comes, until it ends.
    ///
    /// - Parameter queueBytesMax: What may wait for this viewer. One who is slower is told so and reads on from the store.
    package func follow(
        _ attempt: AttemptID, fromLine: Int = 1, queueBytesMax: Int = 256 * 1024
    ) -> LogFollower {
        LogFollower(self, attempt, fromLine: fromLine, queueBytesMax: queueBytesMax)
    }
}
