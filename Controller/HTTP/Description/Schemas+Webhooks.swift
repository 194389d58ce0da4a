import ControllerCore

extension Schemas {
    static let hook = Component(
        "Hook",
        .object(
            [
                "id": .id, "project_id": .id, "source": .one(of: WebhookSource.self), "name": .text, "enabled": .flag,
                "url": .text, "repository": .object(["id": .optional(.text), "url": .optional(.text)]),
                "pipelines": .list(of: .id), "catch_up": .one(of: HookCatchUp.self), "mirrors_builds": .flag,
                "secrets": .list(of: .object(["id": .id, "created_by": .text, "created_at": .time])),
                "secret": .text, "created_by": .text, "created_at": .time, "updated_at": .time,
                "last_delivery_at": .optional(.time),
            ], maybe: ["secret"]),
        example: """
            {"id":1,"project_id":1,"source":"github","name":"widgets","enabled":true,\
            "url":"https://ci.example.org/webhooks/github?hook=1",\
            "repository":{"id":"4217","url":"https://forge.example.org/octo/widgets.git"},"pipelines":[],\
            "catch_up":"start","mirrors_builds":false,"secrets":[{"id":1,"created_by":"octo","created_at":"2026-01-31T12:00:00.000Z"}],\
            "created_by":"octo","created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z",\
            "last_delivery_at":null}
            """)

    private static let hookRepository = Schema.input(["id": .text(0...200), "url": .text(0...2048)])
    private static let hookName = Schema.text(1...WebhookLimits.nameBytesMax, pattern: "^[A-Za-z0-9._-]+$")
    private static let hookSecret = Schema.text(WebhookLimits.secretBytesMin...WebhookLimits.secretBytesMax)
    private static let hookPipelines = Schema.list(of: .id, max: WebhookLimits.pipelinesMax)

    static let newHook = Description.Payload(
        .input(
            [
                "source": .one(of: WebhookSource.self), "name": hookName, "enabled": .flag, "secret": hookSecret,
                "repository": hookRepository, "pipelines": hookPipelines, "catch_up": .one(of: HookCatchUp.self),
                "mirrors_builds": .flag,
            ], required: ["source"]), example: #"{"source":"github","name":"widgets"}"#)

    static let changedHook = Description.Payload(
        .input([
            "name": hookName, "enabled": .flag, "repository": hookRepository, "pipelines": hookPipelines,
            "catch_up": .one(of: HookCatchUp.self), "mirrors_builds": .flag,
        ]), example: #"{"enabled":false}"#)

    static let newHookSecret = Description.Payload.optional(.input(["secret": hookSecret]))

    static let storedEvent = Component("StoredWebhookEvent", .object(["event_id": .id]), example: #"{"event_id":41}"#)
    static let replayedEvent = Component(
        "ReplayedWebhookEvent", .object(["event_id": .id, "replay_of": .id]),
        example: #"{"event_id":42,"replay_of":41}"#)
    static let receivedEvent = Component(
        "ReceivedWebhookEvent", .object(["event_id": .id, "status": .one(of: ["accepted", "duplicate"])]),
        example: #"{"event_id":41,"status":"accepted"}"#)
    static let webhookAddresses = Component(
        "WebhookAddresses", .object(["status": .text, "endpoints": .list(of: .text)]),
        example: #"{"status":"ok","endpoints":["/webhooks/github"]}"#)

    static let webhookEvent = Component(
        "WebhookEvent",
        .object([
            "id": .id, "hook_id": .id, "hook_name": .text, "project_id": .id, "source": .one(of: WebhookSource.self),
            "source_name": .text, "delivery": .text, "event": .text, "state": .one(of: DeliveryState.self),
            "message": .text, "proof": .text, "remote": .optional(.text), "body_bytes": .count, "received_at": .time,
            "judged_at": .optional(.time), "tries": .count, "retry_at": .optional(.time), "replay_of": .optional(.id),
            "duplicates": .count, "last_duplicate_at": .optional(.time),
            "pipelines": .list(
                of: .object([
                    "part": .count, "pipeline_id": .id, "pipeline_name": .text,
                    "result": .one(of: DeliveryOutcome.self),
                    "message": .text, "run_id": .optional(.id),
                ])), "runs": .list(of: .id),
        ]), example: "{\(eventMembers)}")

    private static let eventMembers = """
        "id":41,"hook_id":1,"hook_name":"widgets","project_id":1,"source":"github","source_name":"widgets",\
        "delivery":"0f2e8a10","event":"push","state":"judged","message":"push to main at 1f0c2a9b. It started a run.",\
        "proof":"hmac-sha256","remote":"192.0.2.1","body_bytes":7034,"received_at":"2026-01-31T12:00:00.000Z",\
        "judged_at":"2026-01-31T12:00:01.000Z","tries":1,"retry_at":null,"replay_of":null,"duplicates":0,\
        "last_duplicate_at":null,"pipelines":[{"part":0,"pipeline_id":1,"pipeline_name":"build","result":"started",\
        "message":"main was pushed","run_id":7}],"runs":[7]
        """

    static let webhookEventDetail = Component(
        "WebhookEventDetail",
        .component(webhookEvent).adding([
            "headers": .map(.text), "content_type": .text, "body": .optional(.text), "body_cut": .flag,
        ]),
        example: """
            {\(eventMembers),"headers":{"x-github-event":"push"},"content_type":"application/json","body":"{}",\
            "body_cut":false}
            """)
}
