/// What started a run, as expressions and variables see it. `nil` means that there is none.
package struct RunFacts: Equatable, Sendable {
    /// Why the run exists: `manual`, `push`, `tag`, `pull_request`, `cron`, `webhook` and so on.
    package var event: String
    /// What is checked out, as it was asked for.
    package var ref: String?
    package var branch: String?
    package var tag: String?
    package var commit: String?
    package var repository: Repository?
    package var pullRequest: PullRequest?
    /// What came with the event, at most ``PlanLimits/payloadBytesMax``.
    package var payload: PlanJSON?
    /// Paths that the event changed; `nil` where nobody knows, and then everything counts as changed.
    package var changedPaths: [String]?
    /// Whether who wrote the code may use the project's secrets. What comes from a fork may not.
    package var trusted: Bool
    /// W3C `traceparent` of whoever asked for the run; its steps get it as `TRACEPARENT`.
    package var trace: String?
    /// Whether a run that is not trusted begins without waiting for a member's word: `approve_forks: false`.
    package var skipsApproval: Bool = false

    /// Where a checkout fetches from. The address was checked with ``RepositoryURL/check(_:allowLocal:)``.
    package struct Repository: Codable, Equatable, Sendable {
        package var url: String
        package var allowLocal: Bool

        package init(url: String, allowLocal: Bool = false) {
            self.url = url
            self.allowLocal = allowLocal
        }

        enum CodingKeys: String, CodingKey {
            case url
            case allowLocal = "allow_local"
        }
    }

    /// A pull or merge request.
    package struct PullRequest: Codable, Equatable, Sendable {
        package var number: Int64
        package var base: String
        package var head: String
        package var author: String
        package var title: String

        package init(number: Int64, base: String, head: String, author: String, title: String) {
            self.number = number
            self.base = base
            self.head = head
            self.author = author
            self.title = title
        }
    }

    package init(
        event: String = "manual", ref: String? = nil, branch: String? = nil, tag: String? = nil, commit: String? = nil,
        repository: Repository? = nil, pullRequest: PullRequest? = nil, payload: PlanJSON? = nil,
        changedPaths: [String]? = nil, trusted: Bool = true
    ) {
        self.event = event
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
        self.repository = repository
        self.pullRequest = pullRequest
        self.payload = payload
        self.changedPaths = changedPaths
        self.trusted = trusted
    }
}

extension RunFacts: Codable {
    enum CodingKeys: String, CodingKey {
        case event, ref, branch, tag, commit, repository, payload, trusted, trace
        case skipsApproval = "skips_approval"
        case pullRequest = "pull_request"
        case changedPaths = "changed_paths"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        event = try container.decode(String.self, forKey: .event)
        ref = try container.decodeIfPresent(String.self, forKey: .ref)
        branch = try container.decodeIfPresent(String.self, forKey: .branch)
        tag = try container.decodeIfPresent(String.self, forKey: .tag)
        commit = try container.decodeIfPresent(String.self, forKey: .commit)
        repository = try container.decodeIfPresent(Repository.self, forKey: .repository)
        pullRequest = try container.decodeIfPresent(PullRequest.self, forKey: .pullRequest)
        payload = try container.decodeIfPresent(PlanJSON.self, forKey: .payload)
        changedPaths = try container.decodeIfPresent([String].self, forKey: .changedPaths)
        trusted = try container.decodeIfPresent(Bool.self, forKey: .trusted) ?? true
        trace = try container.decodeIfPresent(String.self, forKey: .trace)
        skipsApproval = try container.decodeIfPresent(Bool.self, forKey: .skipsApproval) ?? false
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(event, forKey: .event)
        try container.encodeIfPresent(ref, forKey: .ref)
        try container.encodeIfPresent(branch, forKey: .branch)
        try container.encodeIfPresent(tag, forKey: .tag)
        try container.encodeIfPresent(commit, forKey: .commit)
        try container.encodeIfPresent(repository, forKey: .repository)
        try container.encodeIfPresent(pullRequest, forKey: .pullRequest)
        try container.encodeIfPresent(payload, forKey: .payload)
        try container.encodeIfPresent(changedPaths, forKey: .changedPaths)
        if !trusted { try container.encode(false, forKey: .trusted) }
        try container.encodeIfPresent(trace, forKey: .trace)
        if skipsApproval { try container.encode(true, forKey: .skipsApproval) }
    }
}
