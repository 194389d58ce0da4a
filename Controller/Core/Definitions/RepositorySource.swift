/// Where a repository is and how to get in.
package struct RepositorySource: Equatable, Sendable {
    /// Let through by ``RepositoryURL/check(_:allowLocal:)``.
    package var url: String
    package var allowLocal: Bool
    package var credential: GitCredential

    package init(url: String, allowLocal: Bool = false, credential: GitCredential = .none) {
        self.url = url
        self.allowLocal = allowLocal
        self.credential = credential
    }
}

/// What opens a repository. Never printed: the description says the kind only.
package enum GitCredential: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    case none
    /// For https. Most forges take any user name beside a token; `x-access-token` suits them all where nothing is known.
    case token(user: String, token: String)
    /// For ssh: a private key as text, without a passphrase, and the lines of `known_hosts` that name the host's keys.
    case sshKey(key: String, knownHosts: String)

    package var description: String {
        switch self {
        case .none: "no credential"
        case .token: "a token"
        case .sshKey: "an SSH key"
        }
    }

    package var debugDescription: String { description }
}

/// A commit that a name stood for when it was looked up.
package struct ResolvedCommit: Equatable, Sendable {
    /// The full id.
    package var commit: String
    /// The full name, as `refs/heads/main`; empty where a commit was named itself.
    package var ref: String
    package var branch: String
    package var tag: String

    package init(commit: String, ref: String) {
        self.commit = commit
        self.ref = ref
        branch = ref.hasPrefix("refs/heads/") ? String(ref.dropFirst(11)) : ""
        tag = ref.hasPrefix("refs/tags/") ? String(ref.dropFirst(10)) : ""
    }
}
