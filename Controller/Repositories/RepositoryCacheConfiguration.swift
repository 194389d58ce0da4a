/// Limits of a ``RepositoryCache``.
package struct RepositoryCacheConfiguration: Sendable {
    /// Made where it is missing, readable for this user only.
    package var directory: String
    /// Of all mirrors together. The one that is in use is never removed.
    package var bytesMax: Int64 = 10 << 30
    /// Of one mirror while it is fetched into.
    package var mirrorBytesMax: Int64 = 2 << 30
    /// For asking a host what it has.
    package var contactLimit: Duration = .seconds(20)
    /// For bringing a commit here.
    package var fetchLimit: Duration = .seconds(120)
    /// For anything that needs no network.
    package var localLimit: Duration = .seconds(30)
    /// Git processes that speak with hosts at one time; more wait.
    package var connectionsMax = 4
    /// After so many fetches a mirror is made anew: it is never repacked.
    package var fetchesMax = 200
    /// Whether git may use this account's own SSH keys, agent and known hosts where no credential is given. For a controller
    /// that one person runs for themselves.
    package var usesOwnIdentity = false
    /// This process's variables; of them git gets those that are known to be harmless.
    package var environment: [String: String]

    package init(directory: String, environment: [String: String]) {
        self.directory = directory
        self.environment = environment
    }
}
