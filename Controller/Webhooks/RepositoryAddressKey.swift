/// What is the same in all addresses of one repository: host and path, without scheme, user, port and ending.
package enum RepositoryAddressKey {
    package static func of(_ url: String) -> String {
        var rest = url.lowercased()[...]
        if let mark = rest.firstRange(of: "://") {
            let scheme = rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...]
            if scheme == "file" { return path(rest) }
            let host = rest.prefix { $0 != "/" }
            return name(host) + "/" + path(rest.dropFirst(host.count))
        }
        // git@host:owner/name.git
        if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") {
            return name(rest[..<colon]) + "/" + path(rest[rest.index(after: colon)...])
        }
        return path(rest)
    }

    /// What stands behind the host in a key.
    static func pathOf(_ key: String) -> Substring { key.drop { $0 != "/" } }

    private static func name(_ authority: Substring) -> String {
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return String(host.prefix { $0 != ":" })
    }

    private static func path(_ text: Substring) -> String {
        var path = text.drop { $0 == "/" }
        while path.hasSuffix("/") { path = path.dropLast() }
        if path.hasSuffix(".git") { path = path.dropLast(4) }
        return String(path)
    }
}
