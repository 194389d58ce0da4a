/// YAML 1.2's scalars, and the small notations of this language.
enum Scalars {
    /// The booleans of YAML 1.2; `yes` and `on` are texts.
    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    static func isBlank(_ text: String) -> Bool {
        // Nearly every text begins with a visible character of ASCII, which needs no table of properties.
        if let first = text.utf8.first, (33...126).contains(first) { return false }
        return text.allSatisfy(\.isWhitespace)
    }

    /// A decimal number as in JSON; no hexadecimal, no infinity.
    static func number(_ text: String) -> Double? {
        guard let first = text.utf8.first, (48...57).contains(first) || first == UInt8(ascii: "-"),
            text.utf8.count <= 64, let last = text.utf8.last, (48...57).contains(last),
            text.utf8.allSatisfy({ (48...57).contains($0) || "-+.eE".utf8.contains($0) }), let number = Double(text),
            number.isFinite
        else { return nil }
        return number
    }

    /// `${{ expression }}` around a whole condition is taken off. The offset is where the expression's text begins.
    static func unwrapped(_ text: String) -> (text: String, offset: Int) {
        // Most conditions stand for themselves.
        guard TemplateSyntax.hasMark(text) else { return (text, 0) }
        let scalars = text.scalarArray
        let start = scalars.prefix { $0.properties.isWhitespace }.count
        let end = scalars.count - scalars.reversed().prefix { $0.properties.isWhitespace }.count
        guard end - start >= 5, scalars[start...].starts(with: "${{".unicodeScalars),
            scalars[..<end].suffix(2).elementsEqual("}}".unicodeScalars)
        else { return (text, 0) }
        return (String(scalars[start + 3..<end - 2]), start + 3)
    }
}

/// Durations and sizes.
enum Amount {
    /// `90s`, `15m`, `1h30m`, `2d`: whole numbers with units from large to small, in milliseconds.
    static func duration(_ text: String) -> UInt64? {
        var total: UInt64 = 0
        var count: UInt64 = 0
        var digits = 0
        var last = UInt64.max
        for byte in text.utf8 {
            if (48...57).contains(byte) {
                digits += 1
                guard digits <= 9 else { return nil }
                count = count * 10 + UInt64(byte - 48)
                continue
            }
            let unit: UInt64
            switch byte {
            case UInt8(ascii: "d"): unit = 86_400_000
            case UInt8(ascii: "h"): unit = 3_600_000
            case UInt8(ascii: "m"): unit = 60_000
            case UInt8(ascii: "s"): unit = 1000
            default: return nil
            }
            guard digits > 0, unit < last else { return nil }
            total += count * unit
            (count, digits, last) = (0, 0, unit)
        }
        return digits == 0 && last < .max ? total : nil
    }

    static func durationText(_ milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        if seconds % 3600 == 0, seconds > 0 { return "\(seconds / 3600)h" }
        return seconds % 60 == 0 && seconds > 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }

    /// `10MiB`, `512KB`, `1GiB`: a whole number and a unit, in bytes.
    static func size(_ text: String) -> UInt64? {
        let units: [String: UInt64] = [
            "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1024, "MiB": 1024 * 1024,
            "GiB": 1024 * 1024 * 1024,
        ]
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 9, let count = UInt64(digits),
            let unit = units[String(text.dropFirst(digits.count))]
        else { return nil }
        return count * unit
    }

    static func sizeText(_ bytes: UInt64) -> String {
        for (unit, size) in [("GiB", UInt64(1) << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes)B"
    }
}
