package import ControllerCore

/// A stretch of a file. Lines and columns count from 1, columns in Unicode scalars; the end is behind the last scalar.
///
/// Every node of a document has some of these, so they are kept small: a file has at most ``PlanLimits/sourceBytesMax`` bytes.
package struct SourceSpan: Equatable, Hashable, Sendable {
    private var start: Place
    private var end: Place
    private var fileNumber: UInt32

    private struct Place: Equatable, Hashable {
        var line: UInt32
        var column: UInt32
    }

    package init(line: Int, column: Int, endLine: Int, endColumn: Int, file: Int = 0) {
        start = Place(line: UInt32(clamping: line), column: UInt32(clamping: column))
        end = Place(line: UInt32(clamping: endLine), column: UInt32(clamping: endColumn))
        fileNumber = UInt32(clamping: file)
    }

    package var line: Int { Int(start.line) }
    package var column: Int { Int(start.column) }
    package var endLine: Int { Int(end.line) }
    package var endColumn: Int { Int(end.column) }
    /// Which of the files in ``Findings``: 0 for the pipeline's own, the others are included ones.
    package var file: Int { Int(fileNumber) }

    package static let start = SourceSpan(line: 1, column: 1, endLine: 1, endColumn: 1)

    /// Whether it comes before another; the pipeline's own file first.
    static func < (left: SourceSpan, right: SourceSpan) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// Findings about a pipeline's files, up to ``PlanLimits/diagnosticsMax``.
package struct Findings: Sendable {
    /// By ``SourceSpan/file``.
    package private(set) var files: [String]
    package private(set) var all: [Diagnostic] = []
    private var spans: [SourceSpan] = []
    private var known: Set<Key> = []

    private struct Key: Hashable {
        var code: DiagnosticCode
        var span: SourceSpan
        var message: String
    }

    package init(file: String) { files = [file] }

    /// Makes room for findings about one more file.
    mutating func add(file: String) -> Int {
        files.append(file)
        return files.count - 1
    }

    /// Whether further findings are dropped; whoever works hard to phrase one may stop.
    package var isFull: Bool { all.count > PlanLimits.diagnosticsMax }
    package private(set) var hasErrors = false

    /// The findings in the order of the files.
    package var sorted: [Diagnostic] {
        let order = all.indices.sorted {
            spans[$0] < spans[$1] || !(spans[$1] < spans[$0]) && $0 < $1
        }
        return order.map { all[$0] }
    }

    /// Adds a finding. One that was made before (through another alias of the same text) is not repeated.
    package mutating func report(
        _ code: DiagnosticCode, _ message: String, at span: SourceSpan, path: String = "", hint: String? = nil,
        severity: Diagnostic.Severity = .error
    ) {
        guard !isFull, known.insert(Key(code: code, span: span, message: message)).inserted else { return }
        spans.append(span)
        guard all.count < PlanLimits.diagnosticsMax else {
            hasErrors = true
            all.append(
                Diagnostic(
                    code: .moreErrors,
                    message: "There are more than \(PlanLimits.diagnosticsMax) findings; the rest is not shown.",
                    file: files[span.file], line: span.line, column: span.column, endLine: span.line,
                    endColumn: span.column))
            return
        }
        if severity == .error { hasErrors = true }
        all.append(
            Diagnostic(
                severity: severity, code: code, message: message, file: files[span.file], line: span.line,
                column: span.column,
                endLine: span.endLine, endColumn: span.endColumn, path: path, hint: hint))
    }

    /// The same with a path that is only written out when the finding is kept.
    mutating func report(
        _ code: DiagnosticCode, _ message: String, at span: SourceSpan, path: DocumentPath, hint: String? = nil,
        severity: Diagnostic.Severity = .error
    ) {
        guard !isFull else { return }
        report(code, message, at: span, path: path.text, hint: hint, severity: severity)
    }
}
