import AnsFlowProtocol

/// The file that `ANSFLOW_OUTPUT` names: `name=value` lines that a step wrote.
package enum OutputFile {
    /// Reads the lines; where a name comes twice, the last counts. Lines that are none, and all above the protocol's limit, are left out.
    ///
    /// - Returns: The values, and a sentence where something was left out.
    package static func read(_ path: String) -> (values: [String: String], complaint: String?) {
        guard let bytes = try? Files.read(path, limit: ProtocolLimits.outputsBytesMax + 4096) else { return ([:], nil) }
        return parse(bytes)
    }

    package static func parse(_ bytes: [UInt8]) -> (values: [String: String], complaint: String?) {
        var values: [String: String] = [:]
        var complaint: String?
        var size = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) where !line.allSatisfy({ $0 <= 32 }) {
            let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, isName(parts[0]) else {
                complaint = "A line of the step's outputs is not of the form name=value and was left out."
                continue
            }
            let name = String(decoding: parts[0], as: UTF8.self)
            let value = String(decoding: parts[1], as: UTF8.self)
            let before = values[name].map { name.utf8.count + $0.utf8.count } ?? 0
            let after = size - before + name.utf8.count + value.utf8.count
            guard after <= ProtocolLimits.outputsBytesMax else {
                complaint =
                    "The step's outputs have more than \(ProtocolLimits.outputsBytesMax) bytes; the rest was left out."
                continue
            }
            size = after
            values[name] = value
        }
        return (values, complaint)
    }

    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, bytes.count <= 128, !(48...57).contains(first) else { return false }
        return bytes.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 || $0 == 45
        }
    }
}
