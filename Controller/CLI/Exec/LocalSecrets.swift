/// Values of secrets for one local run: from variables of the environment and from a file, never from arguments, which any
/// process of the machine can read.
package struct LocalSecrets: Equatable, Sendable {
    private static let fileBytesMax = 1 << 20
    package private(set) var values: [String: String] = [:]

    package init() {}

    /// - Parameters:
    ///   - names: each a secret, whose value is in the variable of the same name, or of that name in upper case.
    ///   - file: lines of `NAME=VALUE`; blank ones and those that begin with `#` mean nothing. Quotes around a value go away.
    package init(names: [String], environment: [String: String], file: String?) throws {
        if let file { try read(file) }
        for name in names {
            let variable = name.uppercased().replacing("-", with: "_")
            guard let value = environment[name] ?? environment[variable], !value.isEmpty else {
                throw ClientFailure(
                    .usage, "The secret \(name) has no value: the environment has no variable \(name).",
                    cure: "Set the variable, or put the secret into a file for --secrets FILE.")
            }
            values[name] = value
        }
    }

    private mutating func read(_ file: String) throws {
        let bytes = try FileIO.read(file, limit: Self.fileBytesMax)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = Self.trimmed(line)
            if text.isEmpty || text.first == "#" { continue }
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !Self.trimmed(pair[0]).isEmpty else {
                // The line is not shown: it may be a secret.
                throw ClientFailure(.usage, "Line \(index + 1) of \(file) is not NAME=VALUE.")
            }
            var value = Self.trimmed(pair[1])
            if value.count >= 2, let first = value.first, first == value.last, first == "\"" || first == "'" {
                value = String(value.dropFirst().dropLast())
            }
            values[Self.trimmed(pair[0])] = value
        }
    }

    /// - Throws: ``ClientFailure`` that names every secret without a value.
    package func check(_ wanted: [(name: String, step: String)]) throws {
        let missing = wanted.filter { values[$0.name] == nil }
        guard !missing.isEmpty else { return }
        throw ClientFailure(
            .usage, "Secrets have no value:",
            cure: "Give them with --secret NAME, which takes the variable NAME, or --secrets FILE.",
            details: missing.map { "\($0.name), which \($0.step) names" })
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let front = text.drop { $0.isWhitespace }
        return String(front.reversed().drop { $0.isWhitespace }.reversed())
    }
}
