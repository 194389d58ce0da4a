import FoundationEssentials

/// Which controller is asked, and how this client proves who asks.
package struct Endpoint: Equatable, Sendable {
    /// `http://host:port` or `https://host:port`, without a path and without a slash at its end.
    package var url: String
    /// From `ANSFLOW_TOKEN`; nil where the kept login counts.
    package var token: String?
    /// PEM file of the authority that signed the controller's certificate; nil for the system's.
    package var caFile: String?

    package init(url: String, token: String?, caFile: String?) {
        self.url = url
        self.token = token
        self.caFile = caFile
    }

    package static let defaultURL = "http://127.0.0.1:8080"

    /// - Parameters:
    ///   - option: what `--url` said
    ///   - environment: `ANSFLOW_URL`, `ANSFLOW_TOKEN` and `ANSFLOW_CA_FILE` are read
    ///   - current: the address of the last login
    package static func resolve(
        option: String?, caFile: String?, environment: [String: String], current: String?
    ) throws -> Endpoint {
        func filled(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
        let url = filled(option) ?? filled(environment["ANSFLOW_URL"]) ?? filled(current) ?? defaultURL
        return Endpoint(
            url: try normalized(url), token: filled(environment["ANSFLOW_TOKEN"]),
            caFile: filled(caFile) ?? filled(environment["ANSFLOW_CA_FILE"]))
    }

    /// The address without a slash at its end.
    package static func normalized(_ text: String) throws -> String {
        var result = text
        while result.hasSuffix("/") { result.removeLast() }
        guard let parts = URL(string: result), let scheme = parts.scheme?.lowercased(), let host = parts.host,
            !host.isEmpty, scheme == "http" || scheme == "https", parts.user == nil, parts.query == nil
        else {
            throw ClientFailure(
                .usage, "\"\(text)\" is not the address of a controller.",
                cure: "Write it as http://HOST:PORT or https://HOST:PORT.")
        }
        return result
    }

    /// What the socket is opened to.
    package struct Address: Equatable, Sendable {
        package var host: String
        package var port: Int
        package var tls: Bool
        /// What comes before `/api`, mostly empty.
        package var prefix: String
    }

    package func address() throws -> Address {
        guard let parts = URL(string: url), var host = parts.host else {
            throw ClientFailure(.usage, "\"\(url)\" is not the address of a controller.")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let tls = parts.scheme?.lowercased() == "https"
        var path = parts.path
        while path.hasSuffix("/") { path.removeLast() }
        return Address(host: host, port: parts.port ?? (tls ? 443 : 80), tls: tls, prefix: path)
    }
}
