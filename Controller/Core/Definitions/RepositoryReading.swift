/// Reads repositories without a work tree: definitions, what a name stands for, what changed.
///
/// Every call ends within the limits of the implementation, and touches the network only where the mirror does not hold the
/// answer. Names are always asked of the host; a commit's contents never change and come from the mirror.
package protocol RepositoryReading: Sendable {
    /// What a branch, tag, full ref or full commit id stands for now. An empty name is the default branch.
    func resolve(_ ref: String, in source: RepositorySource) async throws(RepositoryFailure) -> ResolvedCommit

    /// The text of a file.
    ///
    /// - Parameters:
    ///   - path: from the root of the repository.
    ///   - commit: with its ref, which is fetched where the host does not give a commit by its id.
    func read(
        _ path: String, at commit: ResolvedCommit, in source: RepositorySource, limitBytes: Int
    ) async throws(RepositoryFailure) -> String

    /// The paths of all files below a folder, at most 20,000; an empty folder name means all.
    func files(
        below folder: String, at commit: ResolvedCommit, in source: RepositorySource
    ) async throws(RepositoryFailure) -> [String]

    /// All branches of the host with their newest commits, at most 10,000.
    func branches(in source: RepositorySource) async throws(RepositoryFailure) -> [ResolvedCommit]

    /// The paths that differ between two commits; renamed files count under both names.
    ///
    /// - Parameters:
    ///   - from: `nil` for a branch that is new: then it is compared with where it left the default branch.
    ///   - sinceMergeBase: compare with where both histories met last, as for pull requests.
    /// - Returns: `unknown` where the old commit or the common history can't be had; not an error.
    func changedPaths(
        from: String?, to commit: ResolvedCommit, sinceMergeBase: Bool, in source: RepositorySource
    ) async throws(RepositoryFailure) -> ChangedPaths
}
