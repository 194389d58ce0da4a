/// Text that others wrote, made safe for a terminal: a step's output could move the cursor, set the title or paste commands.
package enum SafeText {
    /// Keeps printable characters and tabs; colour codes (`ESC [ … m`) stay where `colours` is set, every other escape sequence and
    /// control character goes. A carriage return keeps only what comes behind the last one, as a terminal would show it.
    package static func line(_ text: String, colours: Bool) -> String {
        var needsWork = false
        for byte in text.utf8 where byte < 0x20 && byte != 0x09 || byte == 0x7F || byte == 0xC2 {
            needsWork = true
            break
        }
        guard needsWork else { return text }
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        var at = 0
        while at < scalars.count {
            let scalar = scalars[at]
            switch scalar.value {
            case 0x1B:
                let end = sequenceEnd(scalars, from: at)
                if colours, isColour(scalars[at..<end]) { result.append(contentsOf: scalars[at..<end]) }
                at = end
                continue
            case 0x0D:
                if at + 1 < scalars.count { result = String.UnicodeScalarView() }
            case 0x09: result.append(scalar)
            case 0..<0x20, 0x7F..<0xA0: break
            default: result.append(scalar)
            }
            at += 1
        }
        return String(result)
    }

    /// Behind the escape sequence that begins at `start` (ECMA-48: CSI, the string sequences, two-character ones).
    private static func sequenceEnd(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
        var at = start + 1
        guard at < scalars.count else { return at }
        switch scalars[at] {
        case "[":
            at += 1
            while at < scalars.count, (0x20...0x3F).contains(scalars[at].value) { at += 1 }
            return min(at + 1, scalars.count)
        case "]", "P", "X", "^", "_":
            while at < scalars.count {
                if scalars[at].value == 0x07 { return at + 1 }
                if scalars[at].value == 0x1B, at + 1 < scalars.count, scalars[at + 1] == "\\" { return at + 2 }
                at += 1
            }
            return at
        default:
            return at + 1
        }
    }

    private static func isColour(_ sequence: ArraySlice<Unicode.Scalar>) -> Bool {
        guard sequence.count >= 3, sequence[sequence.startIndex + 1] == "[", sequence.last == "m" else { return false }
        return sequence.dropFirst(2).dropLast().allSatisfy { ("0"..."9").contains($0) || $0 == ";" || $0 == ":" }
    }
}
