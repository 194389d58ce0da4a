package import AnsFlowProtocol

/// A part of a log that markers in the output name, such as `##[group]Build`, `--- Build` or GitLab's `section_start`.
package struct LogSection: Equatable, Sendable {
    /// The line of its marker, from 1.
    package var start: UInt64
    /// Its last line; nil while it may go on.
    package var end: UInt64?
    package var title: String
    /// 1 for the outermost.
    package var level: Int
    /// Whether the output asks for it to be shown open or closed; nil where it does not say.
    package var opens: Bool?
    /// Milliseconds since the attempt began.
    package var fromMs: UInt64
    package var toMs: UInt64?

    package init(
        start: UInt64, end: UInt64? = nil, title: String, level: Int, opens: Bool? = nil, fromMs: UInt64,
        toMs: UInt64? = nil
    ) {
        self.start = start
        self.end = end
        self.title = title
        self.level = level
        self.opens = opens
        self.fromMs = fromMs
        self.toMs = toMs
    }
}

/// What finds its way in a log of any length: sections, errors and warnings, and the colours in force where blocks begin.
package struct LogOverview: Equatable, Sendable {
    package var info: LogInfo
    /// Lines that were looked at. Behind them nothing is known yet: ask again.
    package var scanned: UInt64 = 0
    package var sections: [LogSection] = []
    /// The first of the lines that look like errors or warnings, and how many there are.
    package var errors: [UInt64] = []
    package var warnings: [UInt64] = []
    package var errorCount: UInt64 = 0
    package var warningCount: UInt64 = 0
    /// For blocks of 512 lines that do not begin plain: the block's number, from 0, and SGR parameters such as `1;31`.
    package var styles: [Style] = []

    package struct Style: Equatable, Sendable {
        package var block: Int
        package var sgr: String

        package init(block: Int, sgr: String) {
            self.block = block
            self.sgr = sgr
        }
    }

    package init(info: LogInfo) {
        self.info = info
    }
}

/// What is looked for. Columns and lengths count UTF-16 code units of what is seen, without escape sequences.
package struct LogQuery: Equatable, Sendable {
    package var text: String
    /// A POSIX extended regular expression, and `\d`; else the text itself.
    package var isRegex: Bool
    package var matchesCase: Bool
    package var fromLine: UInt64
    /// Most hits to give; all are counted.
    package var limit: Int

    package init(text: String, isRegex: Bool = false, matchesCase: Bool = false, fromLine: UInt64 = 1, limit: Int) {
        self.text = text
        self.isRegex = isRegex
        self.matchesCase = matchesCase
        self.fromLine = fromLine
        self.limit = limit
    }
}

package struct LogHit: Equatable, Sendable {
    package var line: UInt64
    package var column: Int
    package var length: Int

    package init(line: UInt64, column: Int, length: Int) {
        self.line = line
        self.column = column
        self.length = length
    }
}

package struct LogMatches: Equatable, Sendable {
    package var info: LogInfo
    package var hits: [LogHit] = []
    /// Matches in the lines that were looked at, those beyond the limit too.
    package var count: UInt64 = 0
    /// Lines that have any.
    package var lines: UInt64 = 0
    /// Where to go on; nil where the log's end was reached. Of a growing log the unfinished line is looked at again.
    package var nextLine: UInt64?

    package init(info: LogInfo) {
        self.info = info
    }
}

package enum LogSearchFailure: Error, Equatable, Sendable {
    /// A sentence that says what is wrong with the pattern.
    case pattern(String)
}

/// Finding things in stored logs, live and finished alike.
package protocol LogSearching: Sendable {
    /// What the log holds. A long one takes several calls: see ``LogOverview/scanned``.
    func overview(_ attempt: AttemptID) async throws -> LogOverview
    /// Looks for something. A long log takes several calls: see ``LogMatches/nextLine``.
    func search(_ attempt: AttemptID, _ query: LogQuery) async throws -> LogMatches
}
