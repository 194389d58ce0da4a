import ControllerCore

/// A value that was read and fits its type, with its place in the file. A class, because values are passed about much.
final class SchemaValue: Sendable {
    enum Content: Sendable {
        /// A text without `${{ }}`, as nearly all are.
        case literal(String)
        case template([TemplateSyntax.Part])
        case integer(Int)
        case boolean(Bool)
        /// Milliseconds or bytes.
        case amount(UInt64)
        case expression(ExpressionSyntax)
        case list([SchemaValue])
        case map([Entry])
        case object(SchemaFields)
    }

    struct Entry: Sendable {
        var key: String
        var keySpan: SourceSpan
        var value: SchemaValue
    }

    let content: Content
    let node: YamlNode
    let path: DocumentPath

    init(content: Content, node: YamlNode, path: DocumentPath) {
        self.content = content
        self.node = node
        self.path = path
    }

    var span: SourceSpan { node.span }

    // What the types of the table promise; a value of another kind can't come from the reader.
    /// Of a text.
    var parts: [TemplateSyntax.Part]? {
        switch content {
        case .literal(let text): [.text(text)]
        case .template(let parts): parts
        default: nil
        }
    }
    var boolean: Bool? { if case .boolean(let flag) = content { flag } else { nil } }
    var integer: Int? { if case .integer(let number) = content { number } else { nil } }
    var amount: UInt64? { if case .amount(let amount) = content { amount } else { nil } }
    var expression: ExpressionSyntax? { if case .expression(let syntax) = content { syntax } else { nil } }
    var items: [SchemaValue] { if case .list(let items) = content { items } else { [] } }
    var entries: [Entry] { if case .map(let entries) = content { entries } else { [] } }
    var fields: SchemaFields? { if case .object(let fields) = content { fields } else { nil } }

    /// Whether it is a list, with or without something in it.
    var isList: Bool { if case .list = content { true } else { false } }

    /// The text of a value that takes no `${{ }}`.
    var literal: String? { if case .literal(let text) = content { text } else { nil } }
}

/// The values of a map with known words, by the word's own name.
struct SchemaFields: Sendable {
    struct Field: Sendable {
        var word: String
        var keySpan: SourceSpan
        /// `nil` where it was wrong.
        var value: SchemaValue?
    }

    /// Words that are there, also those whose values were wrong, each once. They are few: looking through them is faster than hashing.
    var present: [Field] = []
    /// Entries whose names the file chose.
    var others: [SchemaValue.Entry] = []

    subscript(_ word: String) -> SchemaValue? {
        guard let index = index(of: word) else { return nil }
        return present[index].value
    }

    func has(_ word: String) -> Bool { index(of: word) != nil }

    /// Where the word itself stands; nil where it is not there.
    func keySpan(_ word: String) -> SourceSpan? {
        guard let index = index(of: word) else { return nil }
        return present[index].keySpan
    }

    private func index(of word: String) -> Int? {
        var index = 0
        while index < present.count {
            // Lengths differ mostly, and are cheaper to compare.
            if present[index].word.utf8.count == word.utf8.count, present[index].word == word { return index }
            index += 1
        }
        return nil
    }
}
