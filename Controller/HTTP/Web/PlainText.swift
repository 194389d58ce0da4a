/// What is seen of a line of a log: without escape sequences of terminals and other control characters.
///
/// Sequences are those of ECMA-48: `ESC [ … final`, and the strings of `ESC ]`, `ESC P`, `ESC ^`, `ESC _` up to `BEL` or `ESC \`.
enum PlainText {
    static func seen(of text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        var shown = String.UnicodeScalarView()
        // Of what a progress bar draws over itself the last state counts; behind a carriage return at the end nothing was drawn.
        var isDrawnOver = false
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch scalar.value {
            case 0x1B: skip(&scalars)
            case 0x0D: isDrawnOver = true
            case 0..<0x09, 0x0A..<0x20, 0x7F: break
            default:
                if isDrawnOver { shown.removeAll(keepingCapacity: true) }
                isDrawnOver = false
                shown.append(scalar)
            }
        }
        return String(shown)
    }

    private static func skip(_ scalars: inout String.UnicodeScalarView.Iterator) {
        guard let kind = scalars.next() else { return }
        switch kind {
        case "[":
            while let scalar = scalars.next(), !(0x40...0x7E).contains(scalar.value) {}
        case "]", "P", "^", "_":
            var last: Unicode.Scalar = " "
            while let scalar = scalars.next() {
                if scalar.value == 0x07 || last.value == 0x1B && scalar == "\\" { return }
                last = scalar
            }
        default: break
        }
    }
}
