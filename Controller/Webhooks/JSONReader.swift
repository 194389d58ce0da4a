package import ControllerCore

/// Reads a webhook's JSON (RFC 8259), with bounds on depth and on the number of values. Can also pass over what is not wanted
/// without building it.
package struct JSONReader {
    package struct Malformed: Error, Equatable {
        /// A full sentence.
        package var message: String
    }

    static let depthMax = 64
    /// Values in one document.
    static let valuesMax = 1_000_000

    private let bytes: [UInt8]
    private var index = 0
    private var values = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A byte order mark says nothing here.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    package static func read(_ bytes: [UInt8]) throws(Malformed) -> PlanJSON {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.malformed("There is something behind the value") }
        return value
    }

    /// The first scalar at one of some paths of up to two names, found without building anything else.
    ///
    /// - Returns: a number as its text; `nil` where there is none, or where the text is no JSON.
    static func scalar(at paths: [[String]], in bytes: [UInt8]) -> String? {
        var reader = JSONReader(bytes)
        var found: [Int: String] = [:]
        try? reader.search(paths.enumerated().map { ($0.offset, $0.element[...]) }, depth: 0, &found)
        return found.min { $0.key < $1.key }?.value
    }

    // MARK: Values

    private func malformed(_ what: String) -> Malformed {
        Malformed(message: "\(what), at byte \(index + 1) of the body.")
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func begin(_ depth: Int) throws(Malformed) -> UInt8 {
        guard depth < Self.depthMax else { throw malformed("The body is nested deeper than \(Self.depthMax) levels") }
        values += 1
        guard values <= Self.valuesMax else { throw malformed("The body holds more than \(Self.valuesMax) values") }
        skipSpace()
        guard let byte = next else { throw malformed("The body ends too early") }
        return byte
    }

    private mutating func value(depth: Int) throws(Malformed) -> PlanJSON {
        switch try begin(depth) {
        case UInt8(ascii: "{"):
            var members: [String: PlanJSON] = [:]
            try self.members(depth) { (reader: inout JSONReader, name) throws(Malformed) in
                // Of two members of one name the last counts, as most readers have it.
                members[name] = try reader.value(depth: depth + 1)
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [PlanJSON] = []
            try self.elements(depth) { (reader: inout JSONReader) throws(Malformed) in
                elements.append(try reader.value(depth: depth + 1))
            }
            return .list(elements)
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number().value)
        }
    }

    private mutating func skip(depth: Int) throws(Malformed) {
        switch try begin(depth) {
        case UInt8(ascii: "{"):
            try members(depth) { (reader: inout JSONReader, _) throws(Malformed) in try reader.skip(depth: depth + 1) }
        case UInt8(ascii: "["):
            try elements(depth) { (reader: inout JSONReader) throws(Malformed) in try reader.skip(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): _ = try word("true", .null)
        case UInt8(ascii: "f"): _ = try word("false", .null)
        case UInt8(ascii: "n"): _ = try word("null", .null)
        default: _ = try number()
        }
    }

    private mutating func search(
        _ paths: [(index: Int, rest: ArraySlice<String>)], depth: Int, _ found: inout [Int: String]
    ) throws(Malformed) {
        guard try begin(depth) == UInt8(ascii: "{") else {
            values -= 1
            return try skip(depth: depth)
        }
        try members(depth) { (reader: inout JSONReader, name) throws(Malformed) in
            var deeper: [(index: Int, rest: ArraySlice<String>)] = []
            var here: Int?
            for path in paths where path.rest.first == name {
                if path.rest.count == 1 {
                    here = path.index
                } else {
                    deeper.append((path.index, path.rest.dropFirst()))
                }
            }
            if let here, let text = try reader.scalarText() {
                found[here] = text
            } else if !deeper.isEmpty {
                try reader.search(deeper, depth: depth + 1, &found)
            } else if here == nil {
                try reader.skip(depth: depth + 1)
            }
        }
    }

    /// A text or a number; anything else is passed over.
    private mutating func scalarText() throws(Malformed) -> String? {
        skipSpace()
        switch next {
        case UInt8(ascii: "\"")?: return try string()
        case UInt8(ascii: "-")?, (0x30...0x39)?: return try number().text
        default:
            try skip(depth: 1)
            return nil
        }
    }

    // MARK: Parts

    private mutating func members(
        _ depth: Int, _ body: (inout JSONReader, String) throws(Malformed) -> Void
    ) throws(Malformed) {
        index += 1
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
            return
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw malformed("A name is missing") }
            let name = try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw malformed("A colon is missing") }
            index += 1
            try body(&self, name)
            if try ends(UInt8(ascii: "}")) { return }
        }
    }

    private mutating func elements(
        _ depth: Int, _ body: (inout JSONReader) throws(Malformed) -> Void
    ) throws(Malformed) {
        index += 1
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
            return
        }
        while true {
            try body(&self)
            if try ends(UInt8(ascii: "]")) { return }
        }
    }

    private mutating func ends(_ closing: UInt8) throws(Malformed) -> Bool {
        skipSpace()
        guard let byte = next, byte == closing || byte == UInt8(ascii: ",") else {
            throw malformed("A comma or a bracket is missing")
        }
        index += 1
        return byte == closing
    }

    private mutating func word(_ text: StaticString, _ value: PlanJSON) throws(Malformed) -> PlanJSON {
        let length = text.utf8CodeUnitCount
        let isThere =
            index + length <= bytes.count
            && text.withUTF8Buffer { wanted in (0..<length).allSatisfy { bytes[index + $0] == wanted[$0] } }
        guard isThere else { throw malformed("There is no JSON value") }
        index += length
        return value
    }

    private mutating func number() throws(Malformed) -> (value: Double, text: String) {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte) {
            index += 1
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard let first = digits.utf8.first, (0x30...0x39).contains(first),
            let value = Double(text), value.isFinite
        else { throw malformed("There is no JSON value") }
        return (value, text)
    }

    private mutating func string() throws(Malformed) -> String {
        index += 1
        let start = index
        // Most texts have no escape.
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        var text = Array(bytes[start..<index])
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw malformed("A text is not UTF-8")
                }
                return valid
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw malformed("A control character stands unescaped in a text")
            default: text.append(byte)
            }
        }
        throw malformed("A text has no end")
    }

    private mutating func escape() throws(Malformed) -> [UInt8] {
        guard let byte = next else { throw malformed("A text has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicode()
        default: throw malformed("An escape is not known")
        }
    }

    private mutating func unicode() throws(Malformed) -> [UInt8] {
        var code = try unit()
        if (0xD800..<0xDC00).contains(code), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        {
            index += 2
            let low = try unit()
            guard (0xDC00..<0xE000).contains(low) else { throw malformed("Half of a surrogate pair is missing") }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        }
        guard let scalar = UnicodeScalar(code) else { throw malformed("Half of a surrogate pair is missing") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func unit() throws(Malformed) -> UInt32 {
        guard index + 4 <= bytes.count, let code = Hex.number(bytes[index..<index + 4]) else {
            throw malformed("An escape is malformed")
        }
        index += 4
        return code
    }
}

extension PlanJSON {
    subscript(name: String) -> PlanJSON {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }

    var isNull: Bool { self == .null }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var flag: Bool { self == .boolean(true) }
    var items: [PlanJSON] { if case .list(let elements) = self { elements } else { [] } }

    var whole: Int64? { if case .number(let number) = self { Int64(exactly: number) } else { nil } }

    /// A text, or a whole number as one.
    var identifier: String { text ?? whole.map(String.init) ?? "" }
}
