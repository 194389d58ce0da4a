import ControllerCore
import Foundation
import Testing

@Suite("Triggers") struct TriggerMatcherTests {
    private func judge(_ plan: TriggerPlan, _ event: TriggerEvent, paths: ChangedPaths? = nil, message: String = "")
        -> TriggerVerdict
    {
        TriggerMatcher(plan).judge(event, message: message, paths: paths)
    }

    private func refusal(_ verdict: TriggerVerdict) -> String {
        if case .refused(let why) = verdict { return why }
        return "\(verdict)"
    }

    @Test("lists of patterns: the last that matches decides") func globs() {
        let list: GlobList = ["main", "release/**", "!release/old", "release/old/kept"]
        #expect(list.matches("main") && list.matches("release/1") && list.matches("release/a/b"))
        #expect(!list.matches("release/old") && !list.matches("mainly") && !list.matches("dev"))
        #expect(list.matches("release/old/kept"))
        let without: GlobList = ["!wip/**"]
        #expect(without.matches("main") && !without.matches("wip/x"))
        #expect(!(GlobList([])).matches("main"))
    }

    @Test("pushes by branch and kind") func pushes() {
        let plan = TriggerPlan(push: PushTrigger(branches: ["main", "release/**"], events: [.updated, .forced]))
        #expect(judge(plan, .push(branch: "main", .updated)).isMatch)
        #expect(judge(plan, .push(branch: "release/1/2", .forced)).isMatch)
        #expect(refusal(judge(plan, .push(branch: "dev", .updated))).contains("on.push.branches"))
        #expect(refusal(judge(plan, .push(branch: "main", .created))).contains("on.push.events"))
        #expect(refusal(judge(plan, .deleted(ref: "refs/heads/main"))).contains("deleted"))
        #expect(refusal(judge(plan, .tag("v1"))).contains("`tag`"))
        #expect(refusal(judge(plan, .pullRequest(base: "main", .opened, isFork: false))).contains("pull_request"))
    }

    @Test("paths are asked for only where they decide") func paths() {
        let filter = PathFilter(include: ["src/**", "Package.swift"], exclude: ["**/*.md"])
        let plan = TriggerPlan(push: PushTrigger(branches: ["main"], paths: filter))
        let push = TriggerEvent.push(branch: "main", .updated)
        #expect(judge(plan, push) == .needsPaths)
        #expect(judge(plan, .push(branch: "dev", .updated)) != .needsPaths)
        #expect(judge(plan, push, paths: .known(["docs/a.txt", "src/a/b.swift"])).isMatch)
        #expect(refusal(judge(plan, push, paths: .known(["src/a.md", "docs/x"]))).contains("on.push.paths"))
        #expect(refusal(judge(plan, push, paths: .known([]))).contains("No file was changed"))
        #expect(judge(plan, push, paths: .unknown("the old commit is gone")).isMatch)
        #expect(judge(plan, push, paths: .known(Array(repeating: "x", count: 20_001))).isMatch)
        #expect(judge(TriggerPlan(push: PushTrigger()), push).isMatch)
    }

    @Test("tags, by either word") func tags() {
        #expect(judge(TriggerPlan(tag: ["v*"]), .tag("v1.2")).isMatch)
        #expect(refusal(judge(TriggerPlan(tag: ["v*"]), .tag("x1"))).contains("x1"))
        let push = TriggerPlan(push: PushTrigger(tags: ["v*"]))
        #expect(judge(push, .tag("v1")).isMatch)
        #expect(refusal(judge(push, .push(branch: "main", .updated))).contains("tags only"))
    }

    @Test("pull requests by target, kind and origin") func pullRequests() {
        let plan = TriggerPlan(pullRequest: PullRequestTrigger(branches: ["main"]))
        guard case .matched(_, let waits) = judge(plan, .pullRequest(base: "main", .opened, isFork: true)) else {
            Issue.record("a fork's pull request should match")
            return
        }
        #expect(waits)
        guard case .matched(_, let own) = judge(plan, .pullRequest(base: "main", .updated, isFork: false)) else {
            Issue.record("a pull request should match")
            return
        }
        #expect(!own)
        #expect(refusal(judge(plan, .pullRequest(base: "dev", .opened, isFork: false))).contains("branches"))
        #expect(refusal(judge(plan, .pullRequest(base: "main", .closed, isFork: false))).contains("`closed`"))
        let trusting = TriggerPlan(pullRequest: PullRequestTrigger(approveForks: false))
        #expect(
            judge(trusting, .pullRequest(base: "x", .opened, isFork: true))
                == .matched(
                    why: "a pull request into x was opened", waitsForApproval: false))
    }

    @Test("webhooks by source") func webhooks() {
        let plan = TriggerPlan(webhooks: [
            WebhookTrigger(source: "registry"), WebhookTrigger(source: "x", where: .literal(false)),
        ])
        #expect(judge(plan, .webhook(source: "registry")).isMatch)
        #expect(refusal(judge(plan, .webhook(source: "other"))).contains("the source other"))
        #expect(refusal(judge(plan, .webhook(source: "x"))).contains("where"))
        #expect(refusal(judge(TriggerPlan(), .webhook(source: "x"))).contains("`webhook`"))
    }

    @Test("by hand, by time, on demand, and with no `on` at all") func others() throws {
        #expect(judge(TriggerPlan(), .manual).isMatch)
        #expect(refusal(judge(TriggerPlan(manual: false), .manual)).contains("manual: false"))
        #expect(judge(TriggerPlan(manual: false), .direct).isMatch)
        let timed = TriggerPlan(schedules: [ScheduleTrigger(name: "nightly", at: try CronExpression("@daily"))])
        #expect(judge(timed, .cron("nightly")).isMatch)
        #expect(refusal(judge(timed, .cron("weekly"))).contains("weekly"))
        let absent = TriggerPlan.whenAbsent
        #expect(judge(absent, .push(branch: "x", .created)).isMatch && judge(absent, .webhook(source: "any")).isMatch)
        #expect(judge(absent, .manual).isMatch && !judge(absent, .tag("v1")).isMatch)
    }

    @Test("a message can say that nothing is to run", arguments: ["Fix [skip ci]", "[CI SKIP] x", "a\n\n[no ci]"])
    func skipping(_ message: String) {
        let plan = TriggerPlan.whenAbsent
        #expect(refusal(judge(plan, .push(branch: "main", .updated), message: message)).contains("message"))
        #expect(judge(plan, .manual, message: message).isMatch)
    }

    @Test("plans are stored and read again") func codable() throws {
        let plan = TriggerPlan(
            push: PushTrigger(branches: ["a"], tags: ["v*"], paths: PathFilter(include: ["x"]), events: [.created]),
            pullRequest: PullRequestTrigger(), tag: ["v*"], manual: false,
            webhooks: [WebhookTrigger(source: "s", where: .literal(true))],
            schedules: [ScheduleTrigger(name: "n", at: try CronExpression("1 2 3 4 5"), missed: .skip)])
        #expect(try JSONDecoder().decode(TriggerPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
