import CLogText

/// How bad a line of output says that things are. Output has no levels: this goes by the words that compilers, test programs and
/// loggers use, and leaves out what only mentions them (`0 errors`, `error_handler.swift`).
enum LineLevel {
    case error, warning

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
            || byte == 0x2d
    }

    /// - Parameter line: What is seen of it.
    init?(_ line: UnsafeRawBufferPointer) {
        var at = 0
        var isWarning = false
        while at < line.count {
            let found = at + ansflow_first_level_word(line.baseAddress! + at, line.count - at)
            guard found < line.count else { break }
            let end = line[found...].firstIndex { !Self.isWord($0) } ?? line.count
            switch Self.level(line, found, end) {
            case .error:
                self = .error
                return
            case .warning: isWarning = true
            case nil: break
            }
            at = max(end, found + 1)
        }
        guard isWarning else { return nil }
        self = .warning
    }

    private static func level(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> LineLevel? {
        let word = String(decoding: line[start..<min(end, start + 24)], as: UTF8.self)
        let next = end < line.count ? line[end] : 0
        let before = start > 0 ? line[start - 1] : 0x20
        // After a name: `error:`, `[error]`, `error(E12)`, `error[E0425]`.
        let isMarked = [UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "["), UInt8(ascii: "(")].contains(next)
        if isWord(before) {
            // `TypeError: …`, `ValueException: …`, but not `no-error`.
            return (word == "Error" || word == "Exception") && next == UInt8(ascii: ":") ? .error : nil
        }
        switch word {
        case "ERROR", "FATAL", "FAILED", "FAIL": return .error
        case "Traceback": return .error
        case "WARN", "WARNING": return .warning
        case "error", "Error":
            return isMarked && !isNone(line, start)
                && !(next == UInt8(ascii: "(") && before == 0x20 && start > 1 && isDigit(line[start - 2]))
                ? .error : nil
        case "fatal", "Fatal", "panic", "Exception", "exception": return isMarked ? .error : nil
        case "warning", "Warning", "warn", "Warn": return isMarked && !isNone(line, start) ? .warning : nil
        default: return nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Whether `0 ` or `no ` stands before.
    private static func isNone(_ line: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        if start >= 2, line[start - 1] == 0x20, line[start - 2] == UInt8(ascii: "0"),
            start < 3 || !isDigit(line[start - 3])
        {
            return true
        }
        return start >= 3 && line[(start - 3)..<start].elementsEqual("no ".utf8)
    }
}
