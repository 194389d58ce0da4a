import AnsFlowProtocol
package import ControllerCore

/// What is to be asked of each pipeline because of a delivery: pure.
package struct DeliveryPlan: Sendable {
    /// A pipeline that is to be prepared.
    package struct Ask: Sendable {
        package var part: Int
        package var pipeline: PipelineRow
        package var wish: RunWish
    }

    /// A sentence or two about the delivery as a whole.
    package var message: String
    package var asks: [Ask] = []
    /// What is clear without looking at definitions.
    package var verdicts: [DeliveryVerdict] = []
    /// The repository that the hook is bound to from now on.
    package var binding: ForgeRepository?
    /// Newest commits of branches; an empty commit for one that is gone.
    package var heads: [HookHead] = []

    /// - Parameters:
    ///   - hook: as it is now.
    ///   - pipelines: all of the hook's project.
    ///   - payload: what expressions see, already trimmed.
    package static func make(
        _ delivery: DeliveryRow, _ reading: Reading, hook: HookRow, pipelines: [PipelineRow], payload: PlanJSON
    ) -> DeliveryPlan {
        if let stranger = stranger(reading.repository, hook) { return DeliveryPlan(message: stranger) }
        var plan: DeliveryPlan
        switch reading {
        case .malformed(let why): return DeliveryPlan(message: "It could not be understood. \(why)")
        case .ping(let words, _): plan = DeliveryPlan(message: words)
        case .nothing(let why, _): plan = DeliveryPlan(message: why)
        case .events(let events, let repository):
            plan = DeliveryPlan(message: events.map(\.summary).joined(separator: "; "))
            plan.ask(delivery, events, repository, hook, pipelines, payload)
        }
        if hook.source.isForge, hook.repositoryID.isEmpty { plan.binding = reading.repository }
        return plan
    }

    /// Why a delivery is none of the hook's; `nil` where it is.
    private static func stranger(_ repository: ForgeRepository?, _ hook: HookRow) -> String? {
        guard let repository, !hook.repositoryID.isEmpty, repository.id != hook.repositoryID else { return nil }
        return
            "It is about the repository \(repository.name.isEmpty ? "" : "\(repository.name) ")with the id \(repository.id), and "
            + "the hook \(hook.name) belongs to the one with the id \(hook.repositoryID). It starts nothing. If the repository was "
            + "made anew, change the hook's `repository.id`."
    }

    private mutating func ask(
        _ delivery: DeliveryRow, _ events: [ForgeEvent], _ repository: ForgeRepository?, _ hook: HookRow,
        _ pipelines: [PipelineRow], _ payload: PlanJSON
    ) {
        let chosen = Self.chosen(hook, repository, pipelines)
        if chosen.isEmpty { message += ". \(Self.noPipeline(hook, repository))" }
        for (part, event) in events.enumerated() {
            note(event)
            for pipeline in chosen {
                if let why = Self.hindrance(event, pipeline) {
                    verdicts.append(
                        DeliveryVerdict(
                            part: part, pipeline: pipeline.id, pipelineName: pipeline.name, outcome: .refused,
                            message: why))
                    continue
                }
                let wish = Self.wish(delivery, event, repository, hook, pipeline, payload)
                asks.append(Ask(part: part, pipeline: pipeline, wish: wish))
            }
        }
    }

    private mutating func note(_ event: ForgeEvent) {
        switch event.trigger {
        case .push(let branch, _): heads.append(HookHead(branch: branch, commit: event.commit))
        case .deleted(let ref) where ref.hasPrefix("refs/heads/"):
            heads.append(HookHead(branch: String(ref.dropFirst(11)), commit: ""))
        default: break
        }
    }

    private static func chosen(
        _ hook: HookRow, _ repository: ForgeRepository?, _ pipelines: [PipelineRow]
    ) -> [PipelineRow] {
        if !hook.pipelines.isEmpty { return pipelines.filter { hook.pipelines.contains($0.id) } }
        guard hook.source.isForge else { return [] }
        var keys = Set((repository?.urls ?? []).map(RepositoryAddressKey.of))
        if !hook.repositoryURL.isEmpty {
            // A bound hook is about its own repository, whatever a payload calls it; only the host may have another name, as some
            // forges have one for SSH.
            let own = RepositoryAddressKey.of(hook.repositoryURL)
            keys = keys.filter { RepositoryAddressKey.pathOf($0) == RepositoryAddressKey.pathOf(own) }
            keys.insert(own)
        }
        return pipelines.filter {
            !$0.repositoryURL.isEmpty && keys.contains(RepositoryAddressKey.of($0.repositoryURL))
        }
    }

    private static func noPipeline(_ hook: HookRow, _ repository: ForgeRepository?) -> String {
        if !hook.pipelines.isEmpty { return "The pipelines that the hook names are gone." }
        guard hook.source.isForge else { return "The hook names no pipelines: give it `pipelines`." }
        return
            "No pipeline of the project checks this repository out "
            + "(\(hook.repositoryURL.isEmpty ? repository?.urls.first ?? "" : hook.repositoryURL)). Give a pipeline this address, or name "
            + "pipelines in the hook. If the repository has moved, change the hook's `repository.url`."
    }

    private static func hindrance(_ event: ForgeEvent, _ pipeline: PipelineRow) -> String? {
        if !pipeline.enabled { return "The pipeline is paused." }
        if case .deleted(let ref) = event.trigger { return "\(ref) was deleted; there is nothing to check out." }
        return event.hindrance
    }

    private static func wish(
        _ delivery: DeliveryRow, _ event: ForgeEvent, _ repository: ForgeRepository?, _ hook: HookRow,
        _ pipeline: PipelineRow, _ payload: PlanJSON
    ) -> RunWish {
        let actor = Words.line(event.actor, max: 200)
        var wish = RunWish(
            event: event.trigger.name, ref: event.ref, commit: event.commit,
            actor: actor.isEmpty ? "hook \(hook.name)" : "\(actor) (hook \(hook.name))")
        wish.trigger = event.trigger
        wish.message = event.message
        wish.pullRequest = event.pullRequest
        wish.payload = payload
        wish.comparison = event.comparison
        wish.trusted = event.trusted
        // What is replayed may be old.
        if case .push(let branch, _) = event.trigger, delivery.replayOf == nil {
            let own = pipeline.ref
            wish.isNewestOfOwnRef =
                own == branch || own == "refs/heads/\(branch)"
                || own.isEmpty && !branch.isEmpty && branch == repository?.defaultBranch
        }
        return wish
    }
}

/// When a delivery that could not be judged is tried again.
package enum DeliveryRetry {
    /// - Parameter tries: that were begun, with the one that failed.
    /// - Returns: `nil` where no try is left.
    package static func at(_ now: Int64, tries: Int, pauses: [Int64] = WebhookLimits.pausesMs) -> Int64? {
        tries <= pauses.count ? now + pauses[max(tries, 1) - 1] : nil
    }

    /// Whether this try is the last.
    package static func isLast(_ tries: Int, pauses: [Int64] = WebhookLimits.pausesMs) -> Bool { tries > pauses.count }
}
