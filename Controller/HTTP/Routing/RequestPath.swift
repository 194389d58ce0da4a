/// A request's path, decoded once. Everything that two programs could read differently is refused.
package struct RequestPath: Equatable, Sendable {
    package var segments: [String]
    package var hasTrailingSlash = false
    package var hasEncodedSlash = false

    package enum Refusal: Error, Equatable {
        /// A full sentence.
        case malformed(String)
    }

    package init(_ raw: some StringProtocol) throws(Refusal) {
        var bytes = Array(raw.utf8)[...]
        guard bytes.first == UInt8(ascii: "/") else { throw .malformed("The path does not begin with a slash.") }
        guard bytes.count <= 12_288 else { throw .malformed("The path is too long; at most 12288 bytes are allowed.") }
        bytes = bytes.dropFirst()
        segments = []
        if bytes.isEmpty { return }
        if bytes.last == UInt8(ascii: "/") {
            hasTrailingSlash = true
            bytes = bytes.dropLast()
        }
        for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let decoded = try Self.decode(part)
            guard !decoded.isEmpty else { throw .malformed("The path has an empty segment.") }
            guard decoded != ".", decoded != ".." else { throw .malformed("The path has a segment of dots.") }
            if decoded.utf8.contains(UInt8(ascii: "/")) {
                hasEncodedSlash = true
                guard
                    decoded.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({
                        !$0.isEmpty && $0 != "." && $0 != ".."
                    })
                else { throw .malformed("The path has a segment of dots, or an empty one.") }
            }
            segments.append(decoded)
        }
    }

    private static func decode(_ part: ArraySlice<UInt8>) throws(Refusal) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(part.count)
        var index = part.startIndex
        while index < part.endIndex {
            var byte = part[index]
            index += 1
            if byte == UInt8(ascii: "%") {
                guard index + 1 < part.endIndex, let high = PercentCode.value(part[index]),
                    let low = PercentCode.value(part[index + 1])
                else { throw .malformed("The path has a percent sign that begins no escape.") }
                byte = high << 4 | low
                index += 2
            } else if byte > 0x7E || byte <= 0x20 || byte == UInt8(ascii: ";") {
                throw .malformed("The path has a character that must not be there, or not unescaped.")
            }
            guard byte >= 0x20, byte != 0x7F, byte != UInt8(ascii: "\\"), byte != UInt8(ascii: ";") else {
                throw .malformed("The path has a character that must not be there.")
            }
            result.append(byte)
        }
        guard let text = String(validating: result, as: UTF8.self) else {
            throw .malformed("The path is not UTF-8.")
        }
        return text
    }
}

enum PercentCode {
    /// The value of a hexadecimal digit.
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// Decodes `application/x-www-form-urlencoded` text; nil where it is not that.
    static func decodeForm(_ part: some Sequence<UInt8>) -> String? {
        var result: [UInt8] = []
        var iterator = part.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"): result.append(0x20)
            case UInt8(ascii: "%"):
                guard let first = iterator.next().flatMap(value), let second = iterator.next().flatMap(value) else {
                    return nil
                }
                result.append(first << 4 | second)
            default: result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }

    /// Names and values of a form or query, in order; nil where it is malformed.
    static func pairs(_ text: some Collection<UInt8>) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for part in text.split(separator: UInt8(ascii: "&")) {
            let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decodeForm(sides[0]), let value = sides.count == 2 ? decodeForm(sides[1]) : "" else {
                return nil
            }
            pairs.append((name, value))
        }
        return pairs
    }

    /// Escapes everything but letters, digits and `-._~`.
    static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            default: result += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
