import ControllerCore

/// Gitea and Forgejo: the same words, and a signature of the body as bare digits. Forgejo's own header goes first, and where it is
/// wrong the other does not help.
enum GiteaDialect: WebhookDialect {
    static let repositoryPaths = [["repository", "id"]]

    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String {
        headers["x-forgejo-event"] ?? headers["x-gitea-event"] ?? ""
    }

    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof? {
        let headers = request.headers
        guard let signature = headers["x-forgejo-signature"] ?? headers["x-gitea-signature"],
            Signature.isValid(hex: signature, prefix: "", body: request.body, secrets: secrets)
        else { return nil }
        return .init(
            kind: "hmac-sha256", delivery: headers["x-forgejo-delivery"] ?? headers["x-gitea-delivery"],
            copies: .byBody)
    }

    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading {
        let repository = GitHubDialect.repository(body["repository"])
        let actor = body["sender"]["login"].text ?? body["pusher"]["login"].text ?? ""
        switch event {
        case "push":
            guard let repository, let ref = body["ref"].text else {
                return .malformed("A push needs `repository.id` and `ref`.")
            }
            var push = GitHubDialect.push(body, ref, actor)
            if ref.hasPrefix("refs/tags/"), push.commit.isEmpty, case .tag = push.trigger {
                push.commit = Words.commit(body["after"])
            }
            return .events([push], repository)
        case "pull_request", "pull_request_sync", "pull_request_label":
            guard let repository, body["pull_request"]["number"].whole != nil else {
                return .malformed("A pull request needs `repository.id` and `pull_request.number`.")
            }
            return GitHubDialect.pullRequest(body, repository, actor, refs: "refs/pull", source: "Gitea")
        case "release":
            return GitHubDialect.release(body, repository, actor, source: "gitea")
        case "create", "delete":
            return .nothing("Gitea tells of new and deleted branches and tags by `push` too.", repository)
        default:
            let kind = Words.joined([event, body["action"].text ?? ""])
            return .events([Words.notice("gitea", event, summary: Words.line(kind), actor: actor)], repository)
        }
    }
}
