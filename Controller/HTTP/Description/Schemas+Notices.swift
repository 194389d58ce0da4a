import ControllerCore

extension Schemas {
    private static let noticeMembers: KeyValuePairs<String, Schema> = [
        "event": .one(of: NoticeEvent.self), "title": .text, "message": .text, "at": .time,
        "project_id": .optional(.id), "pipeline_id": .optional(.id), "pipeline_name": .optional(.text),
        "run_id": .optional(.id), "run_number": .optional(.id), "status": .optional(Schemas.status),
        "branch": .optional(.text), "commit": .optional(.text), "actor": .optional(.text),
    ]
    private static let noticeExample = """
        "event":"failed","title":"service #7 on main failed","message":"Failed in 1m 12s: build",\
        "at":"2026-01-31T12:00:00.000Z","project_id":1,"pipeline_id":3,"pipeline_name":"service","run_id":42,\
        "run_number":7,"status":"failed","branch":"main","commit":"5f3a8c0f0d9b4e6d8a7c6b5a4f3e2d1c0b9a8f7e",\
        "actor":"octo"
        """

    static let notice = Component(
        "Notice", Schema.object(["id": .id, "read_at": .optional(.time)]).adding(noticeMembers),
        example: "{\"id\":9,\"read_at\":null,\(noticeExample)}")
    static let systemNotice = Component(
        "SystemNotice", Schema.object(["id": .id]).adding(noticeMembers), example: "{\"id\":9,\(noticeExample)}")
    static let newSystemNotice = Description.Payload(
        .input(["title": line(200), "message": .text(0...4_000)], required: ["title"]),
        example: #"{"title":"Maintenance at noon","message":"Agents are drained from 11:45 on."}"#)
    static let readNotices = Description.Payload(
        .input(
            ["read": .either([.one(of: ["all"]), .list(of: .id, max: 1_000)]), "project_id": .id], required: ["read"]),
        example: #"{"read":[9,10]}"#)
    static let marked = Component("MarkedNotices", .object(["marked": .count]), example: #"{"marked":2}"#)

    private static let deliveryMembers: KeyValuePairs<String, Schema> = [
        "delivery": .one(of: DeliveryLifecycle.State.self), "tries": .count, "next_try_at": .optional(.time),
        "error": .optional(.text),
    ]
    private static let deliveryExample = #""delivery":"sent","tries":1,"next_try_at":null,"error":null"#

    static let delivery = Component(
        "NotificationDelivery",
        Schema.object([
            "id": .id, "rule_id": .optional(.id), "target_id": .id, "answer_status": .optional(.integer(100...999)),
            "created_at": .time, "updated_at": .time, "notice": .object(noticeMembers),
        ]).adding(deliveryMembers),
        example: """
            {"id":5,"rule_id":2,"target_id":1,\(deliveryExample),"answer_status":200,\
            "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:01.000Z",\
            "notice":{\(noticeExample)}}
            """)

    static let rule = Component(
        "NotificationRule",
        .object([
            "id": .id, "project_id": .id, "pipeline_id": .optional(.id), "name": .text,
            "on": .list(of: .one(of: NoticeEvent.ofRules.map(\.rawValue))), "in_app": .flag,
            "webhook": .optional(.text), "enabled": .flag, "created_at": .time, "updated_at": .time,
        ]),
        example: """
            {"id":2,"project_id":1,"pipeline_id":null,"name":"tell the team","on":["failed","fixed"],"in_app":true,\
            "webhook":"team-chat","enabled":true,"created_at":"2026-01-31T12:00:00.000Z",\
            "updated_at":"2026-01-31T12:00:00.000Z"}
            """)
    static let newRule = ruleInput(required: ["name", "on"])
    static let changedRule = ruleInput(required: [])
    private static func ruleInput(required: Set<String>) -> Description.Payload {
        .init(
            .input(
                [
                    "project_id": .id, "pipeline_id": .optional(.id), "name": line(64),
                    "on": .list(of: .one(of: NoticeEvent.ofRules.map(\.rawValue)), max: NoticeEvent.ofRules.count),
                    "in_app": .flag, "webhook": .text(0...64), "enabled": .flag,
                ], required: required),
            example: #"{"name":"tell the team","on":["failed","fixed"],"webhook":"team-chat"}"#)
    }
    static let ruleTest = Component(
        "NotificationTest",
        .object(["delivered": .flag, "answer_status": .optional(.integer(100...999)), "detail": .text]),
        example: #"{"delivered":true,"answer_status":200,"detail":"It was taken."}"#)

    static let target = Component(
        "NotificationTarget",
        .object([
            "id": .id, "project_id": .id, "name": .text, "format": .one(of: NoticeFormat.self),
            "url": .optional(.text), "url_secret": .optional(.text), "signing_secret": .optional(.text),
            "enabled": .flag, "created_at": .time, "updated_at": .time,
        ]),
        example: """
            {"id":1,"project_id":1,"name":"team-chat","format":"slack","url":null,"url_secret":"CHAT_URL",\
            "signing_secret":null,"enabled":true,"created_at":"2026-01-31T12:00:00.000Z",\
            "updated_at":"2026-01-31T12:00:00.000Z"}
            """)
    static let newTarget = targetInput(required: ["name"])
    static let changedTarget = targetInput(required: [])
    private static func targetInput(required: Set<String>) -> Description.Payload {
        .init(
            .input(
                [
                    "name": line(64), "format": .one(of: NoticeFormat.self), "url": .text(0...2000),
                    "url_secret": .text(0...64), "signing_secret": .text(0...64), "enabled": .flag,
                ], required: required),
            example: #"{"name":"team-chat","format":"slack","url_secret":"CHAT_URL"}"#)
    }

    static let forge = Component(
        "ForgeConnection",
        .object([
            "id": .id, "project_id": .id, "pipeline_id": .optional(.id), "kind": .one(of: ForgeKind.self),
            "api_url": .text, "repository": .text, "secret": .text, "enabled": .flag, "created_at": .time,
            "updated_at": .time,
        ]),
        example: """
            {"id":1,"project_id":1,"pipeline_id":null,"kind":"gitea","api_url":"https://git.example.org/api/v1",\
            "repository":"octo/widgets","secret":"FORGE_TOKEN","enabled":true,\
            "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
            """)
    static let newForge = forgeInput(required: ["kind", "repository", "secret"])
    static let changedForge = forgeInput(required: [])
    private static func forgeInput(required: Set<String>) -> Description.Payload {
        .init(
            .input(
                [
                    "kind": .one(of: ForgeKind.self), "api_url": .text(1...1024), "repository": line(512),
                    "secret": .text(1...64), "pipeline_id": .id, "enabled": .flag,
                ], required: required),
            example: #"{"kind":"github","repository":"octo/widgets","secret":"FORGE_TOKEN"}"#)
    }
    static let forgeStatus = Component(
        "ForgeStatus",
        Schema.object([
            "commit": .text, "context": .text, "state": .one(of: CommitState.self), "description": .text,
            "run_id": .optional(.id), "ref": .text, "updated_at": .time,
        ]).adding(deliveryMembers),
        example: """
            {"commit":"5f3a8c0f0d9b4e6d8a7c6b5a4f3e2d1c0b9a8f7e","context":"ansflow/service","state":"success",\
            "description":"Succeeded in 1m 12s","run_id":42,"ref":"main",\(deliveryExample),\
            "updated_at":"2026-01-31T12:00:01.000Z"}
            """)

    static let badgeLink = Component(
        "BadgeLink", .object(["public": .flag, "path": .optional(.text)]),
        example: #"{"public":false,"path":"/api/v1/pipelines/3/badge.svg?token=c5v2example"}"#)
    static let badges = Component("Badges", .object(["public": .flag]), example: #"{"public":true}"#)
    static let badgesInput = Description.Payload(
        .input(["public": .flag], required: ["public"]), example: #"{"public":true}"#)
}
