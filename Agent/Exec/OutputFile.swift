import AnsFlowProtocol

/// The file that `ANSFLOW_OUTPUT` names: what a step wrote for later steps.
///
/// A line is `name=value`, or `name<<END`, after which come the lines of the value up to a line that is `END`.
package enum OutputFile {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let nameBytesMax = 128
    /// What the file may have beside the values: names, ends of lines.
    private static let overheadBytes = 16 * 1024

    /// Reads the outputs; where a name comes twice, the last counts. What is none, and all above the protocol's limit, is left out.
    ///
    /// - Returns: The values, and a sentence where something was left out.
    package static func read(_ path: String) -> (values: [String: String], complaint: String?) {
        let limit = ProtocolLimits.outputsBytesMax + overheadBytes
        guard let bytes = try? Files.read(path, limit: limit + 1) else { return ([:], nil) }
        guard bytes.count > limit else { return parse(bytes) }
        // The last line may be cut in two: it does not count.
        let whole = bytes[..<(bytes.lastIndex(of: lineFeed) ?? 0)]
        return (parse(Array(whole)).values, tooLarge)
    }

    package static func parse(_ bytes: [UInt8]) -> (values: [String: String], complaint: String?) {
        var values: [String: String] = [:]
        var complaint: String?
        var size = 0
        var rest = bytes[...]
        while let line = next(&rest) {
            if line.allSatisfy({ $0 <= 32 }) { continue }
            let found: (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)
            do throws(Fault) {
                found = try output(line, &rest)
            } catch {
                complaint = complaint ?? error.sentence
                continue
            }
            let name = String(decoding: found.name, as: UTF8.self)
            let value = String(decoding: found.value, as: UTF8.self)
            let before = values[name].map { name.utf8.count + $0.utf8.count } ?? 0
            let after = size - before + name.utf8.count + value.utf8.count
            guard after <= ProtocolLimits.outputsBytesMax else {
                complaint = complaint ?? tooLarge
                continue
            }
            size = after
            values[name] = value
        }
        return (values, complaint)
    }

    private static let tooLarge =
        "The step's outputs have more than \(ProtocolLimits.outputsBytesMax) bytes together; the rest was left out."

    private struct Fault: Error { var sentence: String }

    /// One output; of a value of several lines, these are taken from `rest`.
    private static func output(
        _ line: ArraySlice<UInt8>, _ rest: inout ArraySlice<UInt8>
    ) throws(Fault) -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        guard let mark = line.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "<") }) else {
            throw Fault(sentence: "The step's outputs hold a line that is not name=value: \"\(shown(line))\".")
        }
        let name = line[..<mark]
        guard line[mark] == UInt8(ascii: "<") else {
            try check(name)
            return (name, line[(mark + 1)...])
        }
        guard line[mark...].starts(with: "<<".utf8), case let end = trimmed(line[(mark + 2)...]), !end.isEmpty else {
            throw Fault(sentence: "The step's outputs hold a line that is not name=value: \"\(shown(line))\".")
        }
        var value: [UInt8] = []
        while let more = next(&rest) {
            guard !more.elementsEqual(end) else {
                try check(name)
                // Without the line feed behind the last line.
                return (name, value.dropLast())
            }
            value += more
            value.append(lineFeed)
        }
        throw Fault(
            sentence: "The output \"\(shown(name))\" has no closing line \"\(shown(end))\" and was left out.")
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: lineFeed) ?? rest.endIndex
        defer { rest = rest[min(end + 1, rest.endIndex)...] }
        return rest[..<end]
    }

    private static func check(_ name: ArraySlice<UInt8>) throws(Fault) {
        let fits = name.count <= nameBytesMax
        guard let first = name.first, fits, !(48...57).contains(first), first != UInt8(ascii: "-"),
            name.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 || $0 == 45
            })
        else {
            throw Fault(
                sentence: "\"\(shown(name))\" is not a name of an output and was left out. A name is a letter or "
                    + "underscore, then letters, digits, underscores and dashes; at most \(nameBytesMax).")
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let head = bytes.drop { $0 <= 32 }
        return head.prefix((head.lastIndex { $0 > 32 } ?? head.startIndex - 1) - head.startIndex + 1)
    }

    /// For a message: short, without control characters.
    private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix(60).map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    }
}
