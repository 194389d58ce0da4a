import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// Where forges and other senders post to. What they send is checked against a hook's secrets, stored, and answered; what it starts is
/// judged afterwards.
struct WebhookRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    static let root = "/webhooks"

    var routes: [Route] {
        let posts = WebhookSource.allCases.map { source in
            var query = [
                QueryParameter("hook", "The hook; without it, it is found by the repository's id", .id)
            ]
            if !source.isForge {
                query.append(
                    QueryParameter(
                        "source", "Name of the hook, and of the source in `on.webhook`",
                        .name(max: WebhookLimits.nameBytesMax)))
            }
            var route = Route(
                .post, "\(Self.root)/\(source.rawValue)", .public,
                "receive\(source.rawValue.prefix(1).uppercased())\(source.rawValue.dropFirst())",
                "Take a webhook of \(source.rawValue)", query: query, body: [Route.anyBody], acceptsTrailingSlash: true,
                describes: Description(
                    .webhooks, "It is verified over the raw body, and stored before this answers; judged afterwards.",
                    takes: .init(.anything, example: "{\"ref\":\"refs/heads/main\"}"),
                    answers: [
                        .json(202, .component(Schemas.receivedEvent), "Stored"),
                        .ok(.component(Schemas.receivedEvent), "The same came before"),
                    ], problems: source.isForge ? [401] : [401, 403])
            ) { call in try await receive(call, source) }
            route.bodyBytesMax = WebhookLimits.bodyBytesMax
            return route
        }
        return posts + [
            Route(
                .get, Self.root + "/test", .public, "testWebhooks", "Where webhooks are taken",
                acceptsTrailingSlash: true,
                describes: Description(.webhooks, answers: [.ok(.component(Schemas.webhookAddresses))]), handler: test)
        ]
    }

    @Sendable private func test(_ call: Call) async throws -> Reply {
        .json { json in
            json.object { json in
                json.field("status", services.webhooks == nil ? "unavailable" : "ok")
                json.field("endpoints", WebhookSource.allCases.map { "\(Self.root)/\($0.rawValue)" })
            }
        }
    }

    private func receive(_ call: Call, _ source: WebhookSource) async throws -> Reply {
        guard let webhooks = services.webhooks else { throw Problem.unavailable("Webhooks are not taken here.") }
        if let floor = services.diskFloor() { throw Problem.unavailable(floor, retryAfter: 60) }
        var name: String?
        if !source.isForge {
            name = call.query.text("source")
        }
        var request = WebhookRequest(
            source: source, hook: try call.query.integer("hook", 1...Int64.max).map { HookID($0) }, sourceName: name,
            headers: Self.headers(call.headers), body: Array(call.body.readableBytesView), remote: call.remote,
            at: configuration.now())
        if !source.isForge { try await useKey(call, &request) }
        do throws(WebhookRefusal) {
            let (id, isCopy) = try await webhooks.receive(request)
            return .json(isCopy ? .ok : .accepted) { json in
                json.object { json in
                    json.field("event_id", id.rawValue)
                    json.field("status", isCopy ? "duplicate" : "accepted")
                }
            }
        } catch {
            throw Problem(error)
        }
    }

    /// For senders that can't sign: an API key that may send webhooks, of somebody who may start runs.
    private func useKey(_ call: Call, _ request: inout WebhookRequest) async throws {
        guard let bearer = Credentials.bearer(call.headers),
            let principal = try await services.authentication.authenticate(bearer: bearer)
        else { return }
        guard principal.scopes.contains(.webhook) else {
            throw Problem.forbidden("This needs an API key with the scope `webhook`.")
        }
        let access = try await services.access.access(of: principal)
        request.keyName = principal.name
        request.keyProjects =
            access.isAdministrator ? .all : Visibility(access.roles.filter { $0.value >= .developer }.keys)
    }

    private static func headers(_ fields: HTTPFields) -> [String: String] {
        var headers: [String: String] = [:]
        for field in fields {
            let name = field.name.canonicalName
            headers[name] = headers[name].map { "\($0), \(field.value)" } ?? field.value
        }
        return headers
    }
}

extension Problem {
    init(_ refusal: WebhookRefusal) {
        switch refusal {
        case .unauthenticated:
            // The same for a hook that is not there, a secret that is wrong and a time that is past: it helps nobody who guesses.
            self = Problem(
                401, "Not authenticated",
                "The request is not signed with a secret of a hook that takes it. Is the secret the same on both sides?"
            )
        case .unclear(let text): self = .invalid("hook", text)
        case .full(let seconds): self = .tooMany("Too many webhooks wait to be judged.", retryAfter: seconds)
        case .unavailable(let text): self = .unavailable(text)
        }
    }
}
