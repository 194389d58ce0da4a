import AnsFlowProtocol
package import ControllerCore
package import Logging

/// Takes webhooks in: finds the hook, checks who sends, stores, and only then says yes. What is waiting together is stored in one
/// transaction.
package actor WebhookIntake: WebhookReceiving {
    private let store: any WebhookRepository
    private let seal: any HookSecretSealing
    private let logger: Logger
    /// Called when something was stored that is to be judged.
    private let wake: @Sendable () -> Void
    private let checkpoint: @Sendable (WebhookCheckpoint) -> Void

    private var known: [HookID: Known] = [:]
    private var loaded: UInt64?
    private var waiting: [Waiting] = []
    private var isWriting = false

    /// What senders are answered.
    package enum Answer: String, CaseIterable, Sendable {
        case stored, duplicate
        /// No secret of a hook made the signature, or several hooks could be meant.
        case refused
        /// Too many wait.
        case full
        /// Nothing could be made durable.
        case unavailable
    }

    package struct Count: Hashable, Sendable {
        package var source: WebhookSource
        package var answer: Answer
        package init(source: WebhookSource, answer: Answer) {
            self.source = source
            self.answer = answer
        }
    }

    /// Since the start.
    package private(set) var counts: [Count: Int] = [:]

    private struct Known: Sendable {
        var row: HookRow
        var secrets: [HookSecretRow]
    }

    private struct Waiting {
        var delivery: NewDelivery
        var continuation: CheckedContinuation<Result<DeliveryReceipt, WebhookRefusal>, Never>
    }

    /// Hooks whose secrets are tried for a request that names none.
    private static let candidatesMax = 32
    /// Bytes that are hashed to find the hook of one request.
    private static let hashedBytesMax = 64 << 20
    /// Requests that wait for their transaction; more are turned away.
    private static let waitingMax = 2_000
    private static let groupMax = 256
    private static let retryAfter = 5

    package init(
        store: any WebhookRepository, seal: any HookSecretSealing, wake: @escaping @Sendable () -> Void,
        checkpoint: @escaping @Sendable (WebhookCheckpoint) -> Void = { _ in },
        logger: Logger = Logger(label: "ansflow.webhooks")
    ) {
        self.store = store
        self.seal = seal
        self.wake = wake
        self.checkpoint = checkpoint
        self.logger = logger
    }

    package func receive(
        _ request: WebhookRequest
    ) async throws(WebhookRefusal) -> (id: DeliveryID, isCopy: Bool) {
        do throws(WebhookRefusal) {
            let taken = try await take(request)
            counts[Count(source: request.source, answer: taken.isCopy ? .duplicate : .stored), default: 0] += 1
            return taken
        } catch {
            let answer: Answer =
                switch error {
                case .unauthenticated, .unclear: .refused
                case .full: .full
                case .unavailable: .unavailable
                }
            counts[Count(source: request.source, answer: answer), default: 0] += 1
            throw error
        }
    }

    private func take(_ request: WebhookRequest) async throws(WebhookRefusal) -> (id: DeliveryID, isCopy: Bool) {
        guard waiting.count < Self.waitingMax else { throw .full(retryAfter: Self.retryAfter) }
        try await load()
        let candidates = try candidates(for: request)
        let found = await Self.proven(request, candidates, seal)
        guard let found else {
            logger.info(
                "a webhook was refused: no secret of its hooks made its signature",
                metadata: [
                    "source": "\(request.source.rawValue)", "hook": "\(request.hook.map(\.description) ?? "none")",
                    "remote": "\(request.remote)",
                ])
            throw .unauthenticated
        }
        let new = Self.delivery(request, found.hook, found.proof)
        let result = await withCheckedContinuation {
            waiting.append(Waiting(delivery: new, continuation: $0)); start()
        }
        switch try result.get() {
        case .stored(let id):
            wake()
            return (id, false)
        case .duplicate(let id): return (id, true)
        case .full: throw .full(retryAfter: Self.retryAfter * 6)
        }
    }

    /// Stores what this controller itself says, such as a test or a replay.
    package func store(_ delivery: NewDelivery) async throws(WebhookRefusal) -> DeliveryReceipt {
        let result = await withCheckedContinuation {
            waiting.append(Waiting(delivery: delivery, continuation: $0))
            start()
        }
        let receipt = try result.get()
        wake()
        return receipt
    }

    // MARK: Hooks

    private func load() async throws(WebhookRefusal) {
        let version = store.hooksVersion
        guard version != loaded else { return }
        do {
            let all = try await store.allHooks()
            known = Dictionary(all.map { ($0.row.id, Known(row: $0.row, secrets: $0.secrets)) }) { $1 }
            loaded = version
        } catch {
            throw .unavailable("The hooks can't be read: \(error)")
        }
    }

    /// The hooks whose secrets may have made the request's signature.
    private func candidates(for request: WebhookRequest) throws(WebhookRefusal) -> [(HookRow, [HookSecretRow])] {
        var hooks = known.values.filter { $0.row.source == request.source && $0.row.enabled }
        if let id = request.hook {
            hooks = hooks.filter { $0.row.id == id }
        } else if let name = request.sourceName {
            hooks = hooks.filter { $0.row.name == name }
        } else if let id = JSONReader.scalar(at: Dialects.of(request.source).repositoryPaths, in: request.body) {
            hooks = hooks.filter { $0.row.repositoryID == id || $0.row.repositoryID.isEmpty }
        }
        if request.keyName != nil { hooks = hooks.filter { request.keyProjects.includes($0.row.project) } }
        if request.keyName != nil, hooks.count > 1 {
            throw .unclear("Several hooks could be meant. Name one: ?hook=ID, or ?source=NAME with the hook's name.")
        }
        let count = min(Self.candidatesMax, max(1, Self.hashedBytesMax / max(1, request.body.count)))
        // Those that are bound to the repository go first.
        return hooks.sorted {
            ($0.row.repositoryID.isEmpty ? 1 : 0, $0.row.id) < ($1.row.repositoryID.isEmpty ? 1 : 0, $1.row.id)
        }
        .prefix(count).map { ($0.row, $0.secrets) }
    }

    /// Off the actor: hashing a large body takes a while.
    @concurrent
    private static func proven(
        _ request: WebhookRequest, _ candidates: [(HookRow, [HookSecretRow])], _ seal: any HookSecretSealing
    ) async -> (hook: HookRow, proof: Signature.Proof)? {
        if let name = request.keyName {
            guard let hook = candidates.first?.0 else { return nil }
            let copies = CopyRule.byBodyWithin(WebhookLimits.clockToleranceMs)
            let id = request.headers["webhook-id"] ?? request.headers["idempotency-key"]
            return (hook, Signature.Proof(kind: "api key \(name)", delivery: id, copies: copies))
        }
        let dialect = Dialects.of(request.source)
        for (hook, rows) in candidates {
            let secrets = rows.compactMap { seal.openHookSecret($0) }
            guard !secrets.isEmpty else { continue }
            if let proof = dialect.proof(of: request, secrets: secrets) { return (hook, proof) }
        }
        return nil
    }

    // MARK: Deliveries

    private static func delivery(
        _ request: WebhookRequest, _ hook: HookRow, _ proof: Signature.Proof
    ) -> NewDelivery {
        let hash = Signature.hash(request.body)
        var id = Words.line(proof.delivery, max: WebhookLimits.deliveryIDBytesMax)
        if id.isEmpty, request.source == .jenkins {
            id = Words.line(JenkinsDialect.delivery(request.body), max: WebhookLimits.deliveryIDBytesMax)
        }
        if id.isEmpty { id = "body:\(Hex.text(hash.prefix(8))):\(request.at)" }
        let (body, isCompressed) = StoredBody.pack(request.body)
        let event = Dialects.of(request.source).eventName(request.headers, request)
        return NewDelivery(
            DeliveryRow(
                hook: hook.id, project: hook.project, source: request.source,
                sourceName: request.source == .generic ? request.sourceName ?? hook.name : hook.name, delivery: id,
                event: Words.line(event, max: 100).replacing(" ", with: "_"),
                headers: KeptHeaders.of(request.headers), contentType: Words.line(request.headers["content-type"]),
                remote: request.remote, proof: Words.line(proof.kind), bodyHash: hash, bodyBytes: request.body.count,
                body: body, isCompressed: isCompressed, receivedAt: request.at),
            copies: proof.copies)
    }

    private func start() {
        guard !isWriting, !waiting.isEmpty else { return }
        isWriting = true
        // Awaited by nobody: it ends when nothing waits, and everything that waited is answered.
        Task { await write() }
    }

    private func write() async {
        while !waiting.isEmpty {
            let group = Array(waiting.prefix(Self.groupMax))
            waiting.removeFirst(group.count)
            let results: [Result<DeliveryReceipt, WebhookRefusal>]
            do {
                results = try await store.receive(group.map(\.delivery)).map { .success($0) }
                checkpoint(.stored)
            } catch {
                logger.error("webhooks could not be stored", metadata: ["error": "\(error)"])
                let refusal = WebhookRefusal.unavailable(
                    "Nothing can be made durable at the moment. Send it again later.")
                results = group.map { _ in .failure(refusal) }
                // What has waited behind it would wait as long again, and senders do not wait for ever.
                let behind = waiting
                waiting = []
                for one in behind { one.continuation.resume(returning: .failure(refusal)) }
            }
            for (one, result) in zip(group, results) { one.continuation.resume(returning: result) }
        }
        isWriting = false
    }
}

/// Headers that are kept with a delivery: for looking at, without what lets others in.
enum KeptHeaders {
    private static let countMax = 60
    private static let secret: Set<String> = [
        "authorization", "cookie", "proxy-authorization", "x-api-key", "x-gitlab-token", JenkinsDialect.tokenHeader,
    ]

    static func of(_ headers: [String: String]) -> [String: String] {
        var kept: [String: String] = [:]
        for name in headers.keys.sorted().prefix(countMax) {
            guard let value = headers[name] else { continue }
            let hides =
                secret.contains(name) || name.contains("token") || name.contains("secret") || name.contains("password")
            kept[Words.line(name, max: 100)] = hides ? "***" : Words.line(value, max: 512)
        }
        return kept
    }
}
