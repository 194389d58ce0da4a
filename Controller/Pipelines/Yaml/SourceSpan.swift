package import ControllerCore

/// A stretch of a file. Lines and columns count from 1, columns in Unicode scalars; the end is behind the last scalar.
package struct SourceSpan: Equatable, Hashable, Sendable {
    package var line: Int
    package var column: Int
    package var endLine: Int
    package var endColumn: Int

    package static let start = SourceSpan(line: 1, column: 1, endLine: 1, endColumn: 1)
}

/// Findings about one file, up to ``PlanLimits/diagnosticsMax``.
package struct Findings: Sendable {
    package let file: String
    package private(set) var all: [Diagnostic] = []
    private var known: Set<Key> = []

    private struct Key: Hashable {
        var code: DiagnosticCode
        var span: SourceSpan
        var message: String
    }

    package init(file: String) { self.file = file }

    /// Whether further findings are dropped; whoever works hard to phrase one may stop.
    package var isFull: Bool { all.count > PlanLimits.diagnosticsMax }
    package var hasErrors: Bool { all.contains { $0.severity == .error } }

    /// The findings in the order of the file.
    package var sorted: [Diagnostic] {
        let order = all.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }
        return order.map(\.element)
    }

    /// Adds a finding. One that was made before (through another alias of the same text) is not repeated.
    package mutating func report(
        _ code: DiagnosticCode, _ message: String, at span: SourceSpan, path: String = "", hint: String? = nil,
        severity: Diagnostic.Severity = .error
    ) {
        guard !isFull, known.insert(Key(code: code, span: span, message: message)).inserted else { return }
        guard all.count < PlanLimits.diagnosticsMax else {
            all.append(
                Diagnostic(
                    code: .moreErrors,
                    message: "There are more than \(PlanLimits.diagnosticsMax) findings; the rest is not shown.",
                    file: file, line: span.line, column: span.column, endLine: span.line, endColumn: span.column))
            return
        }
        all.append(
            Diagnostic(
                severity: severity, code: code, message: message, file: file, line: span.line, column: span.column,
                endLine: span.endLine, endColumn: span.endColumn, path: path, hint: hint))
    }
}
