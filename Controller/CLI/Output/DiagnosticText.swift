package import ControllerCore

/// Findings about a definition, as compilers print them.
package enum DiagnosticText {
    /// One found on this machine.
    package static func line(_ diagnostic: ControllerCore.Diagnostic, file: String, style: Style) -> String {
        line(
            file: file, line: diagnostic.line, column: diagnostic.column, severity: diagnostic.severity.rawValue,
            message: diagnostic.message, path: diagnostic.path, hint: diagnostic.hint, style: style)
    }

    /// One that the controller found.
    package static func line(_ diagnostic: Diagnostic, file: String, style: Style) -> String {
        line(
            file: file, line: diagnostic.line ?? 0, column: diagnostic.column ?? 0,
            severity: diagnostic.severity ?? "error", message: diagnostic.message, path: diagnostic.path ?? "",
            hint: diagnostic.hint, style: style)
    }

    private static func line(
        file: String, line: Int, column: Int, severity: String, message: String, path: String, hint: String?,
        style: Style
    ) -> String {
        let painted = style.paint(severity, severity == "error" ? .red : .yellow)
        let place = path.isEmpty ? "" : " (at \(path))"
        let cure = hint.map { " \($0)" } ?? ""
        return "\(file):\(line):\(column): \(painted): "
            + SafeText.line(message + place + cure, colours: false)
    }
}
