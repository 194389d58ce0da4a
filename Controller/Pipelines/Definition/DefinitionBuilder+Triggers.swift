import ControllerCore

/// `on`.
extension DefinitionBuilder {
    /// Reads a map with `on` alone; `nil` where it is wrong.
    static func triggers(_ root: YamlNode, _ findings: inout Findings) -> TriggerPlan? {
        guard let value = SchemaReader.read(root, as: PipelineSchema.triggersAlone, &findings)?["on"] else {
            return nil
        }
        var builder = DefinitionBuilder(findings: findings)
        let plan = builder.triggers(value)
        findings = builder.findings
        return findings.hasErrors ? nil : plan
    }

    mutating func triggers(_ value: SchemaValue) -> TriggerPlan {
        var plan = TriggerPlan()
        guard let fields = value.fields else {
            let words = value.isList ? value.items.compactMap(\.literal) : [value.literal].compactMap(\.self)
            for word in words {
                switch word {
                case "push": plan.push = PushTrigger()
                case "pull_request": plan.pullRequest = PullRequestTrigger()
                case "tag": plan.tag = ["**"]
                case "webhook": plan.webhooks = [WebhookTrigger()]
                default: break
                }
            }
            return plan
        }
        plan.push = fields["push"].flatMap { push($0) }
        plan.pullRequest = fields["pull_request"].flatMap { pullRequest($0) }
        if let tag = fields["tag"] { plan.tag = tag.boolean == false ? nil : tag.isList ? globs(tag) : ["**"] }
        plan.manual = fields["manual"]?.boolean ?? true
        if let webhook = fields["webhook"], webhook.boolean != false {
            plan.webhooks = webhook.isList ? webhook.items.map { self.webhook($0) } : [WebhookTrigger()]
        }
        plan.schedules = schedules(fields["cron"])
        return plan
    }

    private mutating func globs(_ value: SchemaValue?) -> GlobList {
        if let value, value.isList, case .sequence(let nodes) = value.node.content, nodes.isEmpty {
            findings.report(
                .invalidValue, "The list is empty.", at: value.span, path: value.path,
                hint: "Leave the word out where everything is meant.")
        }
        return GlobList((value?.items ?? []).compactMap(\.literal))
    }

    private mutating func paths(_ value: SchemaValue?) -> PathFilter {
        guard let value else { return PathFilter() }
        guard let fields = value.fields else {
            return PathFilter(
                include: value.isList ? globs(value) : GlobList([value.literal].compactMap(\.self)))
        }
        return PathFilter(include: globs(fields["include"]), exclude: globs(fields["exclude"]))
    }

    private mutating func push(_ value: SchemaValue) -> PushTrigger? {
        guard let fields = value.fields else { return value.boolean == false ? nil : PushTrigger() }
        return PushTrigger(
            branches: globs(fields["branches"]), tags: globs(fields["tags"]), paths: paths(fields["paths"]),
            events: (fields["events"]?.items ?? []).compactMap { $0.literal.flatMap(PushTrigger.Event.init(rawValue:)) }
        )
    }

    private mutating func pullRequest(_ value: SchemaValue) -> PullRequestTrigger? {
        guard let fields = value.fields else { return value.boolean == false ? nil : PullRequestTrigger() }
        var trigger = PullRequestTrigger(branches: globs(fields["branches"]), paths: paths(fields["paths"]))
        if let events = fields["events"] {
            trigger.events = events.items.compactMap { $0.literal.flatMap(PullRequestTrigger.Event.init(rawValue:)) }
        }
        if let flag = fields["approve_forks"]?.boolean { trigger.approveForks = flag }
        return trigger
    }

    private mutating func webhook(_ value: SchemaValue) -> WebhookTrigger {
        let fields = value.fields
        return WebhookTrigger(
            source: fields?["source"]?.literal,
            where: condition(fields?["where"], ExpressionScope(place: .facts)))
    }

    private mutating func schedules(_ value: SchemaValue?) -> [ScheduleTrigger] {
        var schedules: [ScheduleTrigger] = []
        var names: Set<String> = []
        for item in value?.items ?? [] {
            let fields = item.fields
            guard let at = fields.map({ $0["at"] }) ?? item, let text = at.literal else { continue }
            let expression: CronExpression
            do throws(CronExpression.Refusal) {
                expression = try CronExpression(text)
            } catch {
                findings.report(.invalidValue, error.description, at: at.span, path: at.path)
                continue
            }
            let name = fields?["name"]?.literal ?? text
            if !names.insert(name).inserted {
                findings.report(
                    .duplicateID, "There are two schedules named `\(name)`.", at: item.span, path: item.path,
                    hint: "Give each a `name` of its own.")
            }
            if let zone = fields?["zone"], let text = zone.literal, !Self.isZone(text) {
                findings.report(
                    .invalidValue, "`\(text)` is not the name of a time zone.", at: zone.span, path: zone.path,
                    hint: "Write a name like `UTC` or `Europe/Berlin`.")
            }
            schedules.append(
                ScheduleTrigger(
                    name: name, at: expression, zone: fields?["zone"]?.literal ?? "UTC",
                    missed: fields?["missed"]?.literal.flatMap(ScheduleTrigger.Missed.init(rawValue:)) ?? .runOnce))
        }
        return schedules
    }

    /// Whether it has the form of a name of the time zone database. Whether it is in there, the controller knows.
    private static func isZone(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count <= 3
            && parts.allSatisfy { part in
                part.first?.isLetter ?? false
                    && part.utf8.allSatisfy {
                        (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
                            || "_+-".utf8.contains($0)
                    }
            }
    }
}
