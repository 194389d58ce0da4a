import ControllerCore

/// A repository's address as git gets it, and what git may do with it.
struct GitAddress: Equatable, Sendable {
    let text: String
    /// For messages.
    let shown: String
    /// As `GIT_ALLOW_PROTOCOL` wants it.
    let protocols: String
    /// `https://host:port`, to which alone a token goes; empty for others.
    let tokenScope: String
    let isSSH: Bool

    init(_ source: RepositorySource) throws(RepositoryFailure) {
        let url = source.url
        if let refusal = RepositoryURL.check(url, allowLocal: source.allowLocal) {
            throw RepositoryFailure(.address, .refusedAddress, refusal.description)
        }
        text = url
        guard let mark = url.firstRange(of: "://") else {
            isSSH = !url.hasPrefix("/")
            protocols = isSSH ? "ssh" : "file"
            shown = isSSH ? Self.withoutUser(url[...]) : url
            tokenScope = ""
            return
        }
        let scheme = url[..<mark.lowerBound].lowercased()
        let rest = url[mark.upperBound...]
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        let host = Self.withoutUser(rest[..<end])
        isSSH = scheme == "ssh"
        // A redirect of https never leads to http.
        protocols = scheme
        shown = "\(scheme)://\(host)\(rest[end...].prefix { $0 != "?" && $0 != "#" })"
        tokenScope = scheme == "https" || scheme == "http" ? "\(scheme)://\(host)" : ""
    }

    private static func withoutUser(_ authority: Substring) -> String {
        authority.lastIndex(of: "@").map { String(authority[authority.index(after: $0)...]) } ?? String(authority)
    }
}
