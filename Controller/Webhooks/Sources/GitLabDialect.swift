import ControllerCore

/// GitLab: signs as Standard Webhooks say, or, older, sends the secret itself.
enum GitLabDialect: WebhookDialect {
    static let repositoryPaths = [["project", "id"], ["project_id"]]

    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String {
        headers["x-gitlab-event"] ?? ""
    }

    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof? {
        let headers = request.headers
        // A signature that is wrong is not helped by a token that is right.
        if headers["webhook-signature"] != nil {
            return Signature.standard(headers, body: request.body, secrets: secrets, now: request.at).map {
                .init(kind: "standard webhooks", delivery: $0, copies: .byID)
            }
        }
        guard let token = headers["x-gitlab-token"], Signature.isToken(token, secrets) else { return nil }
        return .init(
            kind: "token", delivery: headers["idempotency-key"] ?? headers["x-gitlab-event-uuid"],
            copies: .byBodyWithin(WebhookLimits.clockToleranceMs))
    }

    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading {
        let project = body["project"]
        var repository: ForgeRepository?
        if let id = project["id"].whole ?? body["project_id"].whole {
            repository = ForgeRepository(
                id: String(id), name: Words.line(project["path_with_namespace"].text),
                urls: ["git_http_url", "git_ssh_url", "http_url", "ssh_url", "web_url", "url"]
                    .compactMap { project[$0].text },
                defaultBranch: Words.line(project["default_branch"].text))
        }
        let actor = body["user_username"].text ?? body["user"]["username"].text ?? ""
        switch body["object_kind"].text {
        case "push", "tag_push":
            guard let repository, let ref = body["ref"].text else {
                return .malformed("A push needs `project.id` and `ref`.")
            }
            return .events([push(body, ref, actor)], repository)
        case "merge_request":
            guard let repository else { return .malformed("A merge request needs `project.id`.") }
            return mergeRequest(body, repository, actor)
        case "release":
            let tag = Words.line(body["tag"].text)
            var notice = Words.notice(
                "gitlab", "release", summary: "release \(tag), \(Words.line(body["action"].text))", actor: actor)
            if !tag.isEmpty, GitRef.check("refs/tags/\(tag)") == nil { notice.ref = "refs/tags/\(tag)" }
            return .events([notice], repository)
        case let kind?:
            return .events(
                [Words.notice("gitlab", kind, summary: Words.line(kind), actor: actor)], repository)
        case nil:
            return .malformed("GitLab's body has no `object_kind`.")
        }
    }

    private static func push(_ body: PlanJSON, _ ref: String, _ actor: String) -> ForgeEvent {
        let after = Words.commit(body["after"])
        let checkout = Words.commit(body["checkout_sha"])
        let head = body["commits"].items.last { $0["id"].text == after || $0["id"].text == checkout }
        var event = Words.push(
            ref: ref, before: Words.commit(body["before"]), after: after, isForced: false,
            message: head?["message"].text ?? "", actor: actor)
        if ref.hasPrefix("refs/tags/"), !after.isEmpty { event.commit = checkout }
        return event
    }

    private static func mergeRequest(
        _ body: PlanJSON, _ repository: ForgeRepository, _ actor: String
    ) -> Reading {
        let request = body["object_attributes"]
        let number = request["iid"].whole ?? 0
        let action = request["action"].text ?? ""
        guard let kind = kind(action, request, body["changes"]) else {
            return .nothing(
                "GitLab says `\(Words.line(action))` of merge request \(number), which starts nothing.", repository)
        }
        let source = request["source_project_id"].identifier
        let target = request["target_project_id"].identifier
        let base = request["target_branch"].text ?? ""
        let facts = RunFacts.PullRequest(
            number: number, base: base, head: request["source_branch"].text ?? "",
            author: actor, title: request["title"].text ?? "")
        return .events(
            [
                Words.pullRequest(
                    facts, kind, ref: "refs/merge-requests/\(number)/head",
                    commit: Words.commit(request["last_commit"]["id"]), base: "refs/heads/\(base)",
                    isFork: source.isEmpty || source != target, actor: actor,
                    message: request["last_commit"]["message"].text ?? "")
            ], repository)
    }

    private static func kind(
        _ action: String, _ request: PlanJSON, _ changes: PlanJSON
    ) -> PullRequestTrigger.Event? {
        switch action {
        case "open": .opened
        case "reopen": .reopened
        case "close": .closed
        case "merge": .merged
        case "update":
            if request["oldrev"].text != nil {
                .updated
            } else if changes["draft"]["previous"].flag, !changes["draft"]["current"].flag {
                .ready
            } else if !changes["labels"].isNull {
                .labeled
            } else {
                nil
            }
        default: nil
        }
    }
}
