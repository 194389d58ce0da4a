import CLogText
import ControllerCore
import Glibc

/// What is looked for in lines: a text, or a regular expression of the C library.
///
/// The library's matcher keeps every state that it met, so it is made anew after a while; and patterns whose repetitions would
/// multiply are refused.
final class LinePattern {
    static let lengthMax = 256
    private static let bytesPerMatcher = 256 * 1024
    private static let repetitionsMax = 1000
    private static let perLineMax = 1000

    private enum Kind {
        case text([UInt8], folds: Bool)
        case regex(source: String, flags: Int32)
    }

    private let kind: Kind
    private var matcher = regex_t()
    private var hasMatcher = false
    private var bytes = 0

    /// - Throws: ``LogSearchFailure/pattern(_:)``.
    init(_ query: LogQuery) throws(LogSearchFailure) {
        guard !query.text.isEmpty, query.text.utf8.count <= Self.lengthMax, !query.text.utf8.contains(0) else {
            throw .pattern("It must have 1 to \(Self.lengthMax) bytes.")
        }
        guard query.isRegex else {
            kind = .text(Array(query.text.utf8), folds: !query.matchesCase)
            return
        }
        let source = try Self.posix(query.text)
        kind = .regex(source: source, flags: REG_EXTENDED | (query.matchesCase ? 0 : REG_ICASE))
        try make()
    }

    deinit { if hasMatcher { regfree(&matcher) } }

    private func make() throws(LogSearchFailure) {
        guard case .regex(let source, let flags) = kind else { return }
        if hasMatcher { regfree(&matcher) }
        hasMatcher = false
        let code = regcomp(&matcher, source, flags)
        guard code == 0 else {
            let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
                _ = regerror(code, &matcher, buffer.baseAddress, buffer.count)
                return String(cString: buffer.baseAddress!)
            }
            throw .pattern("It is no regular expression: \(text).")
        }
        hasMatcher = true
        bytes = 0
    }

    /// Whether no line in these bytes can match.
    ///
    /// - Parameter bytes: Whole lines.
    func isNowhere(in bytes: UnsafeRawBufferPointer) -> Bool {
        guard case .text(let needle, let folds) = kind,
            ansflow_first_control(bytes.baseAddress, bytes.count) == bytes.count
        else { return false }
        return ansflow_find(bytes.baseAddress, bytes.count, needle, needle.count, folds ? 1 : 0) == bytes.count
    }

    /// Where it is in a line, as ranges of bytes: those that do not overlap, from the left.
    func ranges(in line: UnsafeRawBufferPointer) throws(LogSearchFailure) -> [Range<Int>] {
        guard let base = line.baseAddress, !line.isEmpty else { return [] }
        var found: [Range<Int>] = []
        switch kind {
        case .text(let needle, let folds):
            var at = 0
            while at < line.count, found.count < Self.perLineMax {
                let next = at + ansflow_find(base + at, line.count - at, needle, needle.count, folds ? 1 : 0)
                guard next < line.count else { break }
                found.append(next..<next + needle.count)
                at = next + needle.count
            }
        case .regex:
            bytes += line.count
            if bytes > Self.bytesPerMatcher { try make() }
            var at = 0
            while at <= line.count, found.count < Self.perLineMax {
                var match = regmatch_t(rm_so: regoff_t(at), rm_eo: regoff_t(line.count))
                let flags = Self.startEnd | (at > 0 ? REG_NOTBOL : 0)
                guard regexec(&matcher, base.assumingMemoryBound(to: CChar.self), 1, &match, flags) == 0 else { break }
                let range = Int(match.rm_so)..<Int(match.rm_eo)
                // An empty match marks nothing.
                if !range.isEmpty { found.append(range) }
                at = max(range.upperBound, at + (range.isEmpty ? 1 : 0), range.lowerBound + (range.isEmpty ? 1 : 0))
            }
        }
        return found
    }

    /// `REG_STARTEND`, which the importer does not see.
    private static let startEnd: Int32 = 1 << 2

    /// Turns what people write into what the C library understands, and refuses what it would not do, or only at any cost.
    static func posix(_ text: String) throws(LogSearchFailure) -> String {
        var result = ""
        var isBracket = false
        var product = 1
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == "\\" {
                guard let next = rest.popFirst() else { throw .pattern("It ends with a backslash.") }
                result += try escape(next, isBracket: isBracket)
                continue
            }
            if isBracket {
                if character == "]" { isBracket = false }
            } else if character == "[" {
                isBracket = true
                result.append(character)
                // `]` may come first.
                if rest.first == "^" { result.append(rest.removeFirst()) }
                if rest.first == "]" { result.append(rest.removeFirst()) }
                continue
            } else if character == "(", rest.first == "?" {
                throw .pattern("Groups of the kind `(?…)` are not understood.")
            } else if character == "{" {
                let most = rest.prefix { $0 != "}" }.split(separator: ",").compactMap { Int($0) }.max() ?? 1
                product = product.multipliedReportingOverflow(by: max(1, most)).partialValue
                guard most <= 255, product > 0, product <= repetitionsMax else {
                    throw .pattern("Its repetitions multiply to more than \(repetitionsMax).")
                }
            } else if "*+?".contains(character), rest.first == "?" {
                throw .pattern("Repetitions that take as little as they can (`\(character)?`) are not understood.")
            }
            result.append(character)
        }
        return result
    }

    private static func escape(_ next: Character, isBracket: Bool) throws(LogSearchFailure) -> String {
        switch next {
        case "d": return isBracket ? "0-9" : "[0-9]"
        case "D": if !isBracket { return "[^0-9]" }
        case "t": return "\t"
        case "0"..."9": throw .pattern("References back to groups are not understood.")
        case "w": if isBracket { return "A-Za-z0-9_" }
        case "s": if isBracket { return " \t" }
        default: break
        }
        // Inside brackets a backslash stands for itself: what was escaped is put alone.
        return isBracket ? String(next) : "\\\(next)"
    }
}
