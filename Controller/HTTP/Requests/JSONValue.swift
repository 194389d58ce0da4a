/// A parsed request body.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

/// Reads JSON strictly (RFC 8259), with a bound on depth and no duplicate names.
struct JSONParser {
    struct Malformed: Error, Equatable {
        /// A full sentence.
        var message: String
    }

    static let depthMax = 64

    private let bytes: [UInt8]
    private var index = 0

    static func parse(_ bytes: [UInt8]) throws(Malformed) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == bytes.count else { throw parser.malformed("There is something behind the value") }
        return value
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func malformed(_ what: String) -> Malformed {
        Malformed(message: "\(what), at byte \(index + 1) of the body.")
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        guard depth < Self.depthMax else { throw malformed("The body is nested deeper than \(Self.depthMax) levels") }
        switch next {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"): return try number()
        case let digit? where (0x30...0x39).contains(digit): return try number()
        case nil: throw malformed("The body ends too early")
        default: throw malformed("There is no JSON value")
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(Malformed) -> JSONValue {
        guard bytes[index...].starts(with: word.utf8) else { throw malformed("There is no JSON value") }
        index += word.utf8.count
        return value
    }

    private mutating func object(_ depth: Int) throws(Malformed) -> JSONValue {
        index += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw malformed("A name in quotes is missing") }
            let name = try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw malformed("A colon is missing") }
            index += 1
            skipSpace()
            guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
                throw malformed("A name is given twice in one object")
            }
            skipSpace()
            let separator = next
            index += 1
            if separator == UInt8(ascii: "}") { return .object(members) }
            guard separator == UInt8(ascii: ",") else { throw malformed("A comma or a closing brace is missing") }
        }
    }

    private mutating func array(_ depth: Int) throws(Malformed) -> JSONValue {
        index += 1
        var items: [JSONValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
            return .array(items)
        }
        while true {
            skipSpace()
            items.append(try value(depth: depth + 1))
            skipSpace()
            let separator = next
            index += 1
            if separator == UInt8(ascii: "]") { return .array(items) }
            guard separator == UInt8(ascii: ",") else { throw malformed("A comma or a closing bracket is missing") }
        }
    }

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[index - whole] != 0x30 else { throw malformed("A number is malformed") }
        if next == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { throw malformed("A number is malformed") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { throw malformed("A number is malformed") }
        }
        guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)), value.isFinite else {
            throw malformed("A number is out of range")
        }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func string() throws(Malformed) -> String {
        index += 1
        var text: [UInt8] = []
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
        if (0xD800..<0xDC00).contains(code) {
            guard next == UInt8(ascii: "\\"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "u") else {
                throw malformed("Half of a surrogate pair is missing")
            }
            index += 2
            let low = try unit()
            guard (0xDC00..<0xE000).contains(low) else { throw malformed("Half of a surrogate pair is missing") }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        }
        guard let scalar = UnicodeScalar(code) else { throw malformed("Half of a surrogate pair is missing") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func unit() throws(Malformed) -> UInt32 {
        guard index + 4 <= bytes.count else { throw malformed("An escape is cut off") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = PercentCode.value(bytes[index]) else { throw malformed("An escape is malformed") }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }
}
