/// Finds `${{` outside quotes, the usual reason why a flow map can't be read.
enum UnquotedInterpolation {
    /// The first one in a line, up to its `}}` or the line's end, in offsets of Unicode scalars.
    static func find(in line: String) -> Range<Int>? {
        let scalars = Array(line.unicodeScalars)
        var quote: Unicode.Scalar?
        for (index, scalar) in scalars.enumerated() {
            if let open = quote {
                if scalar == open { quote = nil }
            } else if scalar == "\"" || scalar == "'" {
                quote = scalar
            } else if scalar == "#", index == 0 || scalars[index - 1] == " " {
                return nil
            } else if scalars[index...].starts(with: "${{".unicodeScalars) {
                var end = index + 3
                while end < scalars.count, !scalars[..<end].suffix(2).elementsEqual("}}".unicodeScalars) { end += 1 }
                return index..<end
            }
        }
        return nil
    }
}
