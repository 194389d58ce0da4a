import Glibc

/// The git checkout in which a pipeline is run, and what it says of itself.
package struct LocalCheckout: Equatable, Sendable {
    /// The top of the working tree.
    package var root: String
    /// Nil where no branch is checked out.
    package var branch: String?
    /// Nil before the first commit.
    package var commit: String?

    /// The checkout that holds the current directory; nil where there is none, or no git.
    package static func current() -> LocalCheckout? {
        func ask(_ arguments: String...) -> String? {
            guard let outcome = try? Capture.run("git", arguments), outcome.succeeded, !outcome.text.isEmpty else {
                return nil
            }
            return outcome.text
        }
        guard let root = ask("rev-parse", "--show-toplevel"), root.hasPrefix("/") else { return nil }
        return LocalCheckout(
            root: root, branch: ask("symbolic-ref", "--quiet", "--short", "HEAD"),
            commit: ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}"))
    }

    /// Paths below the root that differ from `commit`, files that git does not know included.
    package func paths(changedSince commit: String) throws -> [String] {
        // A name that begins with a dash would be an option.
        let known = try Capture.run(
            "git", ["-C", root, "rev-parse", "--verify", "--quiet", "--end-of-options", commit])
        guard known.succeeded else {
            throw ClientFailure(
                .notFound, "git knows no commit \"\(commit)\".", cure: "Give --changed-since a branch, tag or commit.")
        }
        let changed = try Capture.run("git", ["-C", root, "diff", "--name-only", "-z", known.text])
        let fresh = try Capture.run("git", ["-C", root, "ls-files", "-z", "--others", "--exclude-standard"])
        return Set(Self.names(changed.output) + Self.names(fresh.output)).sorted()
    }

    /// Paths of everything that belongs to the working tree: what git tracks and what it would track, nothing ignored.
    package static func files(in root: String) throws -> [String] {
        let listed = try Capture.run(
            "git", ["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        guard listed.succeeded else { throw ClientFailure(.usage, "git cannot list the files of \(root).") }
        return names(listed.output)
    }

    private static func names(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
