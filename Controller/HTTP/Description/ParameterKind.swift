import AnsFlowProtocol
import ControllerCore

/// What a parameter in a path or query may be. It is enforced before the handler is called, and described as it is enforced.
package enum ParameterKind: Sendable, Equatable {
    case integer(ClosedRange<Int64>)
    /// At most so many characters (Unicode scalars). In a query, an empty text is as good as none.
    case text(max: Int)
    /// 1 to so many letters, digits, `-`, `_` or `.`.
    case name(max: Int)
    /// So many hexadecimal digits.
    case hex(Int)
    case choice([String])
    case flag
    case time

    package static let id = ParameterKind.integer(1...Int64.max)
    package static let text = ParameterKind.text(max: 256)

    /// Every raw value of an enumeration.
    package static func choice<Value: CaseIterable & RawRepresentable>(_ type: Value.Type) -> ParameterKind
    where Value.RawValue == String { .choice(type.allCases.map(\.rawValue)) }

    /// Why `text` is none; nil where it is one. A full sentence.
    func refusal(of text: String) -> String? {
        switch self {
        case .integer(let range):
            // One number has one text: `01` and `+1` are none.
            if let value = Int64(text), range.contains(value), String(value) == text { return nil }
            return "It must be a whole number from \(range.lowerBound) to \(range.upperBound)."
        case .text(let max):
            if text.unicodeScalars.contains(where: { $0.value == 0 }) { return "It must not hold a zero byte." }
            return text.unicodeScalars.count <= max ? nil : "It may have at most \(max) characters."
        case .name(let max):
            let isName = (1...max).contains(text.utf8.count) && text.utf8.allSatisfy { Self.isNameByte($0) }
            return isName ? nil : "It must have 1 to \(max) letters, digits, `-`, `_` or `.`."
        case .hex(let count):
            let isHex = text.utf8.count == count && text.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
            return isHex ? nil : "It must have \(count) hexadecimal digits."
        case .choice(let values):
            return values.contains(text) ? nil : "It must be one of: \(values.joined(separator: ", "))."
        case .flag: return ["1", "true", "0", "false"].contains(text) ? nil : "It must be `true` or `false`."
        case .time: return Timestamp.parse(text) == nil ? "It must be a time such as 2026-01-31T12:00:00Z." : nil
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// What stands in a path is never empty, and has nothing in it that could be read as another path: see ``RequestPath``.
    var pathSchema: Schema {
        guard case .text(let max) = self else { return schema }
        return .text(1...max, pattern: #"^(?!\.{1,2}$)[^\u0000-\u001F\u007F;/\\]+$"#)
    }

    var schema: Schema {
        switch self {
        case .integer(let range): .integer(range)
        case .text(let max): .text(0...max, pattern: #"^[^\u0000]*$"#)
        case .name(let max): .text(1...max, pattern: "^[A-Za-z0-9._-]+$")
        case .hex(let count): .text(count...count, pattern: "^[0-9a-fA-F]+$")
        case .choice(let values): .one(of: values)
        case .flag: .boolean
        case .time: .time
        }
    }
}
