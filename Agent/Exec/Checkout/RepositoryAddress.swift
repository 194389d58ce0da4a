/// A repository's address, as far as it is safe to hand to git.
package struct RepositoryAddress: Equatable, Sendable {
    package let text: String
    /// The address without user name and password, for logs.
    package let shown: String
    /// What git may speak, as `GIT_ALLOW_PROTOCOL` wants it.
    package let protocols: String

    /// - Parameter allowLocal: Whether paths of this host and loopback addresses are allowed.
    package init(_ text: String, allowLocal: Bool) throws(CheckoutFailure) {
        guard !text.isEmpty, text.utf8.count <= 4096, !text.utf8.contains(where: { $0 < 32 || $0 == 127 }),
            !text.hasPrefix("-")
        else {
            throw CheckoutFailure(
                "The repository's address is empty, too long or holds characters that no address has.")
        }
        let parts = Parts(text)
        shown = parts.shown
        self.text = text
        switch parts.scheme {
        case "https": protocols = allowLocal ? "https:http" : "https"
        case "ssh": protocols = "ssh"
        case "http" where allowLocal && parts.isLoopback: protocols = "http"
        case "file" where allowLocal: protocols = "file"
        case "file", "http":
            throw CheckoutFailure(
                "The address \(shown) is not allowed here: use https or ssh, or start the controller with "
                    + "--allow-local-repositories.")
        default:
            throw CheckoutFailure("The address \(shown) is of no known kind: use https://HOST/PATH or ssh://HOST/PATH.")
        }
        if parts.isLoopback, parts.scheme != "file", !allowLocal {
            throw CheckoutFailure(
                "The address \(shown) leads to the agent's own host, which needs --allow-local-repositories on the controller."
            )
        }
        if parts.host.hasPrefix("-") {
            throw CheckoutFailure("The address \(shown) has a host that no host is called.")
        }
    }

    private struct Parts {
        var scheme: String
        var host: String
        var shown: String

        var isLoopback: Bool {
            let name = host.lowercased()
            return name == "localhost" || name.hasSuffix(".localhost") || name.hasPrefix("127.") || name == "[::1]"
                || name == "0.0.0.0" || name == "[::]"
        }

        init(_ text: String) {
            if text.hasPrefix("/") {
                (scheme, host, shown) = ("file", "", text)
                return
            }
            let marker = text.utf8.indices.first { text[$0...].hasPrefix("://") }
            guard let marker else {
                // user@host:path, which is ssh to git.
                let before = text.prefix { $0 != ":" && $0 != "/" }
                let isShort = before.count < text.count && text[before.endIndex] == ":" && !before.isEmpty
                let user = before.lastIndex(of: "@").map { before.index(after: $0) } ?? before.startIndex
                scheme = isShort && !text[before.endIndex...].hasPrefix("::") ? "ssh" : ""
                host = String(before[user...])
                shown = String(text[user...])
                return
            }
            scheme = text[..<marker].lowercased()
            let rest = text[text.index(marker, offsetBy: 3)...]
            let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            let bare = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
            let path = rest[authority.endIndex...]
            let port =
                bare.hasPrefix("[") ? bare.firstIndex(of: "]").map { bare.index(after: $0) } : bare.firstIndex(of: ":")
            host = String(bare[..<(port ?? bare.endIndex)])
            shown = "\(scheme)://\(bare)\(path.prefix { $0 != "?" })"
        }
    }
}
