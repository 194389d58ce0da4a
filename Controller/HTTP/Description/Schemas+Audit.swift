import ControllerCore

extension Schemas {
    static let auditEntry = Component(
        "AuditEntry",
        .object([
            "id": .id, "at": .time, "actor": .one(of: AuditActor.self), "user": .text, "actor_id": .optional(.int),
            "api_key_id": .optional(.id), "operation": .text, "object_type": .text, "object_id": .text,
            "project_id": .optional(.id), "result": .one(of: AuditResult.self), "status": .optional(.count),
            "fields": .list(of: .text), "detail": .text, "remote": .text, "request_id": .text, "hash": .sha256,
        ]),
        example: """
            {"id":7,"at":"2026-01-31T12:00:00.000Z","actor":"key","user":"octo","actor_id":2,"api_key_id":4,\
            "operation":"updatePipeline","object_type":"pipeline","object_id":"3","project_id":1,"result":"success",\
            "status":200,"fields":["definition"],"detail":"","remote":"192.0.2.1","request_id":"1a2b3c-7",\
            "hash":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}
            """)

    static let auditVerdict = Component(
        "AuditVerdict",
        .object([
            "ok": .flag, "checked": .count, "head_id": .count, "head_hash": .sha256, "broken_id": .optional(.id),
            "fault": .optional(.text),
        ]),
        example: """
            {"ok":true,"checked":7,"head_id":7,\
            "head_hash":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","broken_id":null,\
            "fault":null}
            """)
}
