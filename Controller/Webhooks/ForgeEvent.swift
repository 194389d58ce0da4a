package import ControllerCore

/// A repository as a forge names it.
package struct ForgeRepository: Equatable, Sendable {
    /// The forge's own id: a name may be given to another repository later.
    package var id: String
    package var name: String
    /// All addresses that the forge gives for it.
    package var urls: [String]
    package var defaultBranch: String

    package init(id: String, name: String, urls: [String], defaultBranch: String = "") {
        self.id = id
        self.name = name
        self.urls = urls
        self.defaultBranch = defaultBranch
    }
}

/// What happened, in words that all forges share.
package struct ForgeEvent: Equatable, Sendable {
    package var trigger: TriggerEvent
    /// A full ref; `nil` for the pipeline's own.
    package var ref: String?
    /// A full id; empty where the sender gave none.
    package var commit = ""
    /// What it is compared with to tell what changed.
    package var comparison: PathComparison?
    /// Of the head commit.
    package var message = ""
    package var pullRequest: RunFacts.PullRequest?
    package var trusted = true
    /// Who did it, as the sender calls them.
    package var actor = ""
    /// Why it can start nothing here, whatever definitions say; `nil` where it can.
    package var hindrance: String?
    /// For people: `push to main`.
    package var summary: String

    package init(_ trigger: TriggerEvent, ref: String? = nil, summary: String) {
        self.trigger = trigger
        self.ref = ref
        self.summary = summary
    }
}

/// What a delivery says.
package enum Reading: Equatable, Sendable {
    /// Most often one; some forges tell of several branches at once.
    case events([ForgeEvent], ForgeRepository?)
    /// The sender only tries whether somebody listens.
    case ping(String, ForgeRepository?)
    /// Nothing that could start a run: why, in a sentence.
    case nothing(String, ForgeRepository?)
    case malformed(String)

    package var repository: ForgeRepository? {
        switch self {
        case .events(_, let repository), .ping(_, let repository), .nothing(_, let repository): repository
        case .malformed: nil
        }
    }
}

/// One kind of sender: how it signs, and what its words mean. Pure.
protocol WebhookDialect: Sendable {
    /// In the sender's word; empty where the request names none.
    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String
    /// `nil` where none of the secrets made the request.
    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof?
    /// Where the repository's id stands in the body.
    static var repositoryPaths: [[String]] { get }
    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading
}

enum Dialects {
    static func of(_ source: WebhookSource) -> any WebhookDialect.Type {
        switch source {
        case .github: GitHubDialect.self
        case .gitlab: GitLabDialect.self
        case .gitea: GiteaDialect.self
        case .bitbucket: BitbucketDialect.self
        case .jenkins: JenkinsDialect.self
        case .generic: GenericDialect.self
        }
    }
}

// MARK: Parts that dialects share

enum Words {
    static let textBytesMax = 1_024
    static let messageBytesMax = 16 * 1_024

    /// Without control characters, and cut: it becomes a variable and is shown.
    static func line(_ text: String?, max: Int = textBytesMax) -> String {
        guard let text else { return "" }
        var scalars = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            bytes += UTF8.width(scalar)
            guard bytes <= max else { break }
            scalars.append(scalar)
        }
        return String(scalars)
    }

    /// A full commit id, or empty: all zeros mean that there is none.
    static func commit(_ value: PlanJSON) -> String {
        guard let text = value.text?.lowercased(), GitRef.checkCommit(text) == nil, text.contains(where: { $0 != "0" })
        else { return "" }
        return text
    }

    static func short(_ commit: String) -> String { commit.isEmpty ? "" : " at \(commit.prefix(8))" }

    /// A push of a branch or tag.
    ///
    /// - Parameters:
    ///   - before: empty where it is new.
    ///   - after: empty where it is gone.
    static func push(
        ref: String, before: String, after: String, isForced: Bool, message: String, actor: String
    ) -> ForgeEvent {
        var event: ForgeEvent
        if after.isEmpty {
            event = ForgeEvent(.deleted(ref: line(ref)), summary: "\(line(ref)) was deleted")
        } else if ref.hasPrefix("refs/tags/") {
            let tag = line(String(ref.dropFirst(10)))
            event = ForgeEvent(.tag(tag), ref: ref, summary: "tag \(tag)\(short(after))")
        } else {
            let branch = line(ref.hasPrefix("refs/heads/") ? String(ref.dropFirst(11)) : ref)
            let kind: PushTrigger.Event = before.isEmpty ? .created : isForced ? .forced : .updated
            event = ForgeEvent(
                .push(branch: branch, kind), ref: "refs/heads/\(branch)", summary: "push to \(branch)\(short(after))")
            event.comparison = PathComparison(from: before.isEmpty ? nil : before)
        }
        event.commit = after
        event.message = line(message, max: messageBytesMax)
        event.actor = line(actor)
        if let ref = event.ref, let refusal = GitRef.check(ref) { event.hindrance = refusal }
        return event
    }

    /// A pull or merge request.
    ///
    /// - Parameters:
    ///   - ref: where the target's repository has its head.
    ///   - base: the commit, or full ref, that it is compared with.
    static func pullRequest(
        _ facts: RunFacts.PullRequest, _ kind: PullRequestTrigger.Event, ref: String, commit: String, base: String,
        isFork: Bool, actor: String, message: String = ""
    ) -> ForgeEvent {
        var facts = facts
        (facts.base, facts.head) = (line(facts.base), line(facts.head))
        (facts.author, facts.title) = (line(facts.author), line(facts.title))
        var event = ForgeEvent(
            .pullRequest(base: facts.base, kind, isFork: isFork), ref: ref,
            summary: "pull request \(facts.number) into \(facts.base), \(kind.rawValue)"
                + (isFork ? ", from a fork" : ""))
        event.commit = commit
        event.comparison = PathComparison(from: base, sinceMergeBase: true)
        event.pullRequest = facts
        event.trusted = !isFork
        event.actor = line(actor)
        event.message = line(message, max: messageBytesMax)
        if facts.number <= 0 || facts.base.isEmpty { event.hindrance = "The pull request has no number or target." }
        if let refusal = GitRef.check(ref) { event.hindrance = refusal }
        return event
    }

    /// Something else that a forge tells, such as a release: only for pipelines whose `on.webhook` names the forge.
    static func notice(_ source: String, _ kind: String, summary: String, actor: String) -> ForgeEvent {
        var event = ForgeEvent(.notice(source: source, kind: line(kind)), summary: summary)
        event.actor = line(actor)
        return event
    }

    static func joined(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: " ") }
}
