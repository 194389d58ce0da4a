/// Digits of base 16.
enum Hex {
    /// `nil` where one is none.
    static func number(_ digits: some Sequence<UInt8>) -> UInt32? {
        var number: UInt32 = 0
        for digit in digits {
            guard let value = value(digit) else { return nil }
            number = number << 4 | UInt32(value)
        }
        return number
    }

    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    /// The bytes of lower-case digits; `nil` for anything else. Senders write small letters, and only what they write is taken.
    static func lowerCaseBytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard !(0x41...0x46).contains(digits[index]), !(0x41...0x46).contains(digits[index + 1]),
                let high = value(digits[index]), let low = value(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
