package import ControllerCore
package import Logging

/// Sends what the outbox holds: looks through the engine's events for what is to be told, then tries what is due. One of each target and
/// of each commit's context is under way at a time, so that order is kept.
package actor OutboxWorker: NoticeTesting {
    package struct Configuration: Sendable {
        /// Wall clock, in milliseconds since 1970.
        package var now: @Sendable () -> Int64
        /// From 0 to 1.
        package var jitter: @Sendable () -> Double
        /// What links begin with; `nil` where nobody said how people reach the controller.
        package var linkBase: String?
        package var rule = DeliveryLifecycle.Rule()
        /// Under way at one time.
        package var parallel = 8
        package var eventsPerBatch = 500
        package var checkpoint: @Sendable (OutboxCheckpoint) -> Void = { _ in }

        package init(now: @escaping @Sendable () -> Int64, jitter: @escaping @Sendable () -> Double) {
            self.now = now
            self.jitter = jitter
        }
    }

    package enum Kind: String, CaseIterable, Sendable { case status, notice }
    /// What came of a try.
    package enum End: String, CaseIterable, Sendable {
        case sent, retried
        case gaveUp = "gave_up"
    }

    package struct Count: Hashable, Sendable {
        package var kind: Kind
        package var end: End
        package init(kind: Kind, end: End) {
            self.kind = kind
            self.end = end
        }
    }

    /// Since the start.
    package private(set) var counts: [Count: Int] = [:]

    private let store: any NoticeOutbox
    private let secrets: any SecretReading
    private let client: any OutgoingHTTP
    private let configuration: Configuration
    private let logger: Logger

    /// Keys of what is under way.
    private var underWay: Set<String> = []
    /// Connections that asked for a pause, until when.
    private var paused: [Int64: Int64] = [:]
    /// Keys of what was sent and could not be noted, until when they rest: a full disk must not make a chat hear the same again and again.
    private var resting: [String: Int64] = [:]
    private var sweptAt: Int64?

    private static let sweepEveryMs: Int64 = 3_600_000
    private static let restMs: Int64 = 60_000

    package init(
        store: any NoticeOutbox, secrets: any SecretReading, client: any OutgoingHTTP, configuration: Configuration,
        logger: Logger = Logger(label: "ansflow.outbox")
    ) {
        self.store = store
        self.secrets = secrets
        self.client = client
        self.configuration = configuration
        self.logger = logger
    }

    /// What a look at the outbox found due.
    package enum Job: Equatable, Sendable {
        case status(DueStatus)
        case delivery(DueDelivery)
    }

    // MARK: Deciding

    /// Decides what is to be sent for all events that nobody has looked at yet.
    package func derive() async throws {
        while let batch = try await store.outboxBatch(limit: configuration.eventsPerBatch) {
            let now = configuration.now()
            let writes = OutboxDerivation.writes(of: batch, now: now)
            try await store.apply(writes, from: batch.from, through: batch.through, now: now)
            if !writes.isEmpty { configuration.checkpoint(.derived) }
        }
        let now = configuration.now()
        if now - (sweptAt ?? 0) >= Self.sweepEveryMs {
            sweptAt = now
            try await store.sweepOutbox(now: now)
        }
    }

    /// Gives a notice that no run gives to all rules that ask for it.
    package func tell(_ notice: Notice, key: String) async throws {
        let routing = try await store.routing()
        var writes = OutboxWrites()
        OutboxDerivation.route(key, notice, routing, [], &writes)
        if !writes.isEmpty { try await store.add(writes, now: configuration.now()) }
    }

    // MARK: Sending

    /// What is due and not under way. Each is to be given to ``perform(_:)``, beside each other.
    package func due() async throws -> [Job] {
        let now = configuration.now()
        paused = paused.filter { $0.value > now && $0.value <= now + configuration.rule.askedPauseMsMax }
        resting = resting.filter { $0.value > now && $0.value <= now + Self.restMs }
        guard underWay.count < configuration.parallel else { return [] }
        // More than there is room for: some are under way or paused.
        let limit = configuration.parallel * 8
        let statuses = try await store.dueStatuses(now: now, limit: limit)
        let deliveries = try await store.dueDeliveries(now: now, limit: limit)
        var jobs: [Job] = []
        for status in statuses where paused[status.connection.id] == nil { take(.status(status), &jobs) }
        for delivery in deliveries { take(.delivery(delivery), &jobs) }
        return jobs
    }

    private func take(_ job: Job, _ jobs: inout [Job]) {
        let key = Self.key(job)
        guard underWay.count < configuration.parallel, resting[key] == nil, underWay.insert(key).inserted else {
            return
        }
        jobs.append(job)
    }

    private static func key(_ job: Job) -> String {
        switch job {
        case .status(let due): "s:\(due.status.connection):\(due.status.commit):\(due.status.context)"
        case .delivery(let due): "t:\(due.target.id)"
        }
    }

    package func perform(_ job: Job) async {
        do {
            switch job {
            case .status(let due): try await send(due)
            case .delivery(let due): try await send(due)
            }
        } catch {
            // It stays due and is sent again, under the same id.
            resting[Self.key(job)] = configuration.now() + Self.restMs
            logger.warning("a delivery could not be noted", metadata: ["error": "\(error)"])
        }
        underWay.remove(Self.key(job))
    }

    private func send(_ due: DueStatus) async throws {
        var delivery = due.delivery
        guard delivery.begin(now: configuration.now()) == .send else { return }
        let outcome = await outcome(of: due)
        configuration.checkpoint(.sent)
        let now = configuration.now()
        if case .later(_, let after?) = outcome {
            paused[due.connection.id] = now + min(after, configuration.rule.askedPauseMsMax)
        }
        let action = delivery.answered(outcome, now: now, jitter: configuration.jitter(), rule: configuration.rule)
        try await store.settle(due, delivery, now: now)
        note(.status, action, delivery, ["connection": "\(due.connection.id)", "commit": "\(due.status.commit)"])
    }

    private func outcome(of due: DueStatus) async -> DeliveryLifecycle.Outcome {
        let connection = due.connection
        let token: String
        switch await secret(connection.secret, connection.project) {
        case .success(let value): token = value
        case .failure(let reason): return reason.outcome
        }
        let link = due.status.run > 0 ? link(to: due.status.run) : configuration.linkBase
        do throws(ForgeRequest.Refusal) {
            let request = try ForgeRequest.make(connection, due.status, token: token, link: link)
            do throws(OutgoingFailure) {
                let answer = try await client.send(request)
                return AnswerJudge.judge(answer, from: connection.kind, now: configuration.now())
            } catch {
                return AnswerJudge.judge(error)
            }
        } catch {
            return .refused(why: error.text)
        }
    }

    private func send(_ due: DueDelivery) async throws {
        var delivery = due.delivery
        guard delivery.begin(now: configuration.now()) == .send else { return }
        let (outcome, answer) = await post(due.notice, to: due.target, id: "msg_\(due.createdAt)_\(due.id)")
        configuration.checkpoint(.sent)
        let now = configuration.now()
        let action = delivery.answered(outcome, now: now, jitter: configuration.jitter(), rule: configuration.rule)
        try await store.settle(due, delivery, answer: answer, now: now)
        note(.notice, action, delivery, ["target": "\(due.target.id)", "delivery": "\(due.id)"])
    }

    /// One try. The id is the same in each try of one delivery, so that the receiver knows it again.
    private func post(
        _ notice: Notice, to target: NotificationTarget, id: String
    ) async -> (DeliveryLifecycle.Outcome, answer: Int?) {
        var url = target.url
        if !target.urlSecret.isEmpty {
            switch await secret(target.urlSecret, target.project) {
            case .success(let value): url = value.filter { !$0.isWhitespace }
            case .failure(let reason): return (reason.outcome, nil)
            }
        }
        var signing: String?
        if !target.signingSecret.isEmpty {
            switch await secret(target.signingSecret, target.project) {
            case .success(let value): signing = value
            case .failure(let reason): return (reason.outcome, nil)
            }
        }
        let body = NoticeBody.bytes(notice, target.format, link: notice.run.flatMap { link(to: $0) })
        let headers =
            [(name: "Content-Type", value: "application/json")]
            + HookSignature.headers(id: id, seconds: configuration.now() / 1000, body: body, secret: signing)
        do throws(OutgoingFailure) {
            let answer = try await client.send(OutgoingRequest("POST", url, headers: headers, body: body))
            let host = (try? OutgoingURL(url))?.host ?? "The server"
            return (AnswerJudge.judge(answer, host: host, now: configuration.now()), answer.status)
        } catch {
            return (AnswerJudge.judge(error), nil)
        }
    }

    private func link(to run: Int64) -> String? { configuration.linkBase.map { $0 + RunWords.path(of: run) } }

    private struct NoSecret: Error {
        var outcome: DeliveryLifecycle.Outcome
    }

    private func secret(_ name: String, _ project: ProjectID) async -> Result<String, NoSecret> {
        do throws(SecretFailure) {
            let values = try await secrets.values(of: [name], project: project, environment: nil)
            if let value = values[name] { return .success(value) }
            return .failure(NoSecret(outcome: .refused(why: "The project has no secret \(name). Set it.")))
        } catch {
            return .failure(
                NoSecret(
                    outcome: error.kind == .configuration
                        ? .refused(why: error.description) : .later(why: error.description, after: nil)))
        }
    }

    private func note(
        _ kind: Kind, _ action: DeliveryLifecycle.AnsweredAction, _ delivery: DeliveryLifecycle,
        _ metadata: Logger.Metadata
    ) {
        let end: End =
            switch action {
            case .sent, .none: .sent
            case .retry: .retried
            case .gaveUp: .gaveUp
            }
        counts[Count(kind: kind, end: end), default: 0] += 1
        var metadata = metadata
        metadata["tries"] = "\(delivery.tries)"
        if let error = delivery.error { metadata["reason"] = "\(error)" }
        switch action {
        case .sent, .none: logger.debug("a delivery arrived", metadata: metadata)
        case .retry: logger.info("a delivery failed and is tried again", metadata: metadata)
        case .gaveUp: logger.warning("a delivery was given up", metadata: metadata)
        }
    }

    // MARK: Testing

    package func test(_ rule: NotificationRule) async throws -> NoticeTestResult? {
        guard let id = rule.target,
            let target = try await store.routing().targets.first(where: { $0.id == id })
        else { return nil }
        let now = configuration.now()
        let notice = Notice(
            .system, title: "A test of the rule \(rule.name)", message: "If you can read this, notices arrive here.",
            at: now, project: rule.project.rawValue)
        let (outcome, answer) = await post(notice, to: target, id: "msg_test_\(now)")
        switch outcome {
        case .taken: return NoticeTestResult(delivered: true, answer: answer, detail: "It was taken.")
        case .later(let why, _), .unsure(let why), .refused(let why):
            return NoticeTestResult(delivered: false, answer: answer, detail: why)
        }
    }
}
