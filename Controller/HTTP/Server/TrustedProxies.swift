package import AnsFlowTransport
import HTTPTypes

/// The proxies whose word on a client's address counts.
package struct TrustedProxies: Sendable {
    /// More hops than this are nobody's honest way.
    static let hopsMax = 32

    package var ranges: [AddressRange]

    package init(_ ranges: [AddressRange] = []) {
        self.ranges = ranges
    }

    package var isEmpty: Bool { ranges.isEmpty }

    func contains(_ text: String) -> Bool {
        guard let address = IPAddress(text) else { return false }
        let meant = address.embedded ?? address
        return ranges.contains { $0.contains(meant) || $0.contains(address) }
    }

    /// The address of who sent a request: the peer, or where that is a trusted proxy, the last hop of `X-Forwarded-For` that is none.
    ///
    /// What stands left of that hop was written by a stranger and is not looked at.
    func client(peer: String, _ headers: HTTPFields) -> String {
        guard !ranges.isEmpty, contains(peer) else { return peer }
        let hops = headers[values: .xForwardedFor].flatMap { $0.split(separator: ",") }
        var client = peer
        for hop in hops.reversed().prefix(Self.hopsMax) {
            guard let address = Self.address(hop) else { break }
            client = address.description
            guard contains(client) else { break }
        }
        return client
    }

    /// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`.
    private static func address(_ hop: Substring) -> IPAddress? {
        let text = hop.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
        guard text.utf8.count <= 64 else { return nil }
        if text.hasPrefix("[") { return IPAddress(String(text.dropFirst().prefix { $0 != "]" })) }
        if let whole = IPAddress(String(text)) { return whole }
        return IPAddress(String(text.prefix { $0 != ":" }))
    }
}

extension HTTPField.Name {
    static let xForwardedFor = Self("X-Forwarded-For")!
}
