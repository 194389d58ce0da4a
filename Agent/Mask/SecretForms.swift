/// The byte strings under which a secret can show up in output.
enum SecretForms {
    /// Every form of `secret` that is long enough to be masked: itself, its lines, base64 at all three alignments, hex and
    /// percent-encoding.
    static func forms(of secret: [UInt8]) -> Set<[UInt8]> {
        let core = trimmed(secret[...])
        guard core.count >= Masker.minimumBytes else { return [] }
        var forms: Set<[UInt8]> = [secret, core]
        for line in core.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            forms.insert(trimmed(line))
        }
        forms.formUnion(base64(core))
        forms.formUnion([hex(core, lower), hex(core, upper)])
        forms.formUnion(percent(core))
        return forms.filter { $0.count >= Masker.minimumBytes }
    }

    /// Without blanks and line ends around it: they are rarely printed with a secret.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let isBlank: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
        let head = bytes.drop(while: isBlank)
        guard let last = head.lastIndex(where: { !isBlank($0) }) else { return [] }
        return [UInt8](head[...last])
    }

    private static let lower = Array("0123456789abcdef".utf8)
    private static let upper = Array("0123456789ABCDEF".utf8)
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    private static func hex(_ bytes: [UInt8], _ digits: [UInt8]) -> [UInt8] {
        bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    // MARK: Base64

    /// The characters that a secret alone decides, for each of the three places where it can begin in a group of three bytes,
    /// in both alphabets; from the first place also broken into lines, as the usual tools do.
    private static func base64(_ bytes: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = []
        for alphabet in [letters + Array("+/".utf8), letters + Array("-_".utf8)] {
            for shift in 0..<3 { forms.insert(base64(bytes, shift: shift, alphabet: alphabet)) }
            let whole = base64(bytes, shift: 0, alphabet: alphabet)
            for width in [64, 76] where whole.count > width { forms.insert(wrapped(whole, width: width)) }
        }
        return forms
    }

    private static func base64(_ bytes: [UInt8], shift: Int, alphabet: [UInt8]) -> [UInt8] {
        let padded = [UInt8](repeating: 0, count: shift) + bytes
        // A character mixes bits of the neighbours at both edges: those are left out.
        let first = (shift * 8 + 5) / 6
        let end = padded.count * 8 / 6
        guard first < end else { return [] }
        return (first..<end).map { index in
            let bit = index * 6
            let byte = bit / 8
            let next = byte + 1 < padded.count ? padded[byte + 1] : 0
            let pair = UInt16(padded[byte]) << 8 | UInt16(next)
            return alphabet[Int(pair >> UInt16(10 - bit % 8) & 63)]
        }
    }

    private static func wrapped(_ text: [UInt8], width: Int) -> [UInt8] {
        var lines: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: width) {
            if start > 0 { lines.append(UInt8(ascii: "\n")) }
            lines.append(contentsOf: text[start..<min(start + width, text.count)])
        }
        return lines
    }

    // MARK: Percent-encoding

    private static func percent(_ bytes: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = []
        let unreserved = Set(Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8))
        // What strict encoders, browsers' and path encoders leave alone.
        for safe in [unreserved, unreserved.union("!'()*".utf8), unreserved.union("/".utf8)] {
            for digits in [upper, lower] {
                for plus in [false, true] {
                    var form: [UInt8] = []
                    for byte in bytes {
                        if safe.contains(byte) {
                            form.append(byte)
                        } else if plus && byte == UInt8(ascii: " ") {
                            form.append(UInt8(ascii: "+"))
                        } else {
                            form += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                        }
                    }
                    forms.insert(form)
                }
            }
        }
        return forms
    }
}
