import ControllerCore

// Whether a definition's `on` lets an event start a run, and what the event changed.
extension RunPreparation {
    /// Where an event's changes are found.
    struct Changes: Sendable {
        var draft: PipelineDraft
        var commit: ResolvedCommit
    }

    struct Admission: Sendable {
        /// A sentence; empty where nobody asked.
        var why = ""
        var waitsForApproval = false
    }

    /// Holds the wish against `on`. Git is asked what changed only where a path filter decides.
    func admit(
        _ text: String, _ pipeline: PipelineRow, _ wish: inout RunWish, _ changes: Changes
    ) async throws(RunRefusal) -> Admission {
        let event: TriggerEvent
        switch (wish.trigger, wish.event, wish.schedule) {
        case (let trigger?, _, _): event = trigger
        case (_, "manual", _): event = .manual
        case (_, _, let schedule?): event = .cron(schedule)
        default: return Admission(waitsForApproval: !wish.trusted)
        }
        let file = Self.file(of: PipelineDraft(pipeline))
        // What can't be read is refused by the compiler, with its place.
        guard let plan = compiler.triggers(in: text, file: file) else {
            return Admission(waitsForApproval: !wish.trusted)
        }
        let matcher = TriggerMatcher(plan)
        let facts = RunFacts(event: wish.event, pullRequest: wish.pullRequest, payload: wish.payload)
        var verdict = matcher.judge(event, facts: facts, message: wish.message, paths: nil)
        if verdict == .needsPaths {
            let paths = await changedPaths(changes, wish)
            if case .known(let known) = paths { wish.changedPaths = known }
            // Nobody asks a second time.
            wish.comparison = nil
            verdict = matcher.judge(event, facts: facts, message: wish.message, paths: paths)
            if case .refused(let why) = verdict {
                let own = wish.trusted ? plan : compiler.triggers(in: pipeline.definition, file: file)
                if Self.mayTell(event, plan, own, paths) { throw .unneeded(why) }
            }
        }
        switch verdict {
        case .refused(let why): throw .trigger(why)
        case .needsPaths: return Admission(waitsForApproval: !wish.trusted)
        case .matched(let why, let waits):
            // A stranger's own file may not say that strangers need no approval: the pipeline's must say so too.
            let own = compiler.triggers(in: pipeline.definition, file: file)
            return Admission(
                why: why, waitsForApproval: !wish.trusted && (waits || own?.pullRequest?.approveForks != false))
        }
    }

    /// Whether a forge may be told that path filters find nothing to do, which it shows as a success.
    ///
    /// - Parameters:
    ///   - plan: at the event's commit.
    ///   - own: the pipeline's, for a stranger's event: a stranger's own file must not turn a check green.
    private static func mayTell(
        _ event: TriggerEvent, _ plan: TriggerPlan, _ own: TriggerPlan?, _ paths: ChangedPaths
    ) -> Bool {
        switch event {
        case .push:
            // Of a pull request's commit, the pull request's own event decides: it sees all that is to be merged, and not the last push
            // alone.
            return plan.pullRequest == nil
        case .pullRequest:
            guard let own else { return false }
            let matcher = TriggerMatcher(own)
            guard matcher.judge(event) == .needsPaths, case .refused = matcher.judge(event, paths: paths) else {
                return false
            }
            return true
        case .direct, .manual, .deleted, .tag, .webhook, .notice, .cron: return false
        }
    }

    /// Asks what changed, for the conditions of the definition.
    func learn(_ changes: Changes, _ wish: inout RunWish) async {
        guard wish.changedPaths == nil, wish.comparison != nil,
            case .known(let paths) = await changedPaths(changes, wish)
        else { return }
        wish.changedPaths = paths
    }

    private func changedPaths(_ changes: Changes, _ wish: RunWish) async -> ChangedPaths {
        if let known = wish.changedPaths { return .known(known) }
        guard let comparison = wish.comparison, !changes.draft.repositoryURL.isEmpty, !changes.commit.commit.isEmpty
        else { return .unknown("nothing is known to compare the commit with") }
        let limit = configuration.limit
        let found = await within(limit) { () async -> ChangedPaths in
            do throws(RepositoryFailure) {
                let source = try await source(changes.draft)
                var from = comparison.from
                // Some senders name the branch that it is compared with, and not its commit.
                if let name = from, GitRef.checkCommit(name) != nil {
                    from = try await repositories.resolve(name, in: source).commit
                }
                return try await repositories.changedPaths(
                    from: from, to: changes.commit, sinceMergeBase: comparison.sinceMergeBase, in: source)
            } catch {
                return .unknown(error.message)
            }
        }
        return found ?? .unknown("comparing the commits took longer than \(limit.components.seconds) s")
    }
}
