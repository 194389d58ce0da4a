import AnsFlowProtocol

/// What people may be told of.
package enum NoticeEvent: String, Codable, Sendable, CaseIterable {
    /// A run ended with a failure.
    case failed
    /// A run ended well where the last one of the same pipeline and branch had failed.
    case fixed
    /// A run ended, however.
    case always
    /// A run, or a job of it, waits for somebody's word.
    case waitingForApproval = "waiting_for_approval"
    /// An agent was lost with a job that it ran.
    case agentLost = "agent_lost"
    /// Little room is left where the controller keeps its data.
    case diskLow = "disk_low"
    /// Somebody's own words.
    case system

    /// Those that a rule can name.
    package static let ofRules: [NoticeEvent] = [.failed, .fixed, .always, .waitingForApproval, .agentLost, .diskLow]
}

/// Something that people are told: in the application, by a hook, in a team chat.
package struct Notice: Codable, Equatable, Sendable {
    package var event: NoticeEvent
    /// A line.
    package var title: String
    /// A sentence or two; may be empty.
    package var message: String
    package var at: Int64
    package var project: Int64?
    package var pipeline: Int64?
    package var pipelineName: String?
    package var run: Int64?
    package var runNumber: Int64?
    /// Of the run.
    package var status: String?
    package var branch: String?
    package var commit: String?
    package var actor: String?

    package init(
        _ event: NoticeEvent, title: String, message: String, at: Int64, project: Int64? = nil, pipeline: Int64? = nil,
        pipelineName: String? = nil, run: Int64? = nil, runNumber: Int64? = nil, status: String? = nil,
        branch: String? = nil, commit: String? = nil, actor: String? = nil
    ) {
        self.event = event
        self.title = title
        self.message = message
        self.at = at
        self.project = project
        self.pipeline = pipeline
        self.pipelineName = pipelineName
        self.run = run
        self.runNumber = runNumber
        self.status = status
        self.branch = branch
        self.commit = commit
        self.actor = actor
    }

    enum CodingKeys: String, CodingKey {
        case event, title, message, at, project, pipeline, run, status, branch, commit, actor
        case pipelineName = "pipeline_name"
        case runNumber = "run_number"
    }
}

/// How a hook's body is written.
package enum NoticeFormat: String, Codable, Sendable, CaseIterable {
    case json, slack, teams, mattermost, discord
}

/// Where a project's notices can go, by name.
package struct NotificationTarget: Equatable, Sendable {
    package static let perProjectMax = 50

    package var id: Int64
    package var project: ProjectID
    package var name: String
    package var format: NoticeFormat
    /// Empty where a secret holds the address.
    package var url: String
    /// The name of the project's secret that holds the address, as team chats' addresses are secrets; empty where ``url`` does.
    package var urlSecret: String
    /// The name of the project's secret that signs bodies; empty where they are not signed.
    package var signingSecret: String
    package var enabled: Bool
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: Int64 = 0, project: ProjectID, name: String, format: NoticeFormat, url: String = "",
        urlSecret: String = "", signingSecret: String = "", enabled: Bool = true, createdAt: Int64 = 0,
        updatedAt: Int64 = 0
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.format = format
        self.url = url
        self.urlSecret = urlSecret
        self.signingSecret = signingSecret
        self.enabled = enabled
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Which events of a project go where.
package struct NotificationRule: Equatable, Sendable {
    package static let perProjectMax = 100

    package var id: Int64
    package var project: ProjectID
    /// The only pipeline that it is about; `nil` for all.
    package var pipeline: PipelineID?
    package var name: String
    package var events: [NoticeEvent]
    package var inApp: Bool
    package var target: Int64?
    package var enabled: Bool
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: Int64 = 0, project: ProjectID, pipeline: PipelineID? = nil, name: String, events: [NoticeEvent],
        inApp: Bool = false, target: Int64? = nil, enabled: Bool = true, createdAt: Int64 = 0, updatedAt: Int64 = 0
    ) {
        self.id = id
        self.project = project
        self.pipeline = pipeline
        self.name = name
        self.events = events
        self.inApp = inApp
        self.target = target
        self.enabled = enabled
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// Whether it is about such a notice.
    package func takes(_ notice: Notice) -> Bool {
        guard enabled, events.contains(notice.event) else { return false }
        if let about = notice.project, about != project.rawValue { return false }
        guard let only = pipeline else { return true }
        return notice.pipeline == only.rawValue
    }
}
