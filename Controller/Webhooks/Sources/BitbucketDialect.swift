import ControllerCore

/// Bitbucket Cloud and Data Center: both sign the body as GitHub does, and tell of several branches in one delivery.
enum BitbucketDialect: WebhookDialect {
    static let repositoryPaths = [
        ["repository", "uuid"], ["repository", "id"], ["pullRequest", "toRef", "repository", "id"],
    ]

    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String {
        headers["x-event-key"] ?? ""
    }

    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof? {
        guard let signature = request.headers["x-hub-signature"],
            Signature.isValid(hex: signature, prefix: "sha256=", body: request.body, secrets: secrets)
        else { return nil }
        return .init(
            kind: "hmac-sha256", delivery: request.headers["x-request-uuid"] ?? request.headers["x-request-id"],
            copies: .byBody)
    }

    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading {
        let repository = repository(body["repository"]) ?? repository(body["pullRequest"]["toRef"]["repository"])
        let actor = body["actor"]["nickname"].text ?? body["actor"]["name"].text ?? ""
        switch event {
        case "diagnostics:ping":
            return .ping("Bitbucket says that the hook works.", repository)
        case "repo:push":
            let changes = body["push"]["changes"].items
            guard let repository, !changes.isEmpty else {
                return .malformed("A push needs `repository.uuid` and `push.changes`.")
            }
            return .events(changes.map { cloudChange($0, actor) }, repository)
        case "repo:refs_changed":
            let changes = body["changes"].items
            guard let repository, !changes.isEmpty else {
                return .malformed("A push needs `repository.id` and `changes`.")
            }
            return .events(
                changes.map { change in
                    let isGone = change["type"].text == "DELETE"
                    return Words.push(
                        ref: change["ref"]["id"].text ?? "", before: Words.commit(change["fromHash"]),
                        after: isGone ? "" : Words.commit(change["toHash"]), isForced: false, message: "",
                        actor: actor)
                }, repository)
        default:
            return pullRequest(event, body, repository, actor)
        }
    }

    private static func repository(_ body: PlanJSON) -> ForgeRepository? {
        let id = body["uuid"].text ?? body["id"].identifier
        guard !id.isEmpty else { return nil }
        var urls = [body["links"]["html"]["href"].text].compactMap { $0 }
        for link in body["links"]["clone"].items { if let url = link["href"].text { urls.append(url) } }
        return ForgeRepository(
            id: id, name: Words.line(body["full_name"].text ?? body["slug"].text), urls: urls,
            defaultBranch: Words.line(body["mainbranch"]["name"].text))
    }

    private static func cloudChange(_ change: PlanJSON, _ actor: String) -> ForgeEvent {
        let (new, old) = (change["new"], change["old"])
        let place = new.isNull ? old : new
        let kind = place["type"].text == "tag" || place["type"].text == "annotated_tag" ? "refs/tags/" : "refs/heads/"
        return Words.push(
            ref: kind + (place["name"].text ?? ""), before: Words.commit(old["target"]["hash"]),
            after: Words.commit(new["target"]["hash"]), isForced: change["forced"].flag,
            message: new["target"]["message"].text ?? "", actor: actor)
    }

    // MARK: Pull requests

    private static let kinds: [String: PullRequestTrigger.Event] = [
        "pullrequest:created": .opened, "pullrequest:updated": .updated, "pullrequest:fulfilled": .merged,
        "pullrequest:rejected": .closed, "pr:opened": .opened, "pr:from_ref_updated": .updated, "pr:merged": .merged,
        "pr:declined": .closed,
    ]

    private static func pullRequest(
        _ event: String, _ body: PlanJSON, _ repository: ForgeRepository?, _ actor: String
    ) -> Reading {
        guard let kind = kinds[event] else {
            return .events(
                [Words.notice("bitbucket", event, summary: Words.line(event), actor: actor)], repository)
        }
        guard let repository else { return .malformed("A pull request needs its repository's id.") }
        let cloud = body["pullrequest"]
        if cloud.isNull { return .events([dataCenter(body["pullRequest"], kind, repository, actor)], repository) }
        let (source, target) = (cloud["source"], cloud["destination"])
        let isFork = source["repository"]["uuid"].identifier != repository.id
        let head = Words.line(source["branch"]["name"].text)
        let base = target["branch"]["name"].text ?? ""
        // Only the first digits of commits are given here: the branch says which it is.
        var result = Words.pullRequest(
            .init(
                number: cloud["id"].whole ?? 0, base: base, head: head,
                author: cloud["author"]["nickname"].text ?? "", title: cloud["title"].text ?? ""), kind,
            ref: "refs/heads/\(head)", commit: Words.commit(source["commit"]["hash"]), base: "refs/heads/\(base)",
            isFork: isFork, actor: actor)
        if isFork {
            result.hindrance =
                "The pull request comes from a fork, and Bitbucket Cloud shows a fork's commits in the fork alone. Push the branch to "
                + "the repository itself to build it."
        }
        return .events([result], repository)
    }

    private static func dataCenter(
        _ request: PlanJSON, _ kind: PullRequestTrigger.Event, _ repository: ForgeRepository, _ actor: String
    ) -> ForgeEvent {
        let (source, target) = (request["fromRef"], request["toRef"])
        let number = request["id"].whole ?? 0
        return Words.pullRequest(
            .init(
                number: number, base: target["displayId"].text ?? "", head: source["displayId"].text ?? "",
                author: request["author"]["user"]["name"].text ?? "", title: request["title"].text ?? ""), kind,
            ref: "refs/pull-requests/\(number)/from", commit: Words.commit(source["latestCommit"]),
            base: Words.commit(target["latestCommit"]),
            isFork: source["repository"]["id"].identifier != repository.id, actor: actor)
    }
}
