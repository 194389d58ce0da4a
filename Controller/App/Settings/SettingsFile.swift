/// A file of settings: `name = value` on each line, named as the options are without their dashes. `#` begins a comment; a name that may be
/// repeated stands on several lines; a value may stand in double quotes.
struct SettingsFile {
    static let bytesMax = 64 * 1024

    struct Line: Equatable {
        var number: Int
        var name: String
        var value: String
    }

    struct Malformed: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private(set) var lines: [Line] = []

    /// - Parameter path: for messages.
    init(_ text: String, path: String) throws(Malformed) {
        guard text.utf8.count <= Self.bytesMax else {
            throw Malformed(description: "\(path) has more than \(Self.bytesMax) bytes.")
        }
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = Self.trimmed(raw)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw Malformed(
                    description:
                        "\(path), line \(index + 1): there is no `=`. Write `name = value`, as in `listen = 127.0.0.1:8080`."
                )
            }
            let name = Self.trimmed(line[..<equals])
            var value = Self.trimmed(line[line.index(after: equals)...])
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            guard !name.isEmpty, name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == 0x2D }) else {
                throw Malformed(
                    description: "\(path), line \(index + 1): `\(name)` is no name of a setting: small letters and `-`."
                )
            }
            lines.append(Line(number: index + 1, name: String(name), value: String(value)))
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
