/// JSON that keeps the order of its members.
indirect enum SchemaJSON {
    case text(String)
    case number(UInt64)
    case integer(Int)
    case boolean(Bool)
    case list([SchemaJSON])
    case object([(String, SchemaJSON)])

    static func texts(_ texts: [String]) -> SchemaJSON { .list(texts.map { .text($0) }) }

    func write(into bytes: inout [UInt8]) {
        switch self {
        case .text(let text): Self.write(text, into: &bytes)
        case .number(let number): bytes += Array(String(number).utf8)
        case .integer(let number): bytes += Array(String(number).utf8)
        case .boolean(let flag): bytes += Array((flag ? "true" : "false").utf8)
        case .list(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.0, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.1.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// The table's texts have no control characters.
    private static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
