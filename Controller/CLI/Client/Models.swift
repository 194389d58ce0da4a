// What the client reads of the controller's answers. Fields that it can do without are optional, so that an older client
// goes on working with a newer controller.

package struct Listing<Item: Decodable & Sendable>: Decodable, Sendable {
    package var items: [Item]
    package var page: Int?
    package var perPage: Int?
    package var total: Int?
}

package struct Tokens: Decodable, Sendable {
    package var accessToken: String
    package var refreshToken: String?
    /// Seconds.
    package var expiresIn: Int?
}

package struct PipelineModel: Decodable, Sendable {
    package struct Repository: Decodable, Sendable {
        package var url: String?
        package var ref: String?
        package var path: String?
    }

    package var id: Int64
    package var name: String
    package var version: Int?
    package var enabled: Bool?
    package var repository: Repository?
    package var definition: String?
    package var updatedAt: String?
}

package struct Diagnostic: Decodable, Equatable, Sendable {
    package var severity: String?
    package var line: Int?
    package var column: Int?
    package var path: String?
    package var code: String?
    package var message: String
    package var hint: String?
}

package struct ValidationModel: Decodable, Sendable {
    package var valid: Bool
    package var diagnostics: [Diagnostic]?
    package var notes: [String]?
}

package struct RunModel: Decodable, Sendable {
    package var id: Int64
    package var number: Int64?
    package var pipelineId: Int64?
    package var pipelineName: String?
    package var status: String
    package var phase: String?
    package var result: String?
    package var cause: String?
    package var message: String?
    package var ref: String?
    package var branch: String?
    package var commit: String?
    package var event: String?
    package var actor: String?
    package var createdAt: String?
    package var startedAt: String?
    package var finishedAt: String?
    package var cancelReason: String?
    package var cancelledBy: String?
    package var seq: Int64?
    package var jobs: [JobModel]?
    package var waiting: [WaitingModel]?
    package var priority: Int?
    package var trusted: Bool?
    /// The run that it repeats.
    package var originId: Int64?
    package var rerun: String?
    package var group: String?
    package var approvals: [ApprovalModel]?
    /// Of one in a list that has not ended.
    package var progress: ProgressModel?

    package var isFinished: Bool { phase == "finished" || finishedAt != nil }
}

package struct ProgressModel: Decodable, Sendable {
    package var jobs: Int?
    package var finished: Int?
    package var awaitsApproval: Bool?
}

package struct JobModel: Decodable, Sendable {
    package var id: Int64?
    package var name: String
    package var status: String
    package var phase: String?
    package var result: String?
    package var cause: String?
    package var message: String?
    package var agent: String?
    package var needs: [String]?
    package var startedAt: String?
    package var finishedAt: String?
    package var steps: [StepModel]?
    package var environment: String?
    package var attempts: [AttemptModel]?
    package var retries: Int?
    /// The job attempt of an earlier run whose result was taken over.
    package var carriedFrom: Int64?
}

/// One attempt of a job or of a step.
package struct AttemptModel: Decodable, Equatable, Sendable {
    package var id: Int64?
    package var number: Int
    package var agent: String?
    package var result: String?
    package var cause: String?
    package var message: String?
    package var exitCode: Int?
    package var startedAt: String?
    package var finishedAt: String?
}

/// A gate: what is asked of whom, and what was answered.
package struct ApprovalModel: Decodable, Sendable {
    package struct Input: Decodable, Sendable {
        package var name: String
        package var type: String?
        package var options: [String]?
        package var required: Bool?
        package var description: String?
    }

    package var runId: Int64?
    package var runNumber: Int64?
    package var pipelineName: String?
    package var environment: String?
    /// Nil where the whole run waits.
    package var job: String?
    package var state: String?
    package var message: String?
    package var by: [String]?
    package var inputs: [Input]?
    package var answeredBy: String?
    package var reason: String?
    package var askedAt: String?
    package var answeredAt: String?
    package var expiresInMs: Int64?

    /// Who may answer, for people.
    package var who: String { (by ?? []).joined(separator: " or ") }
}

package struct StepModel: Decodable, Sendable {
    package var id: Int64?
    package var name: String
    package var status: String
    package var phase: String?
    package var result: String?
    package var cause: String?
    package var message: String?
    /// Number of the newest attempt, from 1; 0 or nil before the first.
    package var attempt: Int?
    package var exitCode: Int?
    package var startedAt: String?
    package var finishedAt: String?
    package var attempts: [AttemptModel]?

    package var isFinished: Bool { phase == "finished" || phase == nil && finishedAt != nil }
}

package struct WaitingModel: Decodable, Equatable, Sendable {
    package struct Candidate: Decodable, Equatable, Sendable {
        package var agent: String?
        package var lacks: String?
    }

    /// A run, or a job of it, that is in front in a concurrency group.
    package struct Front: Decodable, Equatable, Sendable {
        package var runId: Int64?
        package var pipelineName: String?
        package var number: Int64?
        package var job: String?
        package var holds: Bool?
    }

    package var job: String?
    package var step: String?
    package var kind: String?
    package var message: String
    package var position: Int?
    package var candidates: [Candidate]?
    package var front: [Front]?
    /// Until the wait ends by itself.
    package var remainingMs: Int64?
}

package struct AgentModel: Decodable, Sendable {
    package var id: Int64
    package var name: String
    package var status: String?
    package var connected: Bool?
    package var paused: Bool?
    package var draining: Bool?
    package var revoked: Bool?
    package var note: String?
    package var labels: [String: String]?
    package var slots: Int?
    package var busy: Int?
    package var version: String?
    package var remote: String?
    package var containment: String?
    package var lastSeenAt: String?
    package var clockAheadMs: Int64?
    package var alarms: [Alarm]?

    package struct Alarm: Decodable, Sendable {
        package var kind: String
        package var message: String
        package var at: String?
        package var count: Int?
    }
}

package struct EnrolmentModel: Decodable, Sendable {
    package var token: String
    package var expiresAt: String?
    /// Where agents reach the controller, as far as it knows.
    package var controller: String?
}

package struct APIKeyModel: Decodable, Sendable {
    package var id: Int64
    package var name: String?
    package var key: String?
    package var scopes: [String]?
    package var username: String?
    package var expiresAt: String?
    package var createdAt: String?
    package var lastUsedAt: String?
}

package struct LogLineModel: Decodable, Equatable, Sendable {
    package var n: Int64
    package var tMs: Int64?
    package var text: String
    package var partial: Bool?

    package init(n: Int64, tMs: Int64? = nil, text: String, partial: Bool? = nil) {
        self.n = n
        self.tMs = tMs
        self.text = text
        self.partial = partial
    }
}

package struct LogPageModel: Decodable, Sendable {
    package var firstLine: Int64?
    /// Lines that the log has by now.
    package var total: Int64?
    /// No line will follow.
    package var complete: Bool?
    package var lines: [LogLineModel]
}
