import AnsFlowProtocol
package import ControllerCore
package import Logging

/// Judges stored deliveries: reads them, asks each pipeline's definition, and has the engine make the runs and mark the delivery judged
/// in one transaction. What a crash cuts off is judged again after the next start; tries are counted before they begin.
///
/// Deliveries of one hook are judged in the order in which they came, those of several hooks beside each other.
package actor WebhookWorker {
    /// The engine's command.
    package typealias Judge =
        @Sendable (DeliveryEnd) async throws(CommandFailure) -> DeliveryJudgement

    package struct Configuration: Sendable {
        /// Milliseconds since 1970.
        package var now: @Sendable () -> Int64
        /// Grows when a pipeline was saved or deleted.
        package var pipelinesVersion: @Sendable () -> UInt64
        /// Why new runs can't be taken; nil while there is room.
        package var shortage: @Sendable () -> String?
        /// In which state of its life a project is; nil for one that is gone.
        package var projectState: @Sendable (ProjectID) async throws -> ProjectState? = { _ in .active }
        package var pausesMs = WebhookLimits.pausesMs
        /// Deliveries that are taken at one time.
        package var claimMax = 64
        /// Hooks whose deliveries are judged at one time.
        package var parallel = 4
        package var checkpoint: @Sendable (WebhookCheckpoint) -> Void = { _ in }
        /// Called with a pipeline, a commit and a sentence where path filters rule the pipeline out. Durable on return; the same again
        /// changes nothing.
        package var ruledOut: @Sendable (PipelineID, String, String) async throws -> Void = { _, _, _ in }
        /// Nil where no builds of other systems are shown.
        package var builds: (any BuildMirroring)?

        package init(
            now: @escaping @Sendable () -> Int64, pipelinesVersion: @escaping @Sendable () -> UInt64,
            shortage: @escaping @Sendable () -> String? = { nil }
        ) {
            self.now = now
            self.pipelinesVersion = pipelinesVersion
            self.shortage = shortage
        }
    }

    /// What came of judging.
    package enum End: String, CaseIterable, Sendable {
        case started, nothing
        /// Of one try: it is judged again, or given up.
        case failed
    }

    /// Since the start.
    package private(set) var counts: [End: Int] = [:]

    private let store: any WebhookRepository
    private let pipelines: any PipelineRepository
    private let runs: any RunPreparing
    private let judge: Judge
    let configuration: Configuration
    private let logger: Logger

    private var rows: [ProjectID: [PipelineRow]] = [:]
    private var loaded: UInt64?

    package init(
        store: any WebhookRepository, pipelines: any PipelineRepository, runs: any RunPreparing,
        judge: @escaping Judge, configuration: Configuration, logger: Logger = Logger(label: "ansflow.webhooks")
    ) {
        self.store = store
        self.pipelines = pipelines
        self.runs = runs
        self.judge = judge
        self.configuration = configuration
        self.logger = logger
    }

    /// To be called once, before the first ``work()``.
    package func begin() async throws { try await store.releaseDeliveries() }

    /// Judges everything that is due. To be called when something came, and now and then for what waits for another try.
    package func work() async throws {
        while true {
            let claimed = try await store.claimDeliveries(limit: configuration.claimMax, now: configuration.now())
            guard !claimed.isEmpty else { return }
            configuration.checkpoint(.claimed)
            let lines = Dictionary(grouping: claimed, by: \.hook).values.sorted { $0[0].id < $1[0].id }
            await withTaskGroup(of: Void.self) { group in
                for (index, line) in lines.enumerated() {
                    if index >= configuration.parallel { await group.next() }
                    group.addTask { for delivery in line { await self.judge(delivery) } }
                }
            }
        }
    }

    // MARK: One delivery

    /// Why a try failed, and may be made again.
    struct Trouble: Error {
        var message: String
    }

    private func judge(_ delivery: DeliveryRow) async {
        do {
            try await finish(delivery)
        } catch {
            await failed(delivery, (error as? Trouble)?.message ?? "\(error)")
        }
    }

    private func failed(_ delivery: DeliveryRow, _ why: String) async {
        counts[.failed, default: 0] += 1
        let now = configuration.now()
        let at = DeliveryRetry.at(now, tries: delivery.tries, pauses: configuration.pausesMs)
        let message =
            at.map { "It is judged again at \(Timestamp.text($0)): \(why)" }
            ?? "It was given up after \(delivery.tries) tries: \(why) Replay it once that is mended."
        logger.warning(
            "a webhook could not be judged",
            metadata: ["delivery": "\(delivery.id)", "try": "\(delivery.tries)", "reason": "\(why)"])
        do {
            try await store.retryDelivery(delivery.id, at: at, message: Words.line(message, max: 4_000))
        } catch {
            // It stays as it is, and is taken up again after the next start.
            logger.error("a webhook's failure could not be noted", metadata: ["delivery": "\(delivery.id)"])
        }
    }

    private func finish(_ delivery: DeliveryRow) async throws {
        let isLast = DeliveryRetry.isLast(delivery.tries, pauses: configuration.pausesMs)
        if delivery.tries > configuration.pausesMs.count + 1 {
            throw Trouble(message: "the controller ended again and again while it was being judged.")
        }
        if let shortage = configuration.shortage(), !isLast { throw Trouble(message: shortage) }
        guard let hook = try await store.hook(delivery.hook)?.row else {
            return try await end(delivery, "Its hook was deleted.")
        }
        guard try await configuration.projectState(hook.project) == .active else {
            return try await end(delivery, "Its project is archived or gone, so nothing of it starts.")
        }
        guard let body = StoredBody.open(delivery) else {
            return try await end(delivery, "Its body is no longer kept, or damaged.")
        }
        if delivery.source == hook.source, CatchUpDelivery.isTest(delivery.event) {
            return try await end(delivery, "The hook works from here on: this test was stored and judged.")
        }
        let payload: PlanJSON
        do throws(JSONReader.Malformed) {
            payload = try Payload.json(body, contentType: delivery.contentType)
        } catch {
            return try await end(delivery, "It could not be read as JSON. \(error.message)")
        }
        if hook.mirrorsBuilds, hook.source == .jenkins, delivery.source == .jenkins, let builds = configuration.builds {
            return try await mirror(payload, delivery, hook, builds)
        }
        let isMadeUp = delivery.event == CatchUpDelivery.event
        if let why = try await superseded(delivery, payload, hook, isMadeUp: isMadeUp) {
            return try await end(delivery, why)
        }
        let reading =
            isMadeUp
            ? CatchUpDelivery.read(payload, hook) : Dialects.of(delivery.source).read(delivery.event, payload, delivery)
        let plan = DeliveryPlan.make(
            delivery, reading, hook: hook, pipelines: try await all(hook.project), payload: Payload.trimmed(payload))
        if let binding = plan.binding {
            try await store.bindHook(hook.id, repository: binding.id, url: binding.urls.first ?? "")
        }
        try await carryOut(plan, delivery, hook, isLast: isLast)
    }

    /// A push that was made up for already, or a made-up one whose push came after all.
    private func superseded(
        _ delivery: DeliveryRow, _ payload: PlanJSON, _ hook: HookRow, isMadeUp: Bool
    ) async throws -> String? {
        guard hook.catchUp == .start, delivery.replayOf == nil, hook.source.isForge else { return nil }
        let push = isMadeUp ? CatchUpDelivery.push(payload) : nil
        if let push, try await store.heads(of: hook.id).contains(where: { $0 == push }) {
            return "The forge delivered this push itself meanwhile."
        }
        guard !isMadeUp,
            case .events(let events, _) = Dialects.of(delivery.source).read(delivery.event, payload, delivery),
            events.count == 1, case .push(let branch, _) = events[0].trigger
        else { return nil }
        let id = CatchUpDelivery.id(HookHead(branch: branch, commit: events[0].commit))
        return try await store.delivery(named: id, of: hook.id).map {
            "This push was made up for already, by the event \($0)."
        }
    }

    private func carryOut(
        _ plan: DeliveryPlan, _ delivery: DeliveryRow, _ hook: HookRow, isLast: Bool
    ) async throws {
        var wishes = plan.verdicts.map { DeliveryWish($0) }
        for ask in plan.asks { wishes.append(try await prepare(ask, isLast: isLast)) }
        let count = wishes.count { $0.request != nil }
        var message = plan.message
        if !wishes.isEmpty {
            message +=
                count == 0
                ? ". It started nothing." : count == 1 ? ". It started a run." : ". It started \(count) runs."
        }
        try await end(delivery, message, wishes, heads: hook.catchUp == .off ? [] : plan.heads)
    }

    func end(
        _ delivery: DeliveryRow, _ message: String, _ wishes: [DeliveryWish] = [], heads: [HookHead] = []
    ) async throws {
        do throws(CommandFailure) {
            let judgement = try await judge(
                DeliveryEnd(delivery.id, message: Words.line(message, max: 4_000), wishes: wishes, heads: heads))
            counts[judgement.verdicts.contains { $0.run != nil } ? .started : .nothing, default: 0] += 1
            logger.info(
                "a webhook was judged",
                metadata: [
                    "delivery": "\(delivery.id)", "source": "\(delivery.source.rawValue)",
                    "runs": "\(judgement.verdicts.compactMap(\.run?.description).joined(separator: " "))",
                ])
        } catch {
            // Whether it was committed is unknown where the disk failed: the row says it.
            if let row = try? await store.delivery(delivery.id)?.row, row.state == .judged { return }
            switch error {
            case .notWritable(let why): throw Trouble(message: "nothing can be made durable: \(why).")
            case .overloaded: throw Trouble(message: "too many runs are active or wait.")
            case .conflict(let why): throw Trouble(message: why)
            case .notFound, .invalid: throw Trouble(message: "the engine refused it.")
            }
        }
    }

    private func prepare(_ ask: DeliveryPlan.Ask, isLast: Bool) async throws -> DeliveryWish {
        var verdict = DeliveryVerdict(
            part: ask.part, pipeline: ask.pipeline.id, pipelineName: ask.pipeline.name, outcome: .started, message: "")
        do throws(RunRefusal) {
            let request = try await runs.prepare(ask.pipeline, ask.wish)
            verdict.message = request.reason
            return DeliveryWish(verdict, request: request)
        } catch {
            switch error {
            case .trigger(let why):
                verdict.outcome = .refused
                verdict.message = why
            case .unneeded(let why):
                try await tell(ask, why, isLast: isLast)
                verdict.outcome = .refused
                verdict.message = why
            case .repository(let failure) where failure.mayRetry && !isLast:
                throw Trouble(message: "\(ask.pipeline.name): the repository could not be fetched: \(failure)")
            case .repository(let failure):
                verdict.outcome = failure.reason == .noSuchFile ? .refused : .failed
                verdict.message = "The definition could not be read: \(failure)"
            case .definition(let diagnostics):
                let errors = diagnostics.filter { $0.severity == .error }.prefix(5).map(\.description)
                let fault = errors.isEmpty ? "The definition can't be used." : errors.joined(separator: "\n")
                verdict.message =
                    "The definition at this commit is wrong, so the run ends as invalid: \(errors.first ?? fault)"
                return DeliveryWish(verdict, request: Self.invalid(ask, fault))
            }
            verdict.message = Words.line(verdict.message, max: 2_000)
            return DeliveryWish(verdict)
        }
    }

    /// Has forges told that a pipeline is not needed. Before the delivery is judged: after a crash in between it is judged, and told, again.
    private func tell(_ ask: DeliveryPlan.Ask, _ why: String, isLast: Bool) async throws {
        do {
            try await configuration.ruledOut(ask.pipeline.id, ask.wish.commit, why)
        } catch {
            guard isLast else { throw Trouble(message: "what forges are to be told could not be stored: \(error)") }
        }
    }

    /// A run that ends at once, so that whoever pushed a broken definition finds out.
    private static func invalid(_ ask: DeliveryPlan.Ask, _ fault: String) -> RunRequest {
        let (pipeline, wish) = (ask.pipeline, ask.wish)
        let ref = wish.ref ?? pipeline.ref
        let facts = RunFacts(
            event: wish.event, ref: ref, commit: wish.commit, pullRequest: wish.pullRequest, trusted: wish.trusted)
        return RunRequest(
            pipeline: pipeline, plan: RunPlan(name: pipeline.name, jobs: [], facts: facts), event: wish.event,
            ref: ref, branch: ref.hasPrefix("refs/heads/") ? String(ref.dropFirst(11)) : "",
            tag: ref.hasPrefix("refs/tags/") ? String(ref.dropFirst(10)) : "", commit: wish.commit, actor: wish.actor,
            fault: fault)
    }

    // MARK: What is known

    func all(_ project: ProjectID) async throws -> [PipelineRow] {
        let version = configuration.pipelinesVersion()
        if loaded != version {
            rows = [:]
            loaded = version
        }
        if let known = rows[project] { return known }
        var all: [PipelineRow] = []
        var page = 1
        while true {
            let found = try await pipelines.pipelines(
                project: project, visible: .all, text: nil, page: page, perPage: 100)
            all += found.items
            page += 1
            if found.items.isEmpty || all.count >= found.total { break }
        }
        if loaded == version { rows[project] = all }
        return all
    }
}
