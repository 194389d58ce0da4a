import ControllerCore

/// Builds the tree of a YAML document from events, within limits, and reports every fault that does not end the reading.
struct YamlReader {
    /// Reading can't go on; the reason is already reported.
    private struct Stop: Error {}

    private let events: YamlEvents
    private let source: [UInt8]
    private let file: Int
    private var findings: Findings
    private var anchors: [String: YamlNode] = [:]
    private var openAnchors: Set<String> = []
    private var nodeCount = 0
    /// Where the reading is; only made a path when something is wrong there.
    private var place: [DocumentPath.Part] = []
    private var hasAliases = false

    private init(_ source: [UInt8], file: Int, _ findings: Findings) {
        events = YamlEvents(source, file: file)
        self.source = source
        self.file = file
        self.findings = findings
    }

    /// The document's root; `nil` where there is none or the text is no YAML. The tree has no more than the limits allow even
    /// when faults were found, so it can be read further to find more.
    ///
    /// - Parameter file: for ``SourceSpan/file``.
    static func read(_ source: [UInt8], file: Int = 0, _ findings: inout Findings) -> YamlNode? {
        let start = SourceSpan(line: 1, column: 1, endLine: 1, endColumn: 1, file: file)
        guard source.count <= PlanLimits.sourceBytesMax else {
            findings.report(
                .fileTooLarge,
                "The file has \(source.count) bytes; at most \(PlanLimits.sourceBytesMax) are allowed.", at: start)
            return nil
        }
        guard !source.contains(0), String(validating: source, as: UTF8.self) != nil else {
            let line = firstBadLine(source)
            findings.report(
                .notUTF8, "The file is not UTF-8 text.",
                at: SourceSpan(line: line, column: 1, endLine: line, endColumn: 1, file: file),
                hint: "Save it as UTF-8.")
            return nil
        }
        var reader = YamlReader(source, file: file, findings)
        let root = reader.document()
        findings = reader.findings
        return root
    }

    private static func firstBadLine(_ source: [UInt8]) -> Int {
        var line = 1
        for part in source.split(separator: 10, omittingEmptySubsequences: false) {
            if part.contains(0) || String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }

    private mutating func document() -> YamlNode? {
        var root: YamlNode?
        do throws(Stop) {
            _ = try next()
            var event = try next()
            guard case .documentStart = event.kind else {
                findings.report(
                    .emptyFile, "The file is empty.",
                    at: SourceSpan(line: 1, column: 1, endLine: 1, endColumn: 1, file: file),
                    hint: "A pipeline has `steps` or `jobs`.")
                return nil
            }
            root = try node(try next(), depth: 0)
            _ = try next()
            event = try next()
            if case .documentStart = event.kind {
                findings.report(
                    .yamlDocuments, "A second document begins here; a file holds one pipeline.", at: event.span,
                    hint: "Remove `---` and what follows it, or put it into a file of its own.")
            }
        } catch {
            return nil
        }
        return root
    }

    private mutating func next() throws(Stop) -> YamlEvents.Event {
        do throws(YamlEvents.SyntaxError) {
            return try events.next()
        } catch {
            report(error)
            throw Stop()
        }
    }

    private mutating func node(
        _ event: YamlEvents.Event, depth: Int
    ) throws(Stop) -> YamlNode {
        try count(1, at: event.span)
        if let tag = event.tag, tag != "!" || !isScalar(event) { reportTag(tag, event.span) }
        let node: YamlNode
        switch event.kind {
        case .alias(let name):
            return try resolve(name, event.span, depth: depth)
        case .scalar(let scalar):
            // Only an escape makes one; the file itself holds none.
            if scalar.style == .doubleQuoted, scalar.text.utf8.contains(0) {
                findings.report(
                    .invalidValue, "The text holds a NUL character, which no value may.", at: event.span,
                    path: DocumentPath(place))
            }
            node = YamlNode(scalar: scalar, span: event.span)
        case .sequenceStart:
            try checkDepth(depth + 1, event.span)
            if let anchor = event.anchor { openAnchors.insert(anchor) }
            node = try sequence(event.span, depth: depth + 1)
        case .mappingStart:
            try checkDepth(depth + 1, event.span)
            if let anchor = event.anchor { openAnchors.insert(anchor) }
            node = try mapping(event.span, depth: depth + 1)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw Stop()
        }
        if let anchor = event.anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = node
        }
        return node
    }

    private func isScalar(_ event: YamlEvents.Event) -> Bool {
        if case .scalar = event.kind { return true }
        return false
    }

    private mutating func sequence(
        _ start: SourceSpan, depth: Int
    ) throws(Stop) -> YamlNode {
        var items: [YamlNode] = []
        var end = start
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind {
                return YamlNode(sequence: items, span: closed(start, event.span, last: end))
            }
            place.append(.index(items.count))
            let item = try node(event, depth: depth)
            place.removeLast()
            items.append(item)
            end = isAlias(event) ? event.span : item.span
        }
    }

    private mutating func mapping(
        _ start: SourceSpan, depth: Int
    ) throws(Stop) -> YamlNode {
        var builder = YamlMappingBuilder()
        var end = start
        while true {
            let event = try next()
            if case .mappingEnd = event.kind {
                return YamlNode(mapping: builder.finished(), span: closed(start, event.span, last: end))
            }
            try count(1, at: event.span)
            var key: YamlNode.Scalar?
            switch event.kind {
            case .scalar(let scalar):
                if let tag = event.tag, tag != "!" { reportTag(tag, event.span) }
                if let anchor = event.anchor { anchors[anchor] = YamlNode(scalar: scalar, span: event.span) }
                key = scalar
            case .alias:
                findings.report(
                    .keyNotText, "An alias can't be a key.", at: event.span, path: DocumentPath(place),
                    hint: "Write the key out."
                )
            default:
                findings.report(
                    .keyNotText, "A key must be a text, not a list or a map.", at: event.span,
                    path: DocumentPath(place),
                    hint: "A text that begins with `[` or `{` needs quotes.")
                _ = try node(event, depth: depth)
            }
            let valueEvent = try next()
            place.append(.key(key?.text ?? "?"))
            let value = try node(valueEvent, depth: depth)
            place.removeLast()
            end = isAlias(valueEvent) ? valueEvent.span : value.span
            if let key { builder.add(key, event.span, value, place, &findings) }
        }
    }

    private func isAlias(_ event: YamlEvents.Event) -> Bool {
        if case .alias = event.kind { return true }
        return false
    }

    /// A block collection's own end mark is the next token's; its last child's is nearer to the truth.
    private func closed(_ start: SourceSpan, _ close: SourceSpan, last: SourceSpan) -> SourceSpan {
        let isFlow = close.line != close.endLine || close.column != close.endColumn
        let end = isFlow ? close : last
        return SourceSpan(
            line: start.line, column: start.column, endLine: end.endLine, endColumn: end.endColumn,
            file: file)
    }

    private mutating func resolve(
        _ name: String, _ span: SourceSpan, depth: Int
    ) throws(Stop) -> YamlNode {
        hasAliases = true
        if openAnchors.contains(name) {
            findings.report(
                .aliasCycle, "The anchor `\(name)` contains itself.", at: span, path: DocumentPath(place),
                hint: "An alias can only stand for something that is complete before it.")
            throw Stop()
        }
        guard let node = anchors[name] else {
            findings.report(
                .aliasUnknown, "There is no anchor `&\(name)` before this alias.", at: span, path: DocumentPath(place),
                hint: Nearest.hint(name, among: anchors.keys.sorted()) ?? "A text that begins with `*` needs quotes.")
            throw Stop()
        }
        try checkDepth(depth + node.height, span)
        try count(node.weight, at: span)
        return node
    }

    private mutating func count(_ nodes: Int, at span: SourceSpan) throws(Stop) {
        nodeCount += nodes
        guard nodeCount > PlanLimits.yamlNodesMax else { return }
        findings.report(
            hasAliases ? .aliasExpansion : .yamlNodes,
            "The document has more than \(PlanLimits.yamlNodesMax) nodes"
                + (hasAliases ? " when its aliases are expanded." : "."), at: span, path: DocumentPath(place))
        throw Stop()
    }

    private mutating func checkDepth(_ depth: Int, _ span: SourceSpan) throws(Stop) {
        guard depth > PlanLimits.yamlDepthMax else { return }
        reportDepth(span)
        throw Stop()
    }

    private mutating func reportDepth(_ span: SourceSpan) {
        findings.report(
            .yamlDepth, "Lists and maps are nested more than \(PlanLimits.yamlDepthMax) deep.", at: span)
    }

    private mutating func reportTag(_ tag: String, _ span: SourceSpan) {
        findings.report(
            .yamlTag, "`\(tag.prefix(40))` is a YAML tag; tags are not used here.", at: span, path: DocumentPath(place),
            hint: "A text that begins with `!` needs quotes.")
    }

    private mutating func report(_ error: YamlEvents.SyntaxError) {
        let lines = source.split(separator: 10, maxSplits: error.span.line, omittingEmptySubsequences: false)
        let first = max(error.contextLine, error.span.line - 3)
        for number in stride(from: error.span.line, through: max(first, 1), by: -1) where number <= lines.count {
            let line = String(decoding: lines[number - 1], as: UTF8.self)
            if let range = UnquotedInterpolation.find(in: line) {
                let span = SourceSpan(
                    line: number, column: range.lowerBound + 1, endLine: number, endColumn: range.upperBound + 1,
                    file: file)
                findings.report(
                    .unquotedInterpolation, "YAML reads the brace of `${{` as the start of a map.", at: span,
                    hint: "Put the value into quotes: \"${{ … }}\".")
                return
            }
        }
        // libyaml reads ahead, and may meet its own limit before ours.
        if error.message.hasPrefix("Maximum nesting level") {
            reportDepth(error.span)
            return
        }
        findings.report(
            .yamlSyntax, "This is not valid YAML: \(error.message).", at: error.span, hint: hint(error, lines))
    }

    private func hint(_ error: YamlEvents.SyntaxError, _ lines: [ArraySlice<UInt8>]) -> String? {
        guard error.span.line <= lines.count else { return nil }
        let line = String(decoding: lines[error.span.line - 1], as: UTF8.self).unicodeScalars
        let character = line.dropFirst(error.span.column - 1).first
        if character == "\t" || line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            return "Indent with spaces; YAML does not allow tabs."
        }
        if let character, "%@`".unicodeScalars.contains(character) {
            return "A text that begins with `\(character)` needs quotes."
        }
        if error.message.hasPrefix("mapping values are not allowed") {
            return "A text that holds `: ` needs quotes; or check the indentation."
        }
        return "Check quotes, brackets and indentation here and above."
    }
}
