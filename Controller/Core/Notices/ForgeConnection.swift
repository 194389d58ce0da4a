import AnsFlowProtocol

package enum ForgeKind: String, Codable, Sendable, CaseIterable {
    case github, gitlab
    /// Gitea and Forgejo.
    case gitea
    /// Bitbucket Cloud.
    case bitbucket

    /// Where its interface is, for the forge that everybody shares; `nil` where there is none.
    package var standardAPI: String? {
        switch self {
        case .github: "https://api.github.com"
        case .gitlab: "https://gitlab.com/api/v4"
        case .bitbucket: "https://api.bitbucket.org/2.0"
        case .gitea: nil
        }
    }
}

/// Where a project's statuses go, and with which credential.
package struct ForgeConnection: Equatable, Sendable {
    /// Of one project.
    package static let perProjectMax = 50

    package var id: Int64
    package var project: ProjectID
    /// The only pipeline that reports here; `nil` for all whose repository it is.
    package var pipeline: PipelineID?
    package var kind: ForgeKind
    /// Without a slash at its end.
    package var api: String
    /// `owner/name`, or the project's number at GitLab.
    package var repository: String
    /// The name of the project's secret that holds the token.
    package var secret: String
    package var enabled: Bool
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: Int64 = 0, project: ProjectID, pipeline: PipelineID? = nil, kind: ForgeKind, api: String,
        repository: String, secret: String, enabled: Bool = true, createdAt: Int64 = 0, updatedAt: Int64 = 0
    ) {
        self.id = id
        self.project = project
        self.pipeline = pipeline
        self.kind = kind
        self.api = api
        self.repository = repository
        self.secret = secret
        self.enabled = enabled
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// Whether a pipeline reports here. One that names another repository does not, unless the connection names the pipeline.
    ///
    /// - Parameter repositoryURL: As the pipeline has it; empty where it has none.
    package func takes(_ pipeline: PipelineID, of project: ProjectID, repositoryURL: String) -> Bool {
        guard enabled, project == self.project else { return false }
        if let only = self.pipeline { return only == pipeline }
        guard !repositoryURL.isEmpty, repository.contains("/") else { return true }
        return Self.path(of: repositoryURL) == repository.lowercased()
    }

    /// `owner/name` of `https://host/owner/name.git`, `ssh://git@host:22/owner/name` and `git@host:owner/name.git`.
    static func path(of url: String) -> String {
        var rest = url[...]
        if let scheme = rest.firstRange(of: "://") {
            rest = rest[scheme.upperBound...].drop { $0 != "/" }
        } else if let colon = rest.firstIndex(of: ":") {
            rest = rest[rest.index(after: colon)...]
        }
        while rest.hasPrefix("/") { rest.removeFirst() }
        while rest.hasSuffix("/") { rest.removeLast() }
        if rest.hasSuffix(".git") { rest.removeLast(4) }
        return rest.lowercased()
    }
}

/// What a forge shows at a commit.
package enum CommitState: String, Codable, Sendable, CaseIterable {
    case pending, running, success, failure, error, cancelled
    /// Nothing was to be done: it hinders nobody.
    case neutral

    package init(_ phase: Phase, _ outcome: Outcome?) {
        guard phase == .finished else {
            switch phase {
            case .created, .blocked, .queued: self = .pending
            case .starting, .running, .unreachable, .stopping, .finished: self = .running
            }
            return
        }
        switch outcome {
        case .success, .warning: self = .success
        case .skipped: self = .neutral
        case .cancelled: self = .cancelled
        case .failed, .timedOut: self = .failure
        case .invalid, .lost, .error, nil: self = .error
        }
    }

    package var isFinal: Bool { self != .pending && self != .running }
}

/// What is to stand at a commit under one context. There is one of each connection, commit and context: what is newer replaces what is
/// older, so that nothing stale is ever sent after it.
package struct CommitStatus: Equatable, Sendable {
    package var connection: Int64
    package var commit: String
    /// Stable, so that a rule of the forge can ask for it.
    package var context: String
    /// Which run says so; 0 where none was made. A later run's word replaces an earlier one's.
    package var run: Int64
    /// Which of the run's events.
    package var seq: Int64
    package var state: CommitState
    package var summary: String
    /// The branch or tag; empty where none is known.
    package var ref: String

    package init(
        connection: Int64, commit: String, context: String, run: Int64, seq: Int64, state: CommitState,
        summary: String, ref: String
    ) {
        self.connection = connection
        self.commit = commit
        self.context = context
        self.run = run
        self.seq = seq
        self.state = state
        self.summary = summary
        self.ref = ref
    }

    /// Whether `self` goes before what is there.
    package func replaces(_ old: CommitStatus) -> Bool { (run, seq) > (old.run, old.seq) }

    /// Whether the forge would show something else.
    package func showsOther(than old: CommitStatus) -> Bool { state != old.state || summary != old.summary }

    private static let contextBytesMax = 200

    package static func context(_ pipeline: String) -> String {
        String(decoding: "ansflow/\(pipeline)".utf8.prefix(contextBytesMax), as: UTF8.self)
    }

    /// Whether a run's commit is one that a forge can find: 40 or 64 hexadecimal digits.
    package static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
