/// Names of branches, tags and commits, checked before they reach git's command line.
package enum GitRef {
    /// Checks a branch, tag or full ref by the rules of `git check-ref-format`, and refuses a leading dash.
    ///
    /// - Returns: why the name is refused, as a full sentence; `nil` where it may be used.
    package static func check(_ ref: String) -> String? {
        guard !ref.isEmpty else { return "The ref is empty." }
        guard ref.utf8.count <= 1024 else { return "The ref is too long; at most 1024 bytes are allowed." }
        guard !ref.hasPrefix("-") else { return "The ref begins with a dash; git would read it as an option." }
        for scalar in ref.unicodeScalars {
            if scalar.value <= 0x20 || scalar.value == 0x7F || "~^:?*[\\".unicodeScalars.contains(scalar) {
                return
                    "The ref contains white space, a control character or one of ~ ^ : ? * [ \\, which git does not allow."
            }
        }
        if ref.contains("..") || ref.contains("@{") || ref == "@" {
            return "The ref contains `..` or `@{`, or is `@`, which git does not allow."
        }
        if ref.hasPrefix("/") || ref.hasSuffix("/") || ref.contains("//") || ref.hasSuffix(".") {
            return "The ref begins or ends with a slash, ends with a dot, or has two slashes in a row."
        }
        if ref.split(separator: "/").contains(where: { $0.hasPrefix(".") || $0.hasSuffix(".lock") }) {
            return "A part of the ref begins with a dot or ends with `.lock`, which git does not allow."
        }
        return nil
    }

    /// Checks a commit id: 40 or 64 hexadecimal digits. A short id is refused, since a server fetches by full ids only.
    ///
    /// - Returns: why the id is refused, as a full sentence; `nil` where it may be used.
    package static func checkCommit(_ commit: String) -> String? {
        let isHex = commit.utf8.allSatisfy {
            (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0)
        }
        guard isHex, commit.utf8.count == 40 || commit.utf8.count == 64 else {
            return "The commit is not a full id of 40 or 64 hexadecimal digits."
        }
        return nil
    }
}
