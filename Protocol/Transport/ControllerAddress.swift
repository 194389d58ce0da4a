/// A controller's address for agents: `https://HOST` or `https://HOST:PORT`.
package struct ControllerAddress: Equatable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads one; a last slash is allowed, a path is not.
    package init(parsing text: String) throws(DialError) {
        let refusal = DialError(
            .address,
            "\"\(text.prefix(200))\" is not a controller's address. Write it like https://ci.example.org:8443.")
        guard text.hasPrefix("https://"), text.utf8.count <= 512 else { throw refusal }
        var rest = text.dropFirst("https://".count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var port = 8443
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { throw refusal }
            host = String(rest[rest.index(after: rest.startIndex)..<close])
            rest = rest[rest.index(after: close)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        if rest.hasPrefix(":") {
            guard let number = Int(rest.dropFirst()), (1...65535).contains(number) else { throw refusal }
            port = number
            rest = ""
        }
        let allowed = host.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [45, 46, 58, 95].contains(byte)
        }
        guard rest.isEmpty, !host.isEmpty, allowed else { throw refusal }
        self.port = port
    }

    /// As it stands in a URL and in a Host header.
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    package var description: String { "https://\(authority)" }
}
