import ControllerCore

extension Schemas {
    static let logPage = Component(
        "LogPage",
        .object([
            "first_line": .id, "total": .count, "bytes": .count, "complete": .flag, "sha256": .optional(.text),
            "holes": .list(of: .object(["offset": .count, "length": .count, "reason": .optional(.text)])),
            "lines": .list(
                of: .object(
                    ["n": .id, "t_ms": .optional(.int), "text": .text, "partial": .flag, "cut": .flag],
                    maybe: ["partial", "cut"])),
        ]),
        example: """
            {"first_line":1,"total":1,"bytes":6,"complete":true,\
            "sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","holes":[],\
            "lines":[{"n":1,"t_ms":12,"text":"hello"}]}
            """)

    static let artifact = Component(
        "Artifact",
        .object([
            "job": .text, "path": .text, "size": .count, "sha256": .sha256, "executable": .flag, "created_at": .time,
            "expires_at": .optional(.time),
        ]),
        example: """
            {"job":"build","path":"out/widgets","size":6,\
            "sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","executable":true,\
            "created_at":"2026-01-31T12:00:00.000Z","expires_at":"2026-05-01T12:00:00.000Z"}
            """)

    private static let testOutcome = Schema.one(of: TestOutcome.self)

    static let test = Component(
        "Test",
        .object([
            "id": .id, "job": .text, "step": .text, "report": .text, "suite": .text, "class": .text, "name": .text,
            "outcome": testOutcome, "duration_ms": .optional(.count), "message": .optional(.text),
        ]),
        example: """
            {"id":5,"job":"build","step":"test","report":"junit.xml","suite":"widgets","class":"Gears","name":"turns",\
            "outcome":"passed","duration_ms":3,"message":null}
            """)

    static let runTests = Component(
        "RunTests",
        Schema.page(of: .component(test)).adding([
            "summary": .object([
                "total": .count, "passed": .count, "failed": .count, "error": .count, "skipped": .count,
                "duration_ms": .count, "faults": .list(of: .text),
            ])
        ]),
        example: """
            {"items":[\(test.example)],"page":1,"per_page":20,"total":1,"summary":{"total":1,"passed":1,"failed":0,\
            "error":0,"skipped":0,"duration_ms":3,"faults":[]}}
            """)

    static let testHistory = Component(
        "TestHistory",
        .object([
            "suite": .text, "class": .text, "name": .text,
            "items": .list(
                of: .object([
                    "execution_id": .id, "run_number": .id, "branch": .text, "job": .text, "outcome": testOutcome,
                    "duration_ms": .optional(.count), "message": .optional(.text), "at": .time,
                ])), "total": .count,
        ]),
        example: """
            {"suite":"widgets","class":"Gears","name":"turns","items":[{"execution_id":7,"run_number":3,\
            "branch":"main","job":"build","outcome":"passed","duration_ms":3,"message":null,\
            "at":"2026-01-31T12:00:00.000Z"}],"total":1}
            """)

    // MARK: System

    static let service = Component(
        "Service",
        .object(["service": .text, "version": .text, "status": .one(of: ["running"]), "environment": .text]),
        example: """
            {"service":"ansflow-controller","version":"0.1.0","status":"running","environment":"production"}
            """)
    static let health = Component(
        "Health", .object(["status": .one(of: ["healthy", "degraded"]), "service": .text, "version": .text]),
        example: #"{"status":"healthy","service":"ansflow-controller","version":"0.1.0"}"#)
    static let alive = Component("Alive", .object(["status": .one(of: ["alive"])]), example: #"{"status":"alive"}"#)
    static let readiness = Component(
        "Readiness",
        .object([
            "status": .one(of: ["ready", "not_ready"]),
            "checks": .list(of: .object(["name": .text, "ok": .flag, "detail": .text])),
        ]),
        example: #"{"status":"ready","checks":[{"name":"database","ok":true,"detail":"The database answers."}]}"#)
    static let caches = Component(
        "Caches",
        .object([
            "caches": .list(
                of: .object([
                    "name": .text, "hits": .count, "misses": .count, "hit_rate": .optional(.number),
                    "entries": .count, "bytes": .count, "bytes_max": .count, "evictions": .count,
                ]))
        ]),
        example: """
            {"caches":[{"name":"runs","hits":9,"misses":1,"hit_rate":0.9,"entries":1,"bytes":2048,\
            "bytes_max":33554432,"evictions":0}]}
            """)
}
