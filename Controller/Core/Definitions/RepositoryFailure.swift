/// Why something could not be had from a repository.
package struct RepositoryFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// How far it came.
    package enum Step: String, Sendable {
        /// The address itself is refused.
        case address
        /// Asking the host what branches and tags there are.
        case contact
        /// Finding the branch, tag or commit.
        case ref
        /// Bringing a commit here.
        case fetch
        /// Reading a file of the commit.
        case read
        /// Comparing two commits.
        case compare
    }

    package enum Reason: String, Sendable, CaseIterable {
        case refusedAddress = "refused_address"
        /// No connection, or it broke.
        case unreachable
        case timeout
        /// The host wants other credentials, or none are given.
        case denied
        case noSuchRepository = "no_such_repository"
        case noSuchRef = "no_such_ref"
        case noSuchCommit = "no_such_commit"
        case noSuchFile = "no_such_file"
        /// A folder, a symbolic link or a submodule where a file should be, or a file that is not text.
        case notAFile = "not_a_file"
        case tooLarge = "too_large"
        /// Disk, memory or git itself of the controller.
        case here
        /// Git failed in a way that is not known.
        case other
    }

    package var step: Step
    package var reason: Reason
    /// A full sentence that names the cure.
    package var message: String
    /// Git's own words, without credentials; empty where it said nothing.
    package var gitSays: String
    /// Whether the same may succeed a little later.
    package var mayRetry: Bool

    package init(_ step: Step, _ reason: Reason, _ message: String, gitSays: String = "", mayRetry: Bool? = nil) {
        self.step = step
        self.reason = reason
        self.message = message
        self.gitSays = gitSays
        switch reason {
        case .unreachable, .timeout, .here, .other: self.mayRetry = mayRetry ?? true
        case .refusedAddress, .denied, .noSuchRepository, .noSuchRef, .noSuchCommit, .noSuchFile, .notAFile, .tooLarge:
            self.mayRetry = mayRetry ?? false
        }
    }

    package var description: String {
        gitSays.isEmpty ? message : "\(message) Git says: \(gitSays)"
    }
}
