import AnsFlowProtocol
package import ControllerCore
package import Logging

/// Looks for pushes that no webhook told of: while the controller was down, or where the forge gave up. The branches of each hook's
/// repository are compared with the newest commits that its deliveries named.
package struct CatchUp: Sendable {
    private let store: any WebhookRepository
    private let intake: WebhookIntake
    private let pipelines: any PipelineRepository
    private let repositories: any RepositoryReading
    private let credentials: any GitCredentialReading
    private let allowLocal: Bool
    private let now: @Sendable () -> Int64
    private let logger: Logger

    /// Pushes that are made up for at one time, for each hook.
    private static let pushesMax = 100
    /// Marks that all branches of a repository were seen once; no branch has this name.
    private static let completeMark = ""

    package init(
        store: any WebhookRepository, intake: WebhookIntake, pipelines: any PipelineRepository,
        repositories: any RepositoryReading, credentials: any GitCredentialReading, allowLocal: Bool,
        now: @escaping @Sendable () -> Int64, logger: Logger = Logger(label: "ansflow.webhooks")
    ) {
        self.store = store
        self.intake = intake
        self.pipelines = pipelines
        self.repositories = repositories
        self.credentials = credentials
        self.allowLocal = allowLocal
        self.now = now
        self.logger = logger
    }

    /// Looks at all hooks once. What can't be reached is left for the next time.
    package func look() async {
        do {
            for (hook, _) in try await store.allHooks()
            where hook.enabled && hook.catchUp != .off && hook.source.isForge && !hook.repositoryID.isEmpty {
                guard !Task.isCancelled else { return }
                try await look(at: hook)
            }
        } catch {
            logger.warning("missed pushes could not be looked for", metadata: ["error": "\(error)"])
        }
    }

    private func look(at hook: HookRow) async throws {
        let known = try await store.heads(of: hook.id)
        // Only where pushes were delivered before: a forge that sends none to this hook is not meant to start runs by them.
        guard !known.isEmpty, let pipeline = try await pipeline(of: hook) else { return }
        let found: [ResolvedCommit]
        do throws(RepositoryFailure) {
            let credential: GitCredential =
                pipeline.credential.isEmpty
                ? .none : try await credentials.credential(pipeline.credential, project: pipeline.project)
            found = try await repositories.branches(
                in: RepositorySource(url: pipeline.repositoryURL, allowLocal: allowLocal, credential: credential))
        } catch {
            logger.info(
                "a repository could not be asked for missed pushes",
                metadata: ["hook": "\(hook.id)", "reason": "\(error.message)"])
            return
        }
        let isComplete = known.contains { $0.branch == Self.completeMark }
        let commits = Dictionary(known.map { ($0.branch, $0.commit) }) { $1 }
        var missed: [(head: HookHead, before: String)] = []
        var seen: [HookHead] = []
        for branch in found where !branch.branch.isEmpty && commits[branch.branch] != branch.commit {
            let head = HookHead(branch: branch.branch, commit: branch.commit)
            let before = commits[branch.branch]
            // Of branches that were never seen nobody knows whether they are new, unless all were seen once.
            if before != nil || isComplete { missed.append((head, before ?? "")) } else { seen.append(head) }
        }
        for push in missed.prefix(Self.pushesMax) { await makeUp(push.head, before: push.before, for: hook) }
        if !isComplete { seen.append(HookHead(branch: Self.completeMark, commit: "-")) }
        if !seen.isEmpty { try await store.saveHeads(seen, of: hook.id) }
        let gone = Set(commits.keys).subtracting(found.map(\.branch)).subtracting([Self.completeMark])
        if !gone.isEmpty { try await store.removeHeads(gone.sorted(), of: hook.id) }
    }

    /// One whose repository is the hook's.
    private func pipeline(of hook: HookRow) async throws -> PipelineRow? {
        let key = RepositoryAddressKey.of(hook.repositoryURL)
        var page = 1
        while true {
            let found = try await pipelines.pipelines(
                project: hook.project, visible: .all, text: nil, page: page, perPage: 100)
            let match = found.items.first { row in
                guard !row.repositoryURL.isEmpty else { return false }
                return hook.pipelines.isEmpty
                    ? RepositoryAddressKey.of(row.repositoryURL) == key : hook.pipelines.contains(row.id)
            }
            if match != nil || found.items.count < 100 { return match }
            page += 1
        }
    }

    private func makeUp(_ head: HookHead, before: String, for hook: HookRow) async {
        let at = now()
        let body = CatchUpDelivery.body(head, before: before)
        var row = DeliveryRow(
            hook: hook.id, project: hook.project, source: hook.source, sourceName: hook.name,
            delivery: CatchUpDelivery.id(head), event: CatchUpDelivery.event, headers: [:],
            contentType: "application/json", remote: "", proof: "found by looking", bodyHash: Signature.hash(body),
            bodyBytes: body.count, body: body, isCompressed: false, receivedAt: at)
        if hook.catchUp == .offer {
            row.state = .judged
            row.judgedAt = at
            row.message =
                "push to \(Words.line(head.branch)) at \(head.commit.prefix(8)) was never delivered. Replay this event to build it."
        }
        do {
            let receipt = try await intake.store(NewDelivery(row, copies: .byID))
            if hook.catchUp == .offer, case .stored = receipt { try await store.saveHeads([head], of: hook.id) }
            if case .stored = receipt {
                logger.info(
                    "a push that no webhook told of was found",
                    metadata: ["hook": "\(hook.id)", "branch": "\(head.branch)", "commit": "\(head.commit)"])
            }
        } catch {
            logger.info("a missed push could not be stored", metadata: ["hook": "\(hook.id)"])
        }
    }
}
