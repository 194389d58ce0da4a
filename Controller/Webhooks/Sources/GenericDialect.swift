import ControllerCore

/// Anything else: Standard Webhooks, or a signature of the body as GitHub's.
enum GenericDialect: WebhookDialect {
    static let repositoryPaths: [[String]] = []

    static func eventName(_ headers: [String: String], _ request: WebhookRequest?) -> String {
        headers["x-event"] ?? headers["x-event-type"] ?? "webhook"
    }

    static func proof(of request: WebhookRequest, secrets: [String]) -> Signature.Proof? {
        let headers = request.headers
        if headers["webhook-signature"] != nil {
            return Signature.standard(headers, body: request.body, secrets: secrets, now: request.at).map {
                .init(kind: "standard webhooks", delivery: $0, copies: .byID)
            }
        }
        guard let signature = headers["x-hub-signature-256"],
            Signature.isValid(hex: signature, prefix: "sha256=", body: request.body, secrets: secrets)
        else { return nil }
        return .init(
            kind: "hmac-sha256", delivery: headers["x-delivery-id"] ?? headers["idempotency-key"], copies: .byBody)
    }

    static func read(_ event: String, _ body: PlanJSON, _ delivery: DeliveryRow) -> Reading {
        var result = ForgeEvent(
            .webhook(source: delivery.sourceName), summary: "a webhook of \(delivery.sourceName)")
        result.actor = delivery.sourceName
        return .events([result], nil)
    }
}
