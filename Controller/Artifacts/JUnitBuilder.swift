import CExpat
import ControllerCore

/// Takes a report's elements as the parser finds them. Used by one parse.
final class JUnitBuilder {
    private struct Test {
        var result: TestResult
        /// Where its element stands.
        var depth: Int
        var text: [UInt8] = []
        /// Whether the parser is inside an element that explains the outcome.
        var isExplained = false
    }

    private let limits: JUnitReport.Limits
    private let parser: XML_Parser
    private var depth = 0
    /// Names of the suites that are open, with where they stand.
    private var suites: [(name: String, depth: Int)] = []
    private var test: Test?
    private var messageBytes = 0

    private(set) var results: [TestResult] = []
    private(set) var fault: String?
    /// Whether any element of a report was seen.
    private(set) var isReport = false

    init(_ limits: JUnitReport.Limits, parser: XML_Parser) {
        self.limits = limits
        self.parser = parser
    }

    /// Ends the parse; the first reason counts.
    func stop(_ reason: String) {
        if fault == nil { fault = reason }
        XML_StopParser(parser, 0)
    }

    func begin(_ name: UnsafePointer<CChar>, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?) {
        guard fault == nil else { return }
        depth += 1
        guard depth <= limits.depthMax else {
            return stop("Its elements are nested more than \(limits.depthMax) deep.")
        }
        let element = Self.local(name)
        switch element {
        case "testsuites": isReport = true
        case "testsuite":
            isReport = true
            suites.append((value("name", attributes) ?? "", depth))
        case "testcase" where test == nil: beginTest(attributes)
        case "failure": explain(.failed, attributes)
        case "error", "rerunError": explain(.error, attributes)
        case "skipped": explain(.skipped, attributes)
        default: break
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard test?.isExplained == true, let count = test?.text.count, count < limits.messageBytesMax else { return }
        test?.text.append(contentsOf: bytes.prefix(limits.messageBytesMax - count))
    }

    func end() {
        guard fault == nil else { return }
        if let test, test.depth == depth {
            finish(test)
        } else if test != nil {
            test?.isExplained = false
        }
        if suites.last?.depth == depth { suites.removeLast() }
        depth -= 1
    }

    private func beginTest(_ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?) {
        isReport = true
        guard results.count < limits.testsMax else {
            return stop("A job has at most \(limits.testsMax) test results; the rest was left out.")
        }
        let suite = suites.last { !$0.name.isEmpty }?.name ?? ""
        let result = TestResult(
            suite: suite, className: value("classname", attributes) ?? "", name: value("name", attributes) ?? "",
            outcome: .passed, durationMs: Self.milliseconds(value("time", attributes)))
        test = Test(result: result, depth: depth)
    }

    /// An error goes before a failure, a failure before a skip.
    private func explain(_ outcome: TestOutcome, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?) {
        guard var current = test, depth == current.depth + 1 else { return }
        let order: [TestOutcome] = [.passed, .skipped, .failed, .error]
        guard let old = order.firstIndex(of: current.result.outcome), let new = order.firstIndex(of: outcome),
            new > old
        else { return }
        current.result.outcome = outcome
        current.result.message = value("message", attributes, limit: limits.messageBytesMax)
        current.text = []
        current.isExplained = true
        test = current
    }

    private func finish(_ done: Test) {
        var result = done.result
        let text = Self.trimmed(done.text)
        var message = result.message ?? ""
        if text.hasPrefix(message) {
            message = text
        } else if !text.isEmpty {
            message += "\n" + text
        }
        message = Self.cut(message, limits.messageBytesMax)
        messageBytes += message.utf8.count
        result.message = message.isEmpty || messageBytes > limits.messagesBytesMax ? nil : message
        results.append(result)
        test = nil
    }

    // MARK: Texts

    private func value(
        _ wanted: String, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?, limit: Int? = nil
    ) -> String? {
        guard var pair = attributes else { return nil }
        while let name = pair[0], let text = pair[1] {
            if Self.local(name) == wanted { return Self.cut(String(cString: text), limit ?? limits.nameBytesMax) }
            pair += 2
        }
        return nil
    }

    /// A name without its namespace's prefix.
    private static func local(_ name: UnsafePointer<CChar>) -> String {
        let text = String(cString: name)
        guard let colon = text.lastIndex(of: ":") else { return text }
        return String(text[text.index(after: colon)...])
    }

    /// At most `limit` bytes, no character cut in two, nothing that is not to be shown.
    private static func cut(_ text: String, _ limit: Int) -> String {
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > limit { break }
            kept.append(scalar)
        }
        return String(kept)
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
        let head = bytes.drop(while: isBlank)
        guard let last = head.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: head[...last], as: UTF8.self)
    }

    /// Seconds with a fraction, as JUnit writes them; some tools put commas between thousands.
    private static func milliseconds(_ text: String?) -> Int64 {
        guard let text, let seconds = Double(text.filter { $0 != "," && $0 != " " }), seconds > 0, seconds < 1e9 else {
            return 0
        }
        return Int64((seconds * 1000).rounded())
    }
}
