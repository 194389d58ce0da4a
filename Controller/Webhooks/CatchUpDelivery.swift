import ControllerCore

/// Deliveries that this controller makes itself: a hook's test, and pushes that came while nobody listened.
/// Their events have a blank, which no sender's has.
package enum CatchUpDelivery {
    package static let event = "missed push"
    package static let testEvent = "hook test"
    private static let mark = "missed:"

    static func isTest(_ event: String) -> Bool { event == testEvent }

    /// Unique by branch and commit: the same push is made up for once.
    static func id(_ head: HookHead) -> String { "\(mark)\(head.commit):\(Words.line(head.branch, max: 100))" }

    /// - Parameter before: empty for a branch that is new.
    static func body(_ head: HookHead, before: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("ref", "refs/heads/\(head.branch)")
            json.field("before", before)
            json.field("after", head.commit)
        }
        return Array(json.bytes)
    }

    static func push(_ body: PlanJSON) -> HookHead? {
        guard let ref = body["ref"].text, ref.hasPrefix("refs/heads/") else { return nil }
        return HookHead(branch: String(ref.dropFirst(11)), commit: Words.commit(body["after"]))
    }

    static func read(_ body: PlanJSON, _ hook: HookRow) -> Reading {
        guard let ref = body["ref"].text else { return .malformed("A made-up push needs `ref`.") }
        var event = Words.push(
            ref: ref, before: Words.commit(body["before"]), after: Words.commit(body["after"]), isForced: false,
            message: "", actor: "")
        event.summary += ", found by looking"
        return .events([event], ForgeRepository(id: hook.repositoryID, name: "", urls: [hook.repositoryURL]))
    }
}
