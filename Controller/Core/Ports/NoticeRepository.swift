/// A notice as people see it in the application.
package struct NoticeView: Equatable, Sendable {
    package var id: Int64
    package var notice: Notice
    /// When the reader marked it as read.
    package var readAt: Int64?

    package init(id: Int64, notice: Notice, readAt: Int64?) {
        self.id = id
        self.notice = notice
        self.readAt = readAt
    }
}

/// One delivery of a rule's log.
package struct NoticeDeliveryView: Equatable, Sendable {
    package var id: Int64
    package var target: Int64
    package var rule: Int64?
    package var notice: Notice
    package var delivery: DeliveryLifecycle
    /// What the server answered last.
    package var answer: Int?
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: Int64, target: Int64, rule: Int64?, notice: Notice, delivery: DeliveryLifecycle, answer: Int?,
        createdAt: Int64, updatedAt: Int64
    ) {
        self.id = id
        self.target = target
        self.rule = rule
        self.notice = notice
        self.delivery = delivery
        self.answer = answer
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Which notices somebody sees.
package struct NoticeFilter: Equatable, Sendable {
    /// Only of these projects; `nil` for all. Notices of the whole instance are for everybody.
    package var projects: [ProjectID]?
    package var project: ProjectID?
    package var unreadOnly = false
    /// Only older ones than this.
    package var after: Int64?
    package init() {}
}

/// Badges of one project or pipeline.
package struct BadgeAccess: Equatable, Sendable {
    /// Whether everybody may see the badges of the project.
    package var isPublic: Bool
    /// What opens this pipeline's badge; `nil` where none was made.
    package var token: String?

    package init(isPublic: Bool, token: String?) {
        self.isPublic = isPublic
        self.token = token
    }
}

/// Targets, rules, notices and their deliveries. Each method is one transaction.
package protocol NoticeRepository: Sendable {
    func targets(of project: ProjectID) async throws -> [NotificationTarget]
    func target(_ id: Int64) async throws -> NotificationTarget?
    /// Makes one where the id is 0. `nil` where there is none of that id. Throws ``NoticeChange``.
    func save(_ target: NotificationTarget) async throws -> NotificationTarget?
    /// False where there is none. Throws ``NoticeChange/inUse``.
    func deleteTarget(_ id: Int64) async throws -> Bool

    /// By id; of all projects where none is named.
    func rules(of project: ProjectID?) async throws -> [NotificationRule]
    func rule(_ id: Int64) async throws -> NotificationRule?
    func save(_ rule: NotificationRule) async throws -> NotificationRule?
    func deleteRule(_ id: Int64) async throws -> Bool
    /// Newest first.
    func deliveries(ofRule rule: Int64, page: Int, perPage: Int) async throws -> Page<NoticeDeliveryView>
    func delivery(_ id: Int64) async throws -> NoticeDeliveryView?

    /// Newest first, with what the reader has read.
    func notices(_ filter: NoticeFilter, reader: UserID, page: Int, perPage: Int) async throws -> Page<NoticeView>
    /// Marks as read, all that the filter shows where no ids are given. Gives back how many were unread.
    func markRead(_ ids: [Int64]?, _ filter: NoticeFilter, reader: UserID, at: Int64) async throws -> Int
    /// Gives back the notice's id; `nil` where one with that key is there.
    func add(_ notice: Notice, key: String) async throws -> Int64?

    func badgeAccess(_ pipeline: PipelineID) async throws -> BadgeAccess
    func areBadgesPublic(of project: ProjectID) async throws -> Bool
    func setBadges(public isPublic: Bool, of project: ProjectID) async throws
    /// Sets or, with `nil`, removes what opens a pipeline's badge.
    func setBadgeToken(_ token: String?, of pipeline: PipelineID) async throws
    /// Of the newest run that has begun, on a branch where one is named.
    func badgeRun(_ pipeline: PipelineID, branch: String?) async throws -> RunRow?
}

/// Tries a rule's target now.
package protocol NoticeTesting: Sendable {
    /// What became of it; `nil` where the rule has no target.
    func test(_ rule: NotificationRule) async throws -> NoticeTestResult?
}

package struct NoticeTestResult: Equatable, Sendable {
    package var delivered: Bool
    package var answer: Int?
    /// A sentence.
    package var detail: String

    package init(delivered: Bool, answer: Int?, detail: String) {
        self.delivered = delivered
        self.answer = answer
        self.detail = detail
    }
}
