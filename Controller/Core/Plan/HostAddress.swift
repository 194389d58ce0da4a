/// An address that stands where a host's name could, in every form that resolvers take for one: `127.1`, `0177.0.0.1`, `0x7f000001` and
/// `::ffff:7f00:1` are all 127.0.0.1 to them (inet_aton(3), RFC 4291).
struct HostAddress: Equatable {
    /// 16 bytes; an address of IPv4 as `::ffff:a.b.c.d`.
    let bytes: [UInt8]

    /// Nil for names.
    init?(_ text: String) {
        guard let bytes = text.contains(":") ? Self.v6(text) : Self.v4(text).map(Self.mapped) else { return nil }
        self.bytes = bytes
    }

    /// Of IPv4, also where it is wrapped into one of IPv6.
    private var v4: [UInt8]? {
        let head = Array(bytes.prefix(12))
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        let isCompatible = head.allSatisfy { $0 == 0 } && bytes[12] != 0
        return head == mapped || head == translated || isCompatible ? Array(bytes.suffix(4)) : nil
    }

    var isThisHost: Bool {
        if let v4 { return v4[0] == 127 || v4[0] == 0 }
        return bytes.prefix(15).allSatisfy { $0 == 0 } && bytes[15] <= 1
    }

    /// What it is, where nothing that a user names can be there.
    var isNoPlace: String? {
        if let v4 {
            if v4[0] == 169, v4[1] == 254 { return "a link-local address, as of a cloud's metadata" }
            if v4 == [100, 100, 100, 200] { return "the address of a cloud's metadata" }
            return v4[0] >= 224 ? "a multicast or reserved address" : nil
        }
        if bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 { return "a link-local address" }
        if bytes[0] == 0xFF { return "a multicast address" }
        let metadata: [UInt8] = [0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54]
        return bytes == metadata ? "the address of a cloud's metadata" : nil
    }

    // MARK: Reading

    private static func mapped(_ v4: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + v4
    }

    /// One to four numbers, decimal, octal with `0` or hexadecimal with `0x` in front; the last one fills what is left.
    private static func v4(_ text: String) -> [UInt8]? {
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count) else { return nil }
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            guard let value = number(part) else { return nil }
            let width = index == parts.count - 1 ? 4 - index : 1
            guard value < 1 << (8 * UInt64(width)) else { return nil }
            for shift in (0..<width).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(shift))))
            }
        }
        return bytes
    }

    private static func number(_ part: Substring) -> UInt64? {
        guard part.utf8.count <= 16, !part.hasPrefix("+"), !part.hasPrefix("-") else { return nil }
        if part.hasPrefix("0x") || part.hasPrefix("0X") {
            return part.count == 2 ? 0 : UInt64(part.dropFirst(2), radix: 16)
        }
        return part.count > 1 && part.hasPrefix("0") ? UInt64(part, radix: 8) : UInt64(part)
    }

    private static func v6(_ text: String) -> [UInt8]? {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(halves[0]), let tail = halves.count == 2 ? groups(halves[1]) : []
        else { return nil }
        let count = head.count + tail.count
        guard halves.count == 2 ? count < 16 : count == 16 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - count) + tail
    }

    /// Groups of four digits; the last may be an address of IPv4.
    private static func groups(_ text: Substring) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard part.split(separator: ".").count == 4, let v4 = v4(String(part)) else { return nil }
                bytes += v4
            } else {
                guard (1...4).contains(part.utf8.count), let value = UInt16(part, radix: 16) else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }
}
