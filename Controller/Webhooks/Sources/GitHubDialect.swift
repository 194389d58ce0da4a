import ControllerCore

/// GitHub: signs the body, and nothing else, with HMAC-SHA256. The older SHA-1 signature is not looked at.
enum GitHubDialect: WebhookDialect {
    static let repositoryPaths = [["repository", "id"]]

    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String {
        headers["x-github-event"] ?? ""
    }

    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof? {
        guard let signature = request.headers["x-hub-signature-256"],
            Signature.isValid(hex: signature, prefix: "sha256=", body: request.body, secrets: secrets)
        else { return nil }
        return .init(kind: "hmac-sha256", delivery: request.headers["x-github-delivery"], copies: .byBody)
    }

    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading {
        let repository = repository(body["repository"])
        let actor = body["sender"]["login"].text ?? body["pusher"]["name"].text ?? ""
        switch event {
        case "ping":
            return .ping("GitHub says that the hook works: \(Words.line(body["zen"].text))", repository)
        case "push":
            guard let repository, let ref = body["ref"].text else {
                return .malformed("A push needs `repository.id` and `ref`.")
            }
            return .events([push(body, ref, actor)], repository)
        case "pull_request", "pull_request_target":
            guard let repository, body["pull_request"]["number"].whole != nil else {
                return .malformed("A pull request needs `repository.id` and `pull_request.number`.")
            }
            return pullRequest(body, repository, actor, refs: "refs/pull", source: "GitHub")
        case "release":
            return release(body, repository, actor, source: "github")
        case "create", "delete":
            return .nothing("GitHub tells of new and deleted branches and tags by `push` too.", repository)
        default:
            let kind = Words.joined([event, body["action"].text ?? ""])
            return .events([Words.notice("github", event, summary: Words.line(kind), actor: actor)], repository)
        }
    }

    static func repository(_ body: PlanJSON) -> ForgeRepository? {
        let id = body["id"].identifier
        guard !id.isEmpty else { return nil }
        let urls = ["clone_url", "ssh_url", "git_url", "html_url", "url"].compactMap { body[$0].text }
        return ForgeRepository(
            id: id, name: Words.line(body["full_name"].text), urls: urls,
            defaultBranch: Words.line(body["default_branch"].text))
    }

    static func push(_ body: PlanJSON, _ ref: String, _ actor: String) -> ForgeEvent {
        let isTag = ref.hasPrefix("refs/tags/")
        let after = body["deleted"].flag ? "" : Words.commit(body["after"])
        let head = Words.commit(body["head_commit"]["id"])
        var event = Words.push(
            ref: ref, before: Words.commit(body["before"]), after: after, isForced: body["forced"].flag,
            message: body["head_commit"]["message"].text ?? "", actor: actor)
        // Of an annotated tag `after` is the tag, not the commit; without a commit the ref is looked up.
        if isTag, !after.isEmpty { event.commit = head }
        return event
    }

    /// - Parameter refs: under which the target's repository has the heads of its pull requests.
    static func pullRequest(
        _ body: PlanJSON, _ repository: ForgeRepository, _ actor: String, refs: String, source: String
    ) -> Reading {
        let request = body["pull_request"]
        let number = request["number"].whole ?? 0
        let action = body["action"].text ?? ""
        guard let kind = kind(action, isMerged: request["merged"].flag) else {
            return .nothing(
                "\(source) says `\(Words.line(action))` of pull request \(number), which starts nothing.", repository)
        }
        // A head whose repository is gone was a fork's.
        let isFork = request["head"]["repo"]["id"].identifier != repository.id
        let facts = RunFacts.PullRequest(
            number: number, base: request["base"]["ref"].text ?? "", head: request["head"]["ref"].text ?? "",
            author: request["user"]["login"].text ?? "", title: request["title"].text ?? "")
        return .events(
            [
                Words.pullRequest(
                    facts, kind, ref: "\(refs)/\(number)/head", commit: Words.commit(request["head"]["sha"]),
                    base: Words.commit(request["base"]["sha"]), isFork: isFork, actor: actor)
            ], repository)
    }

    private static func kind(_ action: String, isMerged: Bool) -> PullRequestTrigger.Event? {
        switch action {
        case "opened": .opened
        case "synchronize", "synchronized": .updated
        case "reopened": .reopened
        case "closed": isMerged ? .merged : .closed
        case "labeled", "label_updated": .labeled
        case "ready_for_review": .ready
        default: nil
        }
    }

    static func release(
        _ body: PlanJSON, _ repository: ForgeRepository?, _ actor: String, source: String
    ) -> Reading {
        let tag = Words.line(body["release"]["tag_name"].text)
        let action = Words.line(body["action"].text)
        var event = Words.notice(source, "release", summary: "release \(tag), \(action)", actor: actor)
        if !tag.isEmpty, GitRef.check("refs/tags/\(tag)") == nil, action != "deleted" { event.ref = "refs/tags/\(tag)" }
        return .events([event], repository)
    }
}
