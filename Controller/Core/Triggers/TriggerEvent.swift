/// Something that may start a run.
package enum TriggerEvent: Equatable, Sendable {
    case push(branch: String, PushTrigger.Event)
    case tag(String)
    /// A branch or tag that is gone. It starts nothing.
    case deleted(ref: String)
    /// - base: the branch that it is to be merged into.
    case pullRequest(base: String, PullRequestTrigger.Event, isFork: Bool)
    case manual
    case webhook(source: String)
    /// Something that a forge tells beside pushes and pull requests, as a release: only for definitions whose `on.webhook` names the
    /// forge.
    case notice(source: String, kind: String)
    /// The name of the schedule.
    case cron(String)
    /// A run that a member asks for again, or that another run starts. No trigger hinders it.
    case direct

    /// As ``RunFacts/event`` names it.
    package var name: String {
        switch self {
        case .push, .deleted: "push"
        case .tag: "tag"
        case .pullRequest: "pull_request"
        case .manual: "manual"
        case .webhook, .notice: "webhook"
        case .cron: "cron"
        case .direct: "manual"
        }
    }
}

/// The files that an event changed.
package enum ChangedPaths: Equatable, Sendable {
    case known([String])
    /// They can't be told, for this reason. Every path filter then counts as matched: a run too many is better than one
    /// too few.
    case unknown(String)
}

/// Whether an event starts a run.
package enum TriggerVerdict: Equatable, Sendable {
    /// - why: a sentence.
    /// - waitsForApproval: whether a member must approve the run, since the code is a stranger's.
    case matched(why: String, waitsForApproval: Bool)
    /// Why not: a sentence that names the word of the definition.
    case refused(String)
    /// A path filter decides. Find out what changed and ask again.
    case needsPaths

    package var isMatch: Bool {
        if case .matched = self { return true }
        return false
    }
}
