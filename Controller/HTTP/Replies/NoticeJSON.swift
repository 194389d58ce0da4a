import ControllerCore

/// Notices, their rules and deliveries as callers get them.
enum NoticeJSON {
    static func notice(_ notice: Notice, _ json: inout JSONWriter) {
        json.field("event", notice.event.rawValue)
        json.field("title", notice.title)
        json.field("message", notice.message)
        json.field("at", time: notice.at)
        json.field("project_id", notice.project)
        json.field("pipeline_id", notice.pipeline)
        json.field("pipeline_name", notice.pipelineName)
        json.field("run_id", notice.run)
        json.field("run_number", notice.runNumber)
        json.field("status", notice.status)
        json.field("branch", notice.branch)
        json.field("commit", notice.commit)
        json.field("actor", notice.actor)
    }

    /// How far something got that is sent elsewhere.
    static func delivery(_ delivery: DeliveryLifecycle, _ json: inout JSONWriter) {
        json.field("delivery", delivery.state.rawValue)
        json.field("tries", delivery.tries)
        json.field("next_try_at", time: delivery.state == .waiting ? delivery.dueAt : nil)
        json.field("error", delivery.error)
    }

    static func view(_ view: NoticeDeliveryView, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", view.id)
            json.field("rule_id", view.rule)
            json.field("target_id", view.target)
            delivery(view.delivery, &json)
            json.field("answer_status", view.answer)
            json.field("created_at", time: view.createdAt)
            json.field("updated_at", time: view.updatedAt)
            json.name("notice")
            json.object { notice(view.notice, &$0) }
        }
    }
}

enum NoticeProblem {
    /// What the store says no to, as callers are told.
    static func mapped<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let change as NoticeChange {
            switch change {
            case .noProject: throw Problem.notFound("There is no such project.")
            case .noPipeline: throw Problem.invalid("pipeline_id", "The project has no such pipeline.")
            case .noTarget: throw Problem.invalid("webhook", "The project has no notification target of this name.")
            case .nameTaken: throw Problem.conflict("The project has one of this name already.")
            case .tooMany(let max):
                throw Problem.conflict("The project has \(max) of these, which is the most. Delete some first.")
            case .inUse:
                throw Problem.conflict("A notification rule uses this target. Change or delete the rule first.")
            }
        }
    }
}

/// Addresses that requests are later sent to. Whether they may be reached is decided then; here only what can never work is refused.
enum TargetURL {
    static func trimmed(_ url: String) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    static func fault(_ url: String) -> String? {
        let lower = url.lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else {
            return "It must begin with https:// (or http:// to a host that the operator allowed)."
        }
        guard url.utf8.count <= 2000, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }) else {
            return "It has blanks or other characters that must be percent-encoded, or is longer than 2000 bytes."
        }
        let host = lower.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if host.isEmpty { return "It names no host." }
        return host.contains("@") ? "It must hold no user name or password; put them into a secret." : nil
    }
}
