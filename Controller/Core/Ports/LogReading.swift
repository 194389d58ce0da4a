package import AnsFlowProtocol

/// What is known of one attempt's stored log, live or ended.
package struct LogInfo: Equatable, Sendable {
    /// Length of the output, holes included.
    package var bytes: UInt64
    /// Lines begun, an unfinished last one and one marker for each hole included.
    package var lines: UInt64
    /// Whether the log has ended: no byte will follow.
    package var complete: Bool
    /// Lower-case hex over the stored bytes only, once the log has ended; for a log with holes nothing to compare with.
    package var sha256: String?
    package var holes: [LogHole]

    package init(bytes: UInt64, lines: UInt64, complete: Bool, sha256: String? = nil, holes: [LogHole] = []) {
        self.bytes = bytes
        self.lines = lines
        self.complete = complete
        self.sha256 = sha256
        self.holes = holes
    }
}

/// Bytes that are not there. Offsets go on behind them.
package struct LogHole: Equatable, Sendable {
    package enum Kind: String, Equatable, Sendable {
        /// The agent could not supply them.
        case missing
        /// They were stored, and what is on the disk now does not match its checksum.
        case damaged
    }

    package var kind: Kind
    package var offset: UInt64
    package var length: UInt64
    /// A sentence or word for people, at most ``ProtocolLimits/reasonBytesMax`` bytes.
    package var reason: String

    package init(kind: Kind, offset: UInt64, length: UInt64, reason: String) {
        self.kind = kind
        self.offset = offset
        self.length = length
        self.reason = reason
    }

    /// What a view shows in the place of the bytes.
    package var marker: String { "[\(length) bytes \(kind.rawValue): \(reason)]" }
}

package struct LogLine: Equatable, Sendable {
    /// From 1.
    package var number: UInt64
    /// Milliseconds since the attempt began.
    package var timeMs: UInt64
    /// UTF-8, invalid bytes replaced, without its line feed; cut at 16 KiB.
    package var text: String
    /// The last line of a growing log, without its line feed yet: it is replaced by a longer one or by the whole one.
    package var partial: Bool
    /// Whether more of the line is stored than is in ``text``.
    package var cut: Bool

    package init(number: UInt64, timeMs: UInt64, text: String, partial: Bool, cut: Bool = false) {
        self.number = number
        self.timeMs = timeMs
        self.text = text
        self.partial = partial
        self.cut = cut
    }
}

package struct LogPage: Equatable, Sendable {
    package var firstLine: UInt64
    package var lines: [LogLine]
    package var info: LogInfo

    package init(firstLine: UInt64, lines: [LogLine], info: LogInfo) {
        self.firstLine = firstLine
        self.lines = lines
        self.info = info
    }
}

/// New lines of one attempt, made once and shared by all of its viewers.
package struct LogBatch: Sendable {
    package var attempt: AttemptID
    package var firstLine: UInt64
    /// The line that a follower asks for next: behind the last whole line.
    package var nextLine: UInt64
    /// The JSON array of `{"n","t_ms","text","partial"?}`, UTF-8.
    package var json: [UInt8]

    package init(attempt: AttemptID, firstLine: UInt64, nextLine: UInt64, json: [UInt8]) {
        self.attempt = attempt
        self.firstLine = firstLine
        self.nextLine = nextLine
        self.json = json
    }
}

package enum LogReadFailure: Error, Equatable, Sendable {
    case notFound
    /// Stored bytes do not match their checksum; the text says where.
    case damaged(String)
    /// The asked range lies behind the end.
    case outOfRange(total: UInt64)
}

/// Reading stored logs, live and finished alike. Line numbers count from 1.
package protocol LogReading: Sendable {
    func info(_ attempt: AttemptID) async throws -> LogInfo
    /// At most `count` lines from line `from`; an empty page where the log has not come so far.
    func lines(_ attempt: AttemptID, from: UInt64, count: Int) async throws -> LogPage
    /// The last `count` lines.
    func tail(_ attempt: AttemptID, count: Int) async throws -> LogPage
    /// Where a line's bytes stand, its line feed with them; nil where there is no such line.
    func place(_ attempt: AttemptID, line: UInt64) async throws -> Range<UInt64>?
    /// The stored bytes of `range`, in chunks of at most 256 KiB, checked before they are handed out.
    func bytes(_ attempt: AttemptID, range: Range<UInt64>, into chunk: @Sendable ([UInt8]) async throws -> Void)
        async throws
    /// Calls `handler` with every batch that is appended from here on, in order, on append. It must not block.
    func follow(_ attempt: AttemptID, handler: @escaping @Sendable (LogBatch) -> Void) async throws -> any LogFollowing
}

/// A running subscription; ends when it is cancelled.
package protocol LogFollowing: Sendable {
    func cancel()
}
