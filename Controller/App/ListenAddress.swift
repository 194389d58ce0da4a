import ArgumentParser

/// `HOST:PORT`, with IPv6 hosts in brackets. Port 0 takes a free one.
struct ListenAddress: ExpressibleByArgument, CustomStringConvertible {
    var host: String
    var port: Int

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = Int(argument[argument.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(argument[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = port
    }

    var description: String { "\(Self.bracketed(host)):\(port)" }
    var defaultValueDescription: String { description }

    static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
