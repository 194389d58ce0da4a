package import AnsFlowProtocol
package import ControllerCore
import NIOPosix
import Synchronization

/// Surveys of the logs that were looked at last. Bounded by count.
final class SurveyCache: Sendable {
    final class Entry: Sendable {
        let attempt: AttemptID
        let generation: UInt64
        /// Held while a slice is scanned: who comes second goes on from there.
        let survey = Mutex(LogSurvey())

        init(_ attempt: AttemptID, _ generation: UInt64) {
            self.attempt = attempt
            self.generation = generation
        }
    }

    static let capacity = 32
    /// Newest use last.
    private let entries = Mutex<[Entry]>([])

    func entry(_ source: LogSource) -> Entry {
        entries.withLock { entries in
            if let index = entries.lastIndex(where: { $0.attempt == source.attempt }) {
                let entry = entries.remove(at: index)
                if entry.generation == source.generation {
                    entries.append(entry)
                    return entry
                }
            }
            let entry = Entry(source.attempt, source.generation)
            entries.append(entry)
            if entries.count > Self.capacity { entries.removeFirst() }
            return entry
        }
    }
}

extension LogStore {
    /// Bytes that one call goes through at most, so that it holds a thread of the store for a moment only.
    static var scanBytesMax: Int { 48 * 1024 * 1024 }

    /// Sections, levels and colours of a log; see ``LogOverview``.
    package func overview(_ attempt: AttemptID) async throws -> LogOverview {
        try await onPool { [self] in
            let source = try source(attempt)
            let entry = shared.surveys.entry(source)
            return try entry.survey.withLock { survey in
                try survey.scan(source, shared.cache, bytesMax: Self.scanBytesMax)
                return survey.overview(source.info)
            }
        }
    }

    /// Looks for something in a log; see ``LogMatches``.
    ///
    /// - Throws: ``LogSearchFailure``, ``LogStoreError``.
    package func search(_ attempt: AttemptID, _ query: LogQuery) async throws -> LogMatches {
        try await onPool { [self] in
            let pattern = try LinePattern(query)
            let source = try source(attempt)
            var matches = LogMatches(info: source.info)
            var walk = LineWalk(source: source, cache: shared.cache)
            // A regular expression costs some ten times as much as a text.
            walk.bytesMax = query.isRegex ? Self.scanBytesMax / 8 : Self.scanBytesMax
            walk.skips = { pattern.isNowhere(in: $0) }
            var failure: LogSearchFailure?
            let next = try walk.run(from: Int(clamping: max(1, query.fromLine))) {
                (line) throws(LogStoreError) -> Bool in
                do throws(LogSearchFailure) {
                    try matches.take(line, pattern, limit: query.limit)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
            if let failure { throw failure }
            matches.nextLine = next.map { UInt64($0) }
            return matches
        }
    }
}

extension LogMatches {
    fileprivate mutating func take(
        _ line: LineWalk.Line, _ pattern: LinePattern, limit: Int
    ) throws(LogSearchFailure) {
        if VisibleText.isPlain(line.bytes) {
            add(try pattern.ranges(in: line.bytes), line.bytes, line.number, limit)
            return
        }
        let text = VisibleText.of(line.bytes)
        let result = text.withUnsafeBytes { bytes -> Result<[Range<Int>], LogSearchFailure> in
            do throws(LogSearchFailure) {
                return .success(try pattern.ranges(in: bytes))
            } catch {
                return .failure(error)
            }
        }
        let ranges = try result.get()
        text.withUnsafeBytes { add(ranges, $0, line.number, limit) }
    }

    private mutating func add(_ ranges: [Range<Int>], _ bytes: UnsafeRawBufferPointer, _ number: Int, _ limit: Int) {
        guard !ranges.isEmpty else { return }
        count += UInt64(ranges.count)
        lines += 1
        for range in ranges where hits.count < limit {
            let before = String(decoding: bytes[..<range.lowerBound], as: UTF8.self).utf16.count
            let length = String(decoding: bytes[range], as: UTF8.self).utf16.count
            hits.append(LogHit(line: UInt64(number), column: before, length: length))
        }
    }
}
