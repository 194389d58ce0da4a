import ControllerCore

/// Limits of the views of a log. What is stored is never cut.
package enum LogViewLimits {
    /// Bytes of one line that a view shows.
    package static let lineBytesMax = 16 * 1024
    /// Bytes of one page where the caller does not say.
    package static let pageBytesDefault = 1024 * 1024
    /// Lines in a block of ``LogStore/block(_:_:)``.
    package static let blockLines = 512
}

/// One line of output for a view.
package struct LogLine: Equatable, Sendable {
    package enum Kind: String, Equatable, Sendable {
        case text
        /// A marker in the place of bytes that are not there; it is numbered like a line.
        case missing, damaged
    }

    /// Counts from 1.
    package var number: Int
    /// When the line's first byte was written: milliseconds since the attempt's child was started.
    package var timeMs: UInt64
    /// The line without its newline, of any encoding, at most ``LogViewLimits/lineBytesMax`` bytes.
    package var text: ArraySlice<UInt8>
    package var kind: Kind = .text
    /// The line has not ended yet: it comes again, longer.
    package var isPartial = false
    /// The line is longer than what is shown.
    package var isCut = false

    package init(
        number: Int, timeMs: UInt64, text: ArraySlice<UInt8>, kind: Kind = .text, isPartial: Bool = false,
        isCut: Bool = false
    ) {
        self.number = number
        self.timeMs = timeMs
        self.text = text
        self.kind = kind
        self.isPartial = isPartial
        self.isCut = isCut
    }
}

/// Consecutive lines of a log.
///
/// Where a stored block is damaged, one marker stands for all lines that began in it and the numbers go on behind them.
package struct LinePage: Equatable, Sendable {
    /// The line that was asked for.
    package var firstLine: Int
    package var lines: [LogLine]
    /// Where the next page begins: the number of an unfinished last line, else the one behind the last.
    package var nextLine: Int
    /// Lines of the whole log when the page was made.
    package var totalLines: Int
    /// Whether the log has ended.
    package var complete: Bool
}
