/// What starts a pipeline by itself: the word `on` of its definition, parsed and checked.
///
/// A definition without `on` has ``whenAbsent``. One with `on` is started by what it names, and by hand unless it says
/// `manual: false`.
package struct TriggerPlan: Codable, Equatable, Sendable {
    /// Pushes to branches; `nil` means that none starts it.
    package var push: PushTrigger?
    package var pullRequest: PullRequestTrigger?
    /// Pushed tags; `nil` means that none starts it.
    package var tag: GlobList?
    /// Whether it may be started by hand: by the page, the API and the command line.
    package var manual: Bool
    /// Any of them may match.
    package var webhooks: [WebhookTrigger]
    package var schedules: [ScheduleTrigger]

    package init(
        push: PushTrigger? = nil, pullRequest: PullRequestTrigger? = nil, tag: GlobList? = nil, manual: Bool = true,
        webhooks: [WebhookTrigger] = [], schedules: [ScheduleTrigger] = []
    ) {
        self.push = push
        self.pullRequest = pullRequest
        self.tag = tag
        self.manual = manual
        self.webhooks = webhooks
        self.schedules = schedules
    }

    /// A definition without `on`: every push to a branch, every pull request, every webhook that is aimed at it, and by hand.
    /// Not tags, whose commit was pushed with a branch in most cases and would be built twice; and no times.
    package static let whenAbsent = TriggerPlan(
        push: PushTrigger(), pullRequest: PullRequestTrigger(), webhooks: [WebhookTrigger()])

    enum CodingKeys: String, CodingKey {
        case push, tag, manual, webhooks, schedules
        case pullRequest = "pull_request"
    }
}

/// `on.push`.
package struct PushTrigger: Codable, Equatable, Sendable {
    /// What can happen to a branch that starts a run. A deleted branch never does: there is nothing to check out.
    package enum Event: String, Codable, Sendable, CaseIterable {
        case created, updated
        /// The new head does not contain the old one.
        case forced
    }

    /// Names of branches; empty means all.
    package var branches: GlobList
    /// Tags that count as a push too; empty means none. The same as ``TriggerPlan/tag``, for those who write it here.
    package var tags: GlobList
    package var paths: PathFilter
    /// Empty means all.
    package var events: [Event]

    package init(
        branches: GlobList = [], tags: GlobList = [], paths: PathFilter = PathFilter(), events: [Event] = []
    ) {
        self.branches = branches
        self.tags = tags
        self.paths = paths
        self.events = events
    }
}

/// `on.pull_request`.
package struct PullRequestTrigger: Codable, Equatable, Sendable {
    /// What happened to the pull request.
    package enum Event: String, Codable, Sendable, CaseIterable {
        case opened, updated, reopened, closed, merged, labeled
        /// It is no draft any more.
        case ready
    }

    /// What starts a run where `events` is not given.
    package static let eventsDefault: [Event] = [.opened, .updated, .reopened, .ready]

    /// The branches that it is to be merged into; empty means all.
    package var branches: GlobList
    package var paths: PathFilter
    package var events: [Event]
    /// Whether a run of a fork's pull request waits until a member approves it.
    package var approveForks: Bool

    package init(
        branches: GlobList = [], paths: PathFilter = PathFilter(), events: [Event] = Self.eventsDefault,
        approveForks: Bool = true
    ) {
        self.branches = branches
        self.paths = paths
        self.events = events
        self.approveForks = approveForks
    }

    enum CodingKeys: String, CodingKey {
        case branches, paths, events
        case approveForks = "approve_forks"
    }
}

/// One entry of `on.webhook`.
package struct WebhookTrigger: Codable, Equatable, Sendable {
    /// The name that the sender gives itself; `nil` means any.
    package var source: String?
    /// Must be true of the payload; `nil` means always.
    package var condition: Expression?

    package init(source: String? = nil, where condition: Expression? = nil) {
        self.source = source
        self.condition = condition
    }

    enum CodingKeys: String, CodingKey {
        case source
        case condition = "where"
    }
}

/// One entry of `on.cron`.
package struct ScheduleTrigger: Codable, Equatable, Sendable {
    /// What to do about times that passed while the controller was down. Those that pass while a pipeline is paused are not
    /// missed: nobody wants them.
    package enum Missed: String, Codable, Sendable, CaseIterable {
        /// One run for all of them together, as soon as possible. What is assumed where nothing is said.
        case runOnce = "run_once"
        case skip
    }

    /// Unique within the pipeline. Where the file gives none: the expression's text.
    package var name: String
    package var at: CronExpression
    /// A name of the time zone database, as `Europe/Berlin`. Whether it exists is the caller's to check.
    package var zone: String
    package var missed: Missed

    package init(name: String, at: CronExpression, zone: String = "UTC", missed: Missed = .runOnce) {
        self.name = name
        self.at = at
        self.zone = zone
        self.missed = missed
    }
}

/// Maxima of `on`.
package enum TriggerLimits {
    /// Patterns in one list.
    package static let globsMax = 100
    package static let webhooksMax = 20
    package static let schedulesMax = 50
    /// Changed paths that a path filter looks at; with more, the filter counts as matched.
    package static let changedPathsMax = 20_000
}
