import ControllerCore

/// Makes sense of what git says when it fails.
enum GitWords {
    private static let bytesMax = 2_000

    /// What is shown of it: its last lines, since the reason comes last; without control characters and credentials.
    static func shown(_ text: String, hiding credential: GitCredential) -> String {
        var secrets: [String] = []
        switch credential {
        case .none: break
        case .token(_, let token): secrets = [token]
        case .sshKey(let key, _): secrets = key.split(separator: "\n").map(String.init).filter { $0.count > 16 }
        }
        var lines: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var clean = String(
                String.UnicodeScalarView(line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
            for secret in secrets where !secret.isEmpty { clean = clean.replacing(secret, with: "***") }
            clean = withoutPasswords(clean)
            if !clean.allSatisfy(\.isWhitespace) { lines.append(clean) }
        }
        var kept: [String] = []
        var bytes = 0
        for line in lines.suffix(12).reversed() {
            bytes += line.utf8.count + 2
            guard bytes <= bytesMax else { break }
            kept.append(line)
        }
        return kept.reversed().joined(separator: "; ")
    }

    /// `https://user:secret@host` without what stands before the host, wherever it comes from.
    private static func withoutPasswords(_ line: String) -> String {
        var clean = ""
        var rest = line[...]
        while let mark = rest.firstRange(of: "://") {
            clean += rest[..<mark.upperBound]
            rest = rest[mark.upperBound...]
            let authority = rest.prefix { $0 != "/" && $0 != " " && $0 != "'" }
            if let at = authority.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        }
        return clean + rest
    }

    /// Sorted by git's and its helpers' English words; what is not known is `other`.
    static func reason(_ errors: String) -> RepositoryFailure.Reason {
        let text = errors.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("no space left", "cannot allocate", "out of memory", "read-only file system", "disk quota") {
            return .here
        }
        if says("repository not exported") { return .noSuchRepository }
        if says(
            "host key verification failed", "authentication failed", "could not read username", "permission denied",
            "could not read password", "returned error: 401", "returned error: 403", "access denied",
            "invalid credentials",
            "terminal prompts disabled")
        {
            return .denied
        }
        if says(
            "could not resolve host", "name or service not known", "connection refused", "connection timed out",
            "couldn't connect", "failed to connect", "network is unreachable", "no route to host", "connection reset",
            "operation timed out", "returned error: 5", "returned error: 429", "early eof", "unexpected disconnect",
            "the remote end hung up", "ssl", "certificate", "empty reply", "connection closed", "temporary failure",
            "unable to connect", "operation too slow")
        {
            return .unreachable
        }
        if says(
            "not found", "does not exist", "does not appear to be a git repository", "returned error: 404",
            "not a git repository", "no such file or directory")
        {
            return .noSuchRepository
        }
        return .other
    }
}
