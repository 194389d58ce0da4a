import ControllerCore

extension Schemas {
    static let agent = Component(
        "Agent",
        .object([
            "id": .id, "name": .text,
            "status": .one(of: ["revoked", "offline", "draining", "paused", "busy", "idle"]), "connected": .flag,
            "labels": .map(.text), "slots": .count, "busy": .count, "version": .text, "containment": .text,
            "paused": .flag, "note": .optional(.text), "draining": .flag, "revoked": .flag,
            "remote": .optional(.text), "load": .optional(.number), "disk_free_bytes": .optional(.count),
            "clock_ahead_ms": .optional(.integer(Int64.min...Int64.max)),
            "running": .list(of: .id), "orphans": .list(of: .id),
            "alarms": .list(
                of: .object([
                    "kind": .one(of: AgentAlarm.Kind.self), "close_code": .optional(.count), "message": .text,
                    "at": .time, "count": .id,
                ])),
            "key_sha256": .text, "created_at": .time, "last_seen_at": .optional(.time),
        ]),
        example: """
            {"id":1,"name":"one","status":"idle","connected":true,"labels":{"os":"linux","arch":"amd64"},"slots":2,\
            "busy":0,"version":"0.1.0","containment":"cgroup","paused":false,"note":null,"draining":false,\
            "revoked":false,"remote":"192.0.2.7","load":0.25,"disk_free_bytes":64000000000,\
            "clock_ahead_ms":-12,"running":[],"orphans":[],\
            "alarms":[],"key_sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",\
            "created_at":"2026-01-31T12:00:00.000Z","last_seen_at":"2026-01-31T12:30:00.000Z"}
            """)

    static let agentChange = Description.Payload(
        .input(["paused": .flag, "note": reason], required: ["paused"]),
        example: #"{"paused":true,"note":"The disk is being replaced."}"#)
    static let pause = Description.Payload.optional(
        .input(["note": reason]), example: #"{"note":"The disk is being replaced."}"#)
    static let gone = Description.Payload.optional(
        .input(["reason": reason]), example: #"{"reason":"The machine was taken down."}"#)

    static let enrolment = Description.Payload.optional(.input(["agent_id": .id]))
    static let enrolmentToken = Component(
        "EnrolmentToken",
        .object([
            "token": .text, "expires_at": .time, "controller": .text, "fingerprint": .text,
            "agent_id": .optional(.id),
        ]),
        example: """
            {"token":"shown-once","expires_at":"2026-01-31T12:15:00.000Z","controller":"wss://ci.example.org:8443",\
            "fingerprint":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","agent_id":null}
            """)
}
