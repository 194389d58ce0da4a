import Crypto

/// Random texts and their hashes.
enum Secrets {
    private static let digits = Array("0123456789abcdef".utf8)
    /// 32 letters and digits that people don't confuse, so that one byte gives five bits without bias.
    private static let readable = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
    private static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// 256 random bits as 43 URL-safe characters.
    static func token() -> String { base64URL(randomBytes(32)) }

    /// 120 random bits in a form that can be typed.
    static func password() -> String {
        let letters = randomBytes(24).map { readable[Int($0 & 31)] }
        return stride(from: 0, to: 24, by: 6)
            .map { String(decoding: letters[$0..<$0 + 6], as: UTF8.self) }.joined(separator: "-")
    }

    static func hash(_ text: String) -> String { hex(SHA256.hash(data: Array(text.utf8))) }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func bytes(hex: String) -> [UInt8]? {
        let values = hex.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count.isMultiple(of: 2), !values.contains(nil) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0]! << 4 | values[$0 + 1]!) }
    }

    /// RFC 4648 section 5, without padding.
    static func base64URL(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | UInt32(byte)) & 0xFFFF
            count += 8
            while count >= 6 {
                count -= 6
                text.append(base64[Int(bits >> UInt32(count)) & 63])
            }
        }
        if count > 0 { text.append(base64[Int(bits << UInt32(6 - count)) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// RFC 4648 section 5, without padding; nil for anything else.
    static func bytes(base64URL text: some Sequence<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            guard let value = base64.firstIndex(of: byte) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }

    /// Compares in a time that depends on the lengths alone.
    static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
