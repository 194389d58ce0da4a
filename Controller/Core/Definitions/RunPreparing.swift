/// What somebody or something wants to run.
package struct RunWish: Equatable, Sendable {
    package var event: String
    /// `nil` for the pipeline's own.
    package var ref: String?
    /// A full id; empty for what the ref stands for now.
    package var commit: String
    package var inputs: [String: String]
    package var priority: Int
    package var actor: String
    package var idempotencyKey: String?
    /// The schedule whose slot it is.
    package var schedule: String?
    /// What is held against the definition's `on`; `nil` for what ``event`` and ``schedule`` say.
    package var trigger: TriggerEvent?
    /// Of the head commit, for the words that keep a push from starting anything.
    package var message = ""
    package var pullRequest: RunFacts.PullRequest?
    package var payload: PlanJSON?
    /// Where they are known already.
    package var changedPaths: [String]?
    /// What the run's commit is compared with where the definition asks what changed and ``changedPaths`` does not say it.
    package var comparison: PathComparison?
    package var trusted = true
    /// Whether the commit is the newest of the pipeline's own branch: its definition is then what people see of the pipeline.
    package var isNewestOfOwnRef = false

    package init(
        event: String = "manual", ref: String? = nil, commit: String = "", inputs: [String: String] = [:],
        priority: Int = 0, actor: String, idempotencyKey: String? = nil, schedule: String? = nil
    ) {
        self.event = event
        self.ref = ref
        self.commit = commit
        self.inputs = inputs
        self.priority = priority
        self.actor = actor
        self.idempotencyKey = idempotencyKey
        self.schedule = schedule
    }
}

/// Which two commits tell what an event changed.
package struct PathComparison: Equatable, Sendable {
    /// `nil` for a branch that is new.
    package var from: String?
    /// Compare with where both histories met last, as for pull requests.
    package var sinceMergeBase: Bool

    package init(from: String?, sinceMergeBase: Bool = false) {
        self.from = from
        self.sinceMergeBase = sinceMergeBase
    }
}

/// Why there is no run.
package enum RunRefusal: Error, Equatable, Sendable {
    /// The definition could not be read from its repository.
    case repository(RepositoryFailure)
    /// It was read, and is wrong; or an input is.
    case definition([Diagnostic])
    /// Its `on` does not allow it: a sentence.
    case trigger(String)
    /// Its `on` allows the event, and the path filters find nothing in it that concerns the pipeline: a sentence. Whoever asks for the
    /// pipeline's result at this commit need not wait for it.
    case unneeded(String)

    /// Whether the same may succeed a little later.
    package var mayRetry: Bool {
        if case .repository(let failure) = self { return failure.mayRetry }
        return false
    }
}

/// Makes a request that the engine takes from a pipeline and a wish: looks the commit up, reads the definition and what it
/// includes, compiles.
package protocol RunPreparing: Sendable {
    /// Ends within a stated time, whatever a repository's host does.
    func prepare(_ pipeline: PipelineRow, _ wish: RunWish) async throws(RunRefusal) -> RunRequest
    /// Reads a pipeline's definition at its own ref and judges it; for pipelines that are to be saved.
    ///
    /// - Returns: the text. Missing inputs are no error here.
    func definition(of draft: PipelineDraft) async throws(RunRefusal) -> String
}

/// What can be said of a definition without compiling it for a run.
package protocol DefinitionReading: Sendable {
    /// What a file includes, as written; empty where it can't be read: compiling says why.
    func includes(in text: String, file: String) -> [String]
    /// What starts it. Other errors of the file do not matter; `nil` where `on` itself can't be read.
    func triggers(in text: String, file: String) -> TriggerPlan?
}

/// Finds what opens a repository.
package protocol GitCredentialReading: Sendable {
    /// - Parameter secret: the name of a secret of the project.
    /// - Throws: a ``RepositoryFailure`` with `denied` where it is not set, `here` where it can't be read now.
    func credential(_ secret: String, project: ProjectID) async throws(RepositoryFailure) -> GitCredential
}

extension GitCredential {
    /// From a secret's value: a private key in PEM form, with the host's lines of `known_hosts` behind it; or a token, or a user
    /// and a token as `user:token`.
    package init(secret: String) {
        let text = secret.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
        let isKey = text.first { !$0.allSatisfy(\.isWhitespace) }?.hasPrefix("-----BEGIN ") ?? false
        guard isKey, let end = text.firstIndex(where: { $0.hasPrefix("-----END ") }) else {
            let token = secret.split(whereSeparator: \.isWhitespace).joined()
            let parts = token.split(separator: ":", maxSplits: 1).map(String.init)
            self = parts.count == 2 ? .token(user: parts[0], token: parts[1]) : .token(user: "", token: token)
            return
        }
        self = .sshKey(
            key: text[...end].joined(separator: "\n") + "\n",
            knownHosts: text[(end + 1)...].filter { !$0.isEmpty }.joined(separator: "\n"))
    }
}
