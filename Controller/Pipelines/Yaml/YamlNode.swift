/// A node of a YAML document with its place in the file. Aliases share the node of their anchor.
final class YamlNode: Sendable {
    enum Style: Sendable {
        case plain, singleQuoted, doubleQuoted, literal, folded
    }

    struct Scalar: Sendable {
        var text: String
        var style: Style
    }

    struct Entry: Sendable {
        var key: String
        var keySpan: SourceSpan
        var value: YamlNode
    }

    enum Content: Sendable {
        case scalar(Scalar)
        case sequence([YamlNode])
        /// In the order of the file; no key is there twice, merge keys are resolved.
        case mapping([Entry])
    }

    let content: Content
    let span: SourceSpan
    /// Nodes in the tree below, itself included, each alias counted with all that it stands for.
    let weight: Int
    /// Levels of collections below, itself included.
    let height: Int

    init(scalar: Scalar, span: SourceSpan) {
        content = .scalar(scalar)
        self.span = span
        weight = 1
        height = 0
    }

    init(sequence: [YamlNode], span: SourceSpan) {
        content = .sequence(sequence)
        self.span = span
        weight = sequence.reduce(1) { $0 + $1.weight }
        height = 1 + (sequence.lazy.map(\.height).max() ?? 0)
    }

    init(mapping: [Entry], span: SourceSpan) {
        content = .mapping(mapping)
        self.span = span
        weight = mapping.reduce(1) { $0 + 1 + $1.value.weight }
        height = 1 + (mapping.lazy.map(\.value.height).max() ?? 0)
    }

    /// What the node is, for messages: `the text "x"`, `a list`.
    var description: String {
        switch content {
        case .sequence: return "a list"
        case .mapping: return "a map"
        case .scalar(let scalar):
            if isNull { return "nothing" }
            let shown = scalar.text.prefix(40)
            return "`\(shown)\(shown.count < scalar.text.count ? "…" : "")`"
        }
    }

    /// The keys of a mapping.
    var keys: [String] {
        if case .mapping(let entries) = content { entries.map(\.key) } else { [] }
    }

    /// Whether the node is YAML's null: nothing, `~` or `null` without quotes.
    var isNull: Bool {
        guard case .scalar(let scalar) = content, scalar.style == .plain else { return false }
        return switch scalar.text.utf8.count {
        case 0: true
        case 1: scalar.text == "~"
        case 4: scalar.text == "null" || scalar.text == "Null" || scalar.text == "NULL"
        default: false
        }
    }

    /// Where in the file a part of the scalar's text stands. Exact for texts on one line without escapes; the line
    /// alone for a literal block; else the whole scalar.
    ///
    /// - Parameter range: offsets in Unicode scalars.
    func span(of range: Range<Int>) -> SourceSpan {
        guard case .scalar(let scalar) = content else { return span }
        if scalar.style == .literal {
            let before = scalar.text.unicodeScalars.prefix(range.lowerBound)
            let line = span.line + 1 + before.count { $0 == "\n" }
            return SourceSpan(line: line, column: 1, endLine: line, endColumn: 1, file: span.file)
        }
        let quotes = scalar.style == .singleQuoted || scalar.style == .doubleQuoted ? 1 : 0
        guard span.line == span.endLine, scalar.style != .folded,
            span.endColumn - span.column == scalar.text.unicodeScalars.count + 2 * quotes
        else { return span }
        let start = span.column + quotes
        return SourceSpan(
            line: span.line, column: start + range.lowerBound, endLine: span.line, endColumn: start + range.upperBound,
            file: span.file)
    }
}
