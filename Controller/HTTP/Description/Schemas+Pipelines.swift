import ControllerCore

extension Schemas {
    static let pipeline = Component(
        "Pipeline",
        .object([
            "id": .id, "project_id": .id, "name": .text, "definition": .text,
            "repository": .optional(
                .object(["url": .text, "ref": .text, "path": .optional(.text), "credential": .optional(.text)])),
            "enabled": .flag, "version": .id, "created_at": .time, "updated_at": .time,
        ]),
        example: """
            {"id":1,"project_id":1,"name":"widgets","definition":"jobs:\\n  build:\\n    steps:\\n      - run: make\\n",\
            "repository":{"url":"https://git.example.org/octo/widgets.git","ref":"main","path":null,\
            "credential":null},"enabled":true,"version":2,"created_at":"2026-01-31T12:00:00.000Z",\
            "updated_at":"2026-01-31T12:30:00.000Z"}
            """)

    private static let repository = Schema.input([
        "url": .text(1...2048), "ref": .text(0...1024), "path": .text(0...IncludeWalk.pathBytesMax),
        "credential": .text(0...SecretLimits.nameBytesMax),
    ])

    private static let draft: KeyValuePairs<String, Schema> = [
        "name": line(), "definition": .text(1...PlanLimits.sourceBytesMax), "repository": repository,
        "enabled": .flag, "project_id": .id,
    ]

    private static let definition = #""definition":"jobs:\n  build:\n    steps:\n      - run: make\n""#

    /// A whole pipeline, as POST and PUT take it.
    static let newPipeline = Description.Payload(
        .input(draft, required: ["name"]), example: "{\"name\":\"widgets\",\(definition)}")
    /// Parts of one, as PATCH takes it.
    static let pipelineChange = Description.Payload(.input(draft), example: #"{"enabled":false}"#)

    static let validation = Description.Payload(
        .input(
            ["definition": .text(1...PlanLimits.sourceBytesMax), "repository_url": .text(0...2048)],
            required: ["definition"]), example: "{\(definition)}")

    static let diagnostic = Component(
        "Diagnostic",
        .object([
            "severity": .one(of: Diagnostic.Severity.self), "code": .one(of: DiagnosticCode.self), "message": .text,
            "file": .optional(.text), "line": .optional(.count), "column": .optional(.count),
            "end_line": .optional(.count), "end_column": .optional(.count), "path": .text, "hint": .optional(.text),
            "text": .text,
        ]),
        example: """
            {"severity":"error","code":"input_unknown","message":"There is no input `flavour`.","file":null,\
            "line":3,"column":5,"end_line":3,"end_column":12,"path":"inputs.flavour","hint":null,\
            "text":"3:5: error: There is no input `flavour`."}
            """)

    static let verdict = Component(
        "Validation",
        .object([
            "valid": .flag, "diagnostics": .list(of: .component(diagnostic)), "notes": .list(of: .text),
            "inputs": .list(of: .component(input)), "graph": .optional(.component(graph)),
        ]), example: "{\"valid\":true,\"diagnostics\":[],\"notes\":[],\"inputs\":[],\"graph\":\(graph.example)}")

    static let pipelineStatus = Component(
        "PipelineStatus",
        .object([
            "id": .id, "name": .text, "enabled": .flag, "status": .optional(status), "total_runs": .count,
            "recent_finished": .count, "recent_success_rate": .optional(.number),
            "last_run": .optional(.component(run)),
        ]),
        example: """
            {"id":1,"name":"widgets","enabled":true,"status":"success","total_runs":3,"recent_finished":3,\
            "recent_success_rate":1,"last_run":\(run.example)}
            """)

    static let version = Component(
        "PipelineVersion",
        .object(["version": .id, "definition": .text, "saved_by": .text, "saved_at": .time]),
        example: """
            {"version":2,\(definition),"saved_by":"octo","saved_at":"2026-01-31T12:30:00.000Z"}
            """)

    static let difference = Component(
        "PipelineDifference",
        .object([
            "from": .id, "to": .id, "added": .count, "removed": .count, "text": .text,
            "changes": .optional(
                .list(
                    of: .object([
                        "kind": .one(of: PlanDifference.Kind.self), "job": .text, "step": .optional(.text),
                        "what": .list(of: .text),
                    ]))),
        ]),
        example: """
            {"from":1,"to":2,"added":1,"removed":1,"text":"--- version 1\\n+++ version 2\\n@@ -4,1 +4,1 @@\\n-      - run: make\\n\
            +      - run: make all\\n","changes":[{"kind":"changed","job":"build","step":"step-1","what":["action"]}]}
            """)

    static let schedule = Component(
        "Schedule",
        .object([
            "name": .text, "at": .text, "zone": .text, "missed": .one(of: ScheduleTrigger.Missed.self),
            "enabled": .flag, "active": .flag, "next": .list(of: .time), "last_slot": .optional(.time),
            "last_run_id": .optional(.id), "error": .optional(.text), "error_at": .optional(.time),
        ]),
        example: """
            {"name":"nightly","at":"0 3 * * *","zone":"UTC","missed":"run_once","enabled":true,"active":true,\
            "next":["2026-02-01T03:00:00.000Z"],"last_slot":"2026-01-31T03:00:00.000Z","last_run_id":7,"error":null,\
            "error_at":null}
            """)
}
