/// Holds an event against `on`.
package struct TriggerMatcher: Sendable {
    package let plan: TriggerPlan

    package init(_ plan: TriggerPlan) {
        self.plan = plan
    }

    /// - Parameters:
    ///   - event: what happened.
    ///   - facts: what `where` sees; its payload above all.
    ///   - message: of the head commit. `[skip ci]`, `[ci skip]` and `[no ci]` in it keep pushes and pull requests from
    ///     starting anything.
    ///   - paths: what changed; `nil` where it was not looked up yet.
    package func judge(
        _ event: TriggerEvent, facts: RunFacts = RunFacts(), message: String = "", paths: ChangedPaths? = nil
    ) -> TriggerVerdict {
        switch event {
        case .direct:
            return matched("it was asked for")
        case .manual:
            return plan.manual
                ? matched("it was started by hand")
                : .refused("The pipeline can't be started by hand: its `on` says `manual: false`.")
        case .deleted(let ref):
            return .refused("\(ref) was deleted; there is nothing to check out.")
        case .push(let branch, let kind):
            return Self.skips(message) ?? judge(push: branch, kind, paths)
        case .tag(let tag):
            return Self.skips(message) ?? judge(tag: tag)
        case .pullRequest(let base, let kind, let isFork):
            return Self.skips(message) ?? judge(pullRequest: base, kind, isFork: isFork, paths)
        case .webhook(let source):
            return judge(plan.webhooks.filter { $0.source == nil || $0.source == source }, source, facts)
        case .notice(let source, let kind):
            let named = plan.webhooks.filter { $0.source == source }
            guard !named.isEmpty else {
                return .refused(
                    "It is no push or pull request (\(kind)), and `on.webhook` does not name the source \(source).")
            }
            return judge(named, source, facts)
        case .cron(let name):
            return plan.schedules.contains { $0.name == name }
                ? matched("the schedule \(name) came due")
                : .refused("The definition has no schedule named \(name).")
        }
    }

    private func judge(push branch: String, _ kind: PushTrigger.Event, _ paths: ChangedPaths?) -> TriggerVerdict {
        guard let push = plan.push else { return .refused("Its `on` does not name `push`.") }
        guard push.branches.isEmpty || push.branches.matches(branch) else {
            return .refused("`on.push.branches` does not name the branch \(branch).")
        }
        // Only tags are named: branches are not meant.
        if push.branches.isEmpty, !push.tags.isEmpty {
            return .refused("`on.push` names tags only, and \(branch) is a branch.")
        }
        guard push.events.isEmpty || push.events.contains(kind) else {
            return .refused("`on.push.events` does not name `\(kind.rawValue)`.")
        }
        return judge(push.paths, paths, "on.push.paths", then: matched("\(branch) was pushed"))
    }

    private func judge(tag: String) -> TriggerVerdict {
        let lists = [plan.tag, plan.push?.tags].compactMap { $0 }.filter { !$0.isEmpty }
        guard !lists.isEmpty else { return .refused("Its `on` does not name `tag`.") }
        return lists.contains { $0.matches(tag) }
            ? matched("the tag \(tag) was pushed") : .refused("`on.tag` does not name the tag \(tag).")
    }

    private func judge(
        pullRequest base: String, _ kind: PullRequestTrigger.Event, isFork: Bool, _ paths: ChangedPaths?
    ) -> TriggerVerdict {
        guard let trigger = plan.pullRequest else { return .refused("Its `on` does not name `pull_request`.") }
        guard trigger.branches.isEmpty || trigger.branches.matches(base) else {
            return .refused(
                "`on.pull_request.branches` does not name the branch \(base), into which it would be merged.")
        }
        let events = trigger.events.isEmpty ? PullRequestTrigger.eventsDefault : trigger.events
        guard events.contains(kind) else {
            return .refused("`on.pull_request.events` does not name `\(kind.rawValue)`.")
        }
        return judge(
            trigger.paths, paths, "on.pull_request.paths",
            then: .matched(
                why: "a pull request into \(base) was \(kind.rawValue)",
                waitsForApproval: isFork && trigger.approveForks)
        )
    }

    private func judge(_ named: [WebhookTrigger], _ source: String, _ facts: RunFacts) -> TriggerVerdict {
        guard !named.isEmpty else {
            return .refused(
                plan.webhooks.isEmpty
                    ? "Its `on` does not name `webhook`." : "`on.webhook` does not name the source \(source).")
        }
        let context = ExpressionContext(facts: facts)
        return named.contains { $0.condition?.evaluate(in: context).isTrue ?? true }
            ? matched("a webhook came from \(source)")
            : .refused("`on.webhook.where` is not true of what \(source) sent.")
    }

    private func judge(
        _ filter: PathFilter, _ paths: ChangedPaths?, _ word: String, then verdict: TriggerVerdict
    ) -> TriggerVerdict {
        guard !filter.isEmpty else { return verdict }
        switch paths {
        case nil:
            return .needsPaths
        case .unknown:
            return verdict
        case .known(let paths):
            guard paths.count <= TriggerLimits.changedPathsMax else { return verdict }
            return paths.contains(where: filter.matches)
                ? verdict
                : .refused(
                    paths.isEmpty
                        ? "No file was changed, and `\(word)` wants some." : "`\(word)` matches no changed file.")
        }
    }

    private func matched(_ why: String) -> TriggerVerdict { .matched(why: why, waitsForApproval: false) }

    private static func skips(_ message: String) -> TriggerVerdict? {
        let text = message.lowercased()
        guard let mark = ["[skip ci]", "[ci skip]", "[no ci]"].first(where: { text.contains($0) }) else { return nil }
        return .refused("The commit's message says \(mark).")
    }
}
