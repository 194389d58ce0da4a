package import AnsFlowTransport

/// An address of a request, taken apart strictly: whatever two programs could read in two ways is refused.
package struct OutgoingURL: Equatable, Sendable {
    package var isTLS: Bool
    /// In lower case, without brackets.
    package var host: String
    /// Where the host is an address.
    package var address: IPAddress?
    package var port: Int
    /// With the query; begins with a slash.
    package var target: String

    static let bytesMax = 2048

    /// Reads `http(s)://host[:port][/path][?query]`; a fragment is dropped.
    package init(_ text: String) throws(AddressPolicy.Malformed) {
        guard text.utf8.count <= Self.bytesMax, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C })
        else {
            throw .init(
                description:
                    "The address is longer than \(Self.bytesMax) bytes, or has blanks or other characters that "
                    + "must be percent-encoded.")
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        let rest = text.dropFirst(scheme.count)
        guard scheme == "https" || scheme == "http", rest.hasPrefix("://") else {
            throw .init(description: "The address must begin with https:// (or http:// to hosts that are allowed).")
        }
        isTLS = scheme == "https"
        let behind = rest.dropFirst(3)
        let authority = behind.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else {
            throw .init(description: "The address must hold no user name or password.")
        }
        (host, address, port) = try Self.authority(authority, isTLS ? 443 : 80)
        let path = behind.dropFirst(authority.count).prefix { $0 != "#" }
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    private static func authority(
        _ text: Substring, _ standardPort: Int
    ) throws(AddressPolicy.Malformed) -> (String, IPAddress?, Int) {
        let malformed = AddressPolicy.Malformed(description: "The address names no host that can be used.")
        var host = text
        var port = standardPort
        let isBracketed = text.hasPrefix("[")
        let end = isBracketed ? text.firstIndex(of: "]") : nil
        if isBracketed, end == nil { throw malformed }
        if let colon = text[(end ?? text.startIndex)...].lastIndex(of: ":") {
            guard let given = Int(text[text.index(after: colon)...]), (1...65_535).contains(given),
                String(given) == text[text.index(after: colon)...]
            else { throw AddressPolicy.Malformed(description: "The address has no port from 1 to 65535.") }
            port = given
            host = text[..<colon]
        }
        if isBracketed {
            guard host.last == "]", let address = IPAddress(String(host.dropFirst().dropLast())), !address.isV4 else {
                throw malformed
            }
            return (address.description, address, port)
        }
        if let address = IPAddress(String(host)), address.isV4 { return (address.description, address, port) }
        guard let name = name(String(host)) else { throw malformed }
        return (name, nil, port)
    }

    /// A host's name in lower case without a last dot; `nil` where it is none, or a number, which some resolvers take for an address.
    static func name(_ text: String) -> String? {
        var name = text.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(name.utf8.count), let last = labels.last?.utf8 else { return nil }
        for label in labels {
            let isWell = label.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
            }
            guard isWell, (1...63).contains(label.utf8.count), !label.hasPrefix("-"), !label.hasSuffix("-") else {
                return nil
            }
        }
        let isNumber = last.allSatisfy { (0x30...0x39).contains($0) } || last.starts(with: [0x30, 0x78])
        return isNumber ? nil : name
    }

    /// As it stands in a URL.
    package var bracketedHost: String { address?.isV4 == false ? "[\(host)]" : host }

    package var text: String { "\(isTLS ? "https" : "http")://\(bracketedHost):\(port)\(target)" }

    /// Whether credentials for one may be shown to the other.
    func hasSameOrigin(as other: OutgoingURL) -> Bool {
        isTLS == other.isTLS && host == other.host && port == other.port
    }

    /// Where a `Location` leads from here.
    func following(_ location: String) throws(AddressPolicy.Malformed) -> OutgoingURL {
        if location.contains("://") { return try OutgoingURL(location) }
        let origin = "\(isTLS ? "https" : "http")://\(bracketedHost):\(port)"
        if location.hasPrefix("//") { return try OutgoingURL((isTLS ? "https:" : "http:") + location) }
        if location.hasPrefix("/") { return try OutgoingURL(origin + location) }
        let path = target.prefix { $0 != "?" }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return try OutgoingURL(origin + folder + location)
    }
}
