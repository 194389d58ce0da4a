import ControllerCore

/// What a word's value may be. The strict reader checks files against these types, and everything that describes the language
/// to machines is made from them too.
package indirect enum SchemaType: Sendable {
    /// A text; numbers and `yes` are texts as they stand.
    case text(TextRule)
    case integer(ClosedRange<Int>)
    case boolean
    /// `90s`, `15m`, `1h30m`, within these milliseconds.
    case duration(ClosedRange<UInt64>)
    /// `10MiB`, within these bytes.
    case size(ClosedRange<UInt64>)
    case expression
    case choice([String])
    case list(SchemaType, max: Int)
    /// A list, or one item in its place.
    case listOrOne(SchemaType, max: Int)
    case map(SchemaType, keys: SchemaKeys, max: Int)
    case object(SchemaObject)
    /// A map with known words beside names that the file chooses.
    case open(SchemaObject, others: SchemaType, keys: SchemaKeys, max: Int)
    /// Another type for each shape; `nil` where the shape is refused. The last names all of them: `a number or a map`.
    case byShape(scalar: SchemaType?, list: SchemaType?, map: SchemaType?, String)
    /// `false`, or something.
    case falseOr(SchemaType)
    /// `true` or nothing at all, `false`, or something.
    case flagOr(SchemaType)
    /// `linux=yes` texts in the place of a map of labels, as other systems have them.
    case labels(SchemaType)

    package struct TextRule: Sendable {
        package var bytesMax: Int
        package var isEmptyAllowed = false
        /// Whether `${{ }}` may stand in it.
        package var isInterpolated = true
    }
}

package enum SchemaShape: Sendable, Hashable {
    case scalar, list, map
}

/// What the keys of a map may be.
package enum SchemaKeys: String, Sendable {
    /// `[A-Za-z_][A-Za-z0-9_-]{0,63}`
    case id
    /// `[A-Za-z_][A-Za-z0-9_]*`, and not `ANSFLOW_…`
    case variable
    /// `[A-Za-z_][A-Za-z0-9_.-]*`
    case label
    /// As `variable`, for the entries of `secrets`, which may be anything but AnsFlow's own.
    case secret

    package var pattern: String {
        switch self {
        case .id: "[A-Za-z_][A-Za-z0-9_-]{0,63}"
        case .variable, .secret: "[A-Za-z_][A-Za-z0-9_]{0,127}"
        case .label: "[A-Za-z_][A-Za-z0-9_.-]{0,127}"
        }
    }

    package func accepts(_ key: String) -> Bool {
        let extra = self == .id ? "-" : self == .label ? ".-" : ""
        guard let first = key.utf8.first, key.utf8.count <= (self == .id ? PlanLimits.idBytesMax : 128) else {
            return false
        }
        let isLetter = { (byte: UInt8) in (97...122).contains(byte) || (65...90).contains(byte) || byte == 95 }
        return isLetter(first)
            && key.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || extra.utf8.contains($0) }
    }
}

/// A map with known words. A class, like its words, because the reader passes them about for each node.
package final class SchemaObject: Sendable {
    /// `a step`, for messages.
    package let title: String
    package let words: [SchemaWord]
    /// Those that must be there.
    let required: [SchemaWord]
    /// By the spelling's length in bytes: few words share one, and comparing them is faster than hashing.
    private let byLength: [[(spelling: String, word: SchemaWord)]]

    init(title: String, words: [SchemaWord]) {
        self.title = title
        let words = words.map {
            PipelineSchema.isLater($0.name, in: title) ? SchemaWord(name: $0.name, kind: .later) : $0
        }
        self.words = words
        required = words.filter(\.isRequired)
        let spellings = words.flatMap { word in word.spellings.map { (spelling: $0, word: word) } }
        let count = (spellings.lazy.map(\.spelling.utf8.count).max() ?? 0) + 1
        var byLength = [[(spelling: String, word: SchemaWord)]](repeating: [], count: count)
        for (spelling, word) in spellings {
            let length = spelling.utf8.count
            precondition(!byLength[length].contains { $0.spelling == spelling }, "\(title) has \(spelling) twice")
            byLength[length].append((spelling, word))
        }
        self.byLength = byLength
    }

    /// The word that is written so.
    package func word(spelled spelling: String) -> SchemaWord? {
        let length = spelling.utf8.count
        guard length < byLength.count else { return nil }
        for known in byLength[length] where known.spelling == spelling { return known.word }
        return nil
    }
}

package final class SchemaWord: Sendable {
    package enum Kind: Sendable {
        case value(SchemaType)
        /// Known, and refused until its part of the language is there.
        case later
        /// A word of other systems that AnsFlow has something else for.
        case foreign(hint: String)
    }

    package let name: String
    package let kind: Kind
    package let aliases: [String]
    package let isRequired: Bool
    /// A sentence for editors and the reference.
    package let summary: String

    init(name: String, kind: Kind, aliases: [String] = [], isRequired: Bool = false, summary: String = "") {
        self.name = name
        self.kind = kind
        self.aliases = aliases
        self.isRequired = isRequired
        self.summary = summary
    }

    /// The word and all that is accepted in its place.
    package var spellings: [String] { [name] + aliases }

    /// Whether it may be written today.
    package var isUsable: Bool {
        if case .value = kind { return true }
        return false
    }
}
