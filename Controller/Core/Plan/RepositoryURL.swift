/// The address of a git repository, as far as it can be judged without asking anyone.
///
/// Git runs commands for some addresses (`ext::`), reads local files for others and takes a leading dash for an option, so
/// only forms that are known to be harmless are let through.
package enum RepositoryURL {
    /// Why an address is refused: a full sentence.
    package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Checks `https://host/path`, `ssh://user@host/path` and `user@host:path`; with `allowLocal` also paths, `file://`,
    /// and `http://` and the others on loopback.
    ///
    /// - Parameters:
    ///   - url: what a user wrote. It is passed to git unchanged.
    ///   - allowLocal: whether this controller was started with `--allow-local-repositories`.
    /// - Returns: `nil` where the address may be used.
    package static func check(_ url: String, allowLocal: Bool) -> Refusal? {
        guard !url.isEmpty else { return Refusal(description: "The repository's address is empty.") }
        guard url.utf8.count <= 2048 else {
            return Refusal(description: "The repository's address is too long; at most 2048 bytes are allowed.")
        }
        guard
            !url.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F || $0.properties.isWhitespace })
        else { return Refusal(description: "The repository's address contains white space or a control character.") }
        guard !url.hasPrefix("-") else {
            return Refusal(description: "The repository's address begins with a dash; git would read it as an option.")
        }
        if url.contains("::") && !url.contains("://[") {
            return Refusal(
                description: "Addresses with `::` make git run a helper program and are refused. "
                    + "Use https://host/path or ssh://user@host/path.")
        }
        if let mark = url.firstRange(of: "://") {
            return checkScheme(url[..<mark.lowerBound].lowercased(), rest: url[mark.upperBound...], allowLocal)
        }
        if url.hasPrefix("/") || url.hasPrefix(".") || url.hasPrefix("~") || !url.contains(":") {
            return allowLocal ? checkPath(url[...]) : localRefusal("A path")
        }
        return checkShort(url, allowLocal)
    }

    private static func checkScheme(_ scheme: String, rest: Substring, _ allowLocal: Bool) -> Refusal? {
        switch scheme {
        case "https", "ssh":
            break
        case "file":
            return allowLocal ? checkPath(rest) : localRefusal("A `file:` address")
        case "http":
            guard let authority = Authority(rest), authority.isLoopback else {
                return Refusal(description: "Plain http can be changed on its way and is refused. Use https.")
            }
            guard allowLocal else { return localRefusal("Loopback") }
        default:
            return Refusal(
                description: "The scheme `\(scheme)` is not allowed. Use https://host/path, ssh://user@host/path or "
                    + "user@host:path.")
        }
        guard let authority = Authority(rest) else {
            return Refusal(description: "The repository's address has no usable host, user or port.")
        }
        guard !authority.hasPassword || scheme == "ssh" && authority.password.isEmpty else {
            return Refusal(
                description: "The repository's address holds a password, which would be shown in logs. "
                    + "Keep credentials with the project instead.")
        }
        guard !authority.path.isEmpty, authority.path != "/" else {
            return Refusal(description: "The repository's address names a host but no repository on it.")
        }
        return authority.isLoopback && !allowLocal ? localRefusal("Loopback") : authority.refusal
    }

    /// `user@host:path`.
    private static func checkShort(_ url: String, _ allowLocal: Bool) -> Refusal? {
        guard let colon = url.firstIndex(of: ":"), let authority = Authority(url[..<colon]), authority.path.isEmpty,
            !authority.hasPassword
        else {
            return Refusal(
                description:
                    "The repository's address is not understood. Use https://host/path, ssh://user@host/path or "
                    + "user@host:path.")
        }
        let path = url[url.index(after: colon)...]
        guard !path.isEmpty, !path.hasPrefix("-") else {
            return Refusal(description: "The repository's address names a host but no repository on it.")
        }
        return authority.isLoopback && !allowLocal ? localRefusal("Loopback") : authority.refusal
    }

    private static func checkPath(_ path: Substring) -> Refusal? {
        guard path.hasPrefix("/") else {
            return Refusal(
                description: "A local repository needs an absolute path: the agent works in another directory.")
        }
        return nil
    }

    private static func localRefusal(_ what: String) -> Refusal {
        Refusal(
            description: "\(what) as a repository is only allowed on a controller that was started with "
                + "--allow-local-repositories.")
    }
}

/// `user:password@host:port/path`, taken apart and checked for characters that have no place in it.
private struct Authority {
    var host: String
    var hasPassword = false
    var password = ""
    var path: Substring

    init?(_ text: Substring) {
        let end = text.firstIndex(of: "/") ?? text.endIndex
        path = text[end...]
        var authority = text[..<end]
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard Self.isName(user[0], extra: "_.~+%-"), !user[0].hasPrefix("-") else { return nil }
            hasPassword = user.count == 2
            password = user.count == 2 ? String(user[1]) : ""
            authority = authority[authority.index(after: at)...]
        }
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            let inside = authority[authority.index(after: authority.startIndex)..<close]
            guard !inside.isEmpty, inside.allSatisfy({ $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") })
            else { return nil }
            host = inside.lowercased()
            authority = authority[authority.index(after: close)...]
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<colon].lowercased()
            guard Self.isName(host[...], extra: "._-"), !host.hasPrefix("-") else { return nil }
            authority = authority[colon...]
        }
        guard authority.isEmpty || authority.hasPrefix(":") else { return nil }
        let port = authority.dropFirst()
        guard port.isEmpty || (port.allSatisfy({ $0.isASCII && $0.isNumber }) && (1...65535).contains(Int(port) ?? 0))
        else { return nil }
    }

    private static func isName(_ text: Substring, extra: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || extra.contains($0)) }
    }

    /// Names and addresses of this machine, also in the short and numeric forms that resolvers take.
    var isLoopback: Bool {
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        return HostAddress(name)?.isThisHost ?? false
    }

    /// Why no repository is ever there; nil where one may be.
    var refusal: RepositoryURL.Refusal? {
        guard let what = HostAddress(host)?.isNoPlace else { return nil }
        return .init(description: "\(host) is \(what): no repository is there.")
    }
}
