/// How a job's repository is checked out.
package struct CheckoutOptions: Codable, Equatable, Sendable {
    /// Commits of history; 0 for all.
    package var depth: Int
    package var submodules: Bool
    package var lfs: Bool
    /// Whether files that git does not know are removed first.
    package var clean: Bool

    package init(depth: Int = 1, submodules: Bool = false, lfs: Bool = false, clean: Bool = true) {
        self.depth = depth
        self.submodules = submodules
        self.lfs = lfs
        self.clean = clean
    }
}
