import AnsFlowProtocol

/// How far a delivery is.
///
///     received ──claimed──▶ judging ──its runs are made──▶ judged
///         ▲                   │  ▲
///         └──the process died─┘  │ time to try again
///                             failed ──no try is left──▶ failed, without a time
package enum DeliveryState: String, Sendable, CaseIterable {
    case received, judging, judged, failed
}

/// What a delivery did to one pipeline.
package enum DeliveryOutcome: String, Sendable, CaseIterable {
    case started
    /// It wants no run of this.
    case refused
    /// It wanted one, and none could be made.
    case failed
}

/// A delivery as it is stored.
package struct DeliveryRow: Equatable, Sendable {
    package var id: DeliveryID
    package var hook: HookID
    package var project: ProjectID
    package var source: WebhookSource
    /// As `on.webhook.source` names the sender.
    package var sourceName: String
    /// The sender's id, or one that was made here.
    package var delivery: String
    /// In the sender's word, as `push`.
    package var event: String
    /// Names in lower case; what is secret is taken out.
    package var headers: [String: String]
    package var contentType: String
    package var remote: String
    /// What its sender was known by, for people: `hmac-sha256`, `token`, `api key ci`.
    package var proof: String
    package var bodyHash: [UInt8]
    /// Of the body as it came.
    package var bodyBytes: Int
    /// Compressed where ``isCompressed``; `nil` where it is no longer kept, or was not read.
    package var body: [UInt8]?
    package var isCompressed: Bool
    package var receivedAt: Int64
    package var state: DeliveryState
    /// Tries to judge it that were begun.
    package var tries: Int
    package var retryAt: Int64?
    package var judgedAt: Int64?
    /// What it was and what came of it, a sentence or two.
    package var message: String
    /// The delivery that it repeats.
    package var replayOf: DeliveryID?
    /// Copies of it that came later and were not judged.
    package var duplicates: Int
    package var lastDuplicateAt: Int64?

    package init(
        id: DeliveryID = DeliveryID(0), hook: HookID, project: ProjectID, source: WebhookSource, sourceName: String,
        delivery: String, event: String, headers: [String: String], contentType: String, remote: String,
        proof: String, bodyHash: [UInt8], bodyBytes: Int, body: [UInt8]?, isCompressed: Bool, receivedAt: Int64,
        state: DeliveryState = .received, tries: Int = 0, retryAt: Int64? = nil, judgedAt: Int64? = nil,
        message: String = "", replayOf: DeliveryID? = nil, duplicates: Int = 0, lastDuplicateAt: Int64? = nil
    ) {
        self.id = id
        self.hook = hook
        self.project = project
        self.source = source
        self.sourceName = sourceName
        self.delivery = delivery
        self.event = event
        self.headers = headers
        self.contentType = contentType
        self.remote = remote
        self.proof = proof
        self.bodyHash = bodyHash
        self.bodyBytes = bodyBytes
        self.body = body
        self.isCompressed = isCompressed
        self.receivedAt = receivedAt
        self.state = state
        self.tries = tries
        self.retryAt = retryAt
        self.judgedAt = judgedAt
        self.message = message
        self.replayOf = replayOf
        self.duplicates = duplicates
        self.lastDuplicateAt = lastDuplicateAt
    }
}

/// What a delivery did to one pipeline, in words.
package struct DeliveryVerdict: Equatable, Sendable {
    /// Counts the deliveries' parts from 0: some forges tell of several branches at once.
    package var part: Int
    package var pipeline: PipelineID
    package var pipelineName: String
    package var outcome: DeliveryOutcome
    package var message: String
    package var run: RunID?

    package init(
        part: Int = 0, pipeline: PipelineID, pipelineName: String, outcome: DeliveryOutcome, message: String,
        run: RunID? = nil
    ) {
        self.part = part
        self.pipeline = pipeline
        self.pipelineName = pipelineName
        self.outcome = outcome
        self.message = message
        self.run = run
    }
}

/// The end of a delivery's judging: what is committed in one transaction, with the runs.
package struct DeliveryJudgement: Equatable, Sendable {
    package var delivery: DeliveryID
    package var message: String
    package var verdicts: [DeliveryVerdict]
    /// Newest commits of branches that are known by it; an empty commit for one that is gone.
    package var heads: [HookHead]
    package var at: Int64

    package init(
        delivery: DeliveryID, message: String, verdicts: [DeliveryVerdict] = [], heads: [HookHead] = [], at: Int64
    ) {
        self.delivery = delivery
        self.message = message
        self.verdicts = verdicts
        self.heads = heads
        self.at = at
    }
}

/// What is asked of the engine when a delivery's definitions were read.
package struct DeliveryEnd: Sendable {
    package var delivery: DeliveryID
    package var message: String
    package var wishes: [DeliveryWish]
    package var heads: [HookHead]

    package init(_ delivery: DeliveryID, message: String, wishes: [DeliveryWish] = [], heads: [HookHead] = []) {
        self.delivery = delivery
        self.message = message
        self.wishes = wishes
        self.heads = heads
    }
}

/// What is asked of the engine for one pipeline of a delivery.
package struct DeliveryWish: Sendable {
    package var verdict: DeliveryVerdict
    /// `nil` where nothing is to be started.
    package var request: RunRequest?

    package init(_ verdict: DeliveryVerdict, request: RunRequest? = nil) {
        self.verdict = verdict
        self.request = request
    }
}
