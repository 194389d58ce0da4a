/// One finding about a pipeline file: what is wrong, where, and what to do. The command line, the API and the page show the same text.
package struct Diagnostic: Codable, Equatable, Hashable, Sendable {
    package enum Severity: String, Codable, Sendable, CaseIterable {
        /// Nothing can be compiled from the file.
        case error
        /// The file compiles; something in it is probably not meant.
        case warning
    }

    package var severity: Severity
    package var code: DiagnosticCode
    /// A full sentence.
    package var message: String
    /// The file's name as the caller gave it.
    package var file: String
    /// From 1. Columns count Unicode scalars, from 1; the end is behind the last one.
    package var line: Int
    package var column: Int
    package var endLine: Int
    package var endColumn: Int
    /// Where in the document, as `jobs.build.steps[2].timeout` with indexes from 0; empty for the whole file.
    package var path: String
    /// What to write instead, where that is known.
    package var hint: String?

    package init(
        severity: Severity = .error, code: DiagnosticCode, message: String, file: String = "", line: Int = 1,
        column: Int = 1, endLine: Int = 1, endColumn: Int = 1, path: String = "", hint: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.endLine = endLine
        self.endColumn = endColumn
        self.path = path
        self.hint = hint
    }

    enum CodingKeys: String, CodingKey {
        case severity, code, message, file, line, column, path, hint
        case endLine = "end_line"
        case endColumn = "end_column"
    }
}

extension Diagnostic: CustomStringConvertible {
    /// One line as compilers print it: `file:line:column: error: message [code] (at path) hint`.
    package var description: String {
        var text = "\(file.isEmpty ? "pipeline" : file):\(line):\(column): \(severity.rawValue): \(message)"
        if !path.isEmpty { text += " (at \(path))" }
        if let hint { text += " \(hint)" }
        return text
    }
}
