import ControllerCore

extension Schemas {
    static let runPin = Component(
        "RunPin",
        .object([
            "pinned": .flag, "by": .optional(.text), "note": .optional(.text), "at": .optional(.time),
        ]),
        example: """
            {"pinned":true,"by":"octo","note":"The release.","at":"2026-01-31T12:00:00.000Z"}
            """)

    private static let retentionPart = Schema.object([
        "count": .count, "bytes": .count,
        "items": .list(
            of: .object([
                "run_id": .id, "pipeline_id": .id, "pipeline_name": .text, "number": .id, "finished_at": .time,
                "reason": .one(of: RetentionReason.self), "bytes": .count,
            ])),
    ])

    static let retentionReport = Component(
        "RetentionReport",
        .object(["dry_run": .flag, "runs": retentionPart, "logs": retentionPart, "artifacts": retentionPart]),
        example: """
            {"dry_run":true,"runs":{"count":1,"bytes":4096,"items":[{"run_id":7,"pipeline_id":3,"pipeline_name":"build",\
            "number":5,"finished_at":"2025-01-31T12:00:00.000Z","reason":"age","bytes":4096}]},\
            "logs":{"count":0,"bytes":0,"items":[]},"artifacts":{"count":0,"bytes":0,"items":[]}}
            """)

    static let backup = Component(
        "Backup",
        .object(["name": .text, "created_at": .time, "files": .count, "bytes": .count, "has_keys": .flag]),
        example: """
            {"name":"ansflow-20260131T120000Z","created_at":"2026-01-31T12:00:00.000Z","files":12,"bytes":123456,\
            "has_keys":true}
            """)
}
