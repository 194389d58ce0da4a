/// Turns bytes that come in pieces into valid UTF-8, each broken sequence replaced by U+FFFD.
///
/// A character that is split between two pieces stays whole: up to 3 bytes are held back.
package struct UTF8Repair: Sendable {
    private var held: [UInt8] = []

    package init() {}

    package mutating func feed(_ bytes: some Sequence<UInt8>) -> String {
        var all = held
        all.append(contentsOf: bytes)
        let keep = Self.unfinished(all)
        held = Array(all.suffix(keep))
        return String(decoding: all.dropLast(keep), as: UTF8.self)
    }

    /// What is left at the end of the bytes.
    package mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    /// How many bytes at the end may be the beginning of a character.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }
}
