import CYaml

/// libyaml's events, one after the other. Only this file touches libyaml.
///
/// Not `Yams.compose`: it stops at the first duplicate key, knows no end marks, and can hang on an alias as a key.
final class YamlEvents {
    struct Event {
        enum Kind {
            case streamStart, streamEnd, documentStart, documentEnd
            case alias(String)
            case scalar(YamlNode.Scalar)
            case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        }

        var kind: Kind
        var span: SourceSpan
        var anchor: String?
        var tag: String?
    }

    struct SyntaxError: Error {
        var message: String
        var span: SourceSpan
        /// The line in which the broken construct began.
        var contextLine: Int
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let file: Int

    /// - Parameters:
    ///   - source: valid UTF-8.
    ///   - file: for ``SourceSpan/file``.
    init(_ source: [UInt8], file: Int) {
        self.file = file
        bytes = .allocate(capacity: max(source.count, 1))
        _ = bytes.initialize(from: source)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        precondition(yaml_parser_initialize(parser) == 1, "libyaml can't get memory")
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, source.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    /// The next event. Not to be called again after it threw or gave the stream's end.
    func next() throws(SyntaxError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
        defer { yaml_event_delete(&event) }
        let span = SourceSpan(
            line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1,
            endLine: Int(event.end_mark.line) + 1, endColumn: Int(event.end_mark.column) + 1,
            file: file)
        switch event.type {
        case YAML_STREAM_START_EVENT:
            return Event(kind: .streamStart, span: span)
        case YAML_DOCUMENT_START_EVENT:
            return Event(kind: .documentStart, span: span)
        case YAML_DOCUMENT_END_EVENT:
            return Event(kind: .documentEnd, span: span)
        case YAML_ALIAS_EVENT:
            return Event(kind: .alias(Self.text(event.data.alias.anchor) ?? ""), span: span)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return Event(
                kind: .scalar(YamlNode.Scalar(text: text, style: Self.style(scalar.style))), span: span,
                anchor: Self.text(scalar.anchor), tag: Self.text(scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return Event(
                kind: .sequenceStart, span: span, anchor: Self.text(start.anchor), tag: Self.text(start.tag))
        case YAML_SEQUENCE_END_EVENT:
            return Event(kind: .sequenceEnd, span: span)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return Event(kind: .mappingStart, span: span, anchor: Self.text(start.anchor), tag: Self.text(start.tag))
        case YAML_MAPPING_END_EVENT:
            return Event(kind: .mappingEnd, span: span)
        default:
            return Event(kind: .streamEnd, span: span)
        }
    }

    private func syntaxError() -> SyntaxError {
        let raw = parser.pointee
        var message = raw.problem.map { String(cString: $0) } ?? "it can't be read"
        if let context = raw.context { message += " \(String(cString: context))" }
        // The reader's errors (bytes that are no text) have an offset and no mark.
        let mark = raw.error == YAML_READER_ERROR ? raw.mark : raw.problem_mark
        let line = Int(mark.line) + 1
        let column = Int(mark.column) + 1
        let span = SourceSpan(line: line, column: column, endLine: line, endColumn: column, file: file)
        return SyntaxError(
            message: message, span: span, contextLine: raw.context == nil ? line : Int(raw.context_mark.line) + 1)
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private static func style(_ style: yaml_scalar_style_t) -> YamlNode.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }
}
