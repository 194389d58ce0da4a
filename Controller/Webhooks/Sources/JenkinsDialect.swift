import ControllerCore

/// Notices of a Jenkins' builds, as its Notification plugin sends them. Jenkins signs nothing: it sends the hook's secret in a header,
/// or an API key.
enum JenkinsDialect: WebhookDialect {
    static let repositoryPaths: [[String]] = []
    static let tokenHeader = "x-ansflow-token"

    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String { "build" }

    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof? {
        let copies = CopyRule.byBodyWithin(WebhookLimits.clockToleranceMs)
        if let signature = request.headers["x-hub-signature-256"] {
            guard Signature.isValid(hex: signature, prefix: "sha256=", body: request.body, secrets: secrets) else {
                return nil
            }
            return .init(kind: "hmac-sha256", delivery: nil, copies: .byBody)
        }
        guard let token = request.headers[tokenHeader], Signature.isToken(token, secrets) else { return nil }
        return .init(kind: "token", delivery: nil, copies: copies)
    }

    /// Job, build and phase: what makes two notices the same. Read behind the check of the token.
    static func delivery(_ body: [UInt8]) -> String? {
        func part(_ path: [String]) -> String? { JSONReader.scalar(at: [path], in: body) }
        guard let job = part(["name"]), let number = part(["build", "number"]), let phase = part(["build", "phase"])
        else { return nil }
        return "\(job)#\(number):\(phase)"
    }

    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading {
        let build = body["build"]
        guard let name = body["name"].text, let number = build["number"].whole else {
            return .malformed("A notice of Jenkins needs `name` and `build.number`.")
        }
        let phase = Words.line(build["phase"].text)
        let summary = Words.joined(
            [
                "build \(number) of \(Words.line(name)):", phase.lowercased(),
                Words.line(build["status"].text).lowercased(),
            ])
        var result = ForgeEvent(.webhook(source: delivery.sourceName), summary: summary)
        result.actor = "jenkins"
        return .events([result], nil)
    }
}
