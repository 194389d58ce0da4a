/// How far one attempt's log has been shown. Pure: lines come in from pushes and pages in any overlap, and go out once, in order.
package struct LogCursor: Equatable, Sendable {
    package enum Taken: Equatable, Sendable {
        /// To be shown; may be empty.
        case lines([LogLineModel])
        /// Lines before these are missing: fetch from ``LogCursor/next`` on. None of them was taken.
        case gap
    }

    /// The line that is shown next, from 1.
    package private(set) var next: Int64
    /// Whether the last line was shown: nothing follows.
    package private(set) var isClosed = false
    /// The unfinished last line, as far as it is known.
    private var partial: LogLineModel?

    package init(next: Int64 = 1) {
        self.next = next
    }

    /// Takes what was pushed or fetched; lines that were shown already are skipped.
    package mutating func take(_ lines: [LogLineModel]) -> Taken {
        guard !isClosed else { return .lines([]) }
        let fresh = lines.drop { $0.n < next }
        guard let first = fresh.first else { return .lines([]) }
        guard first.n == next else { return .gap }
        var shown: [LogLineModel] = []
        for line in fresh {
            if line.partial == true {
                partial = line
                break
            }
            guard line.n == next else { break }
            shown.append(line)
            next += 1
            partial = nil
        }
        return .lines(shown)
    }

    /// The log has ended. Returns its last line where that has no line feed.
    package mutating func close() -> LogLineModel? {
        guard !isClosed else { return nil }
        isClosed = true
        guard let last = partial, last.n == next else { return nil }
        next += 1
        partial = nil
        return last
    }
}
