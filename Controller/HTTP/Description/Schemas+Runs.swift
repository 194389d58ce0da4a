import AnsFlowProtocol
import ControllerCore

extension Schemas {
    static let run = Component(
        "Run",
        .object([
            "id": .id, "number": .id, "pipeline_id": .id, "pipeline_name": .text, "pipeline_version": .count,
            "project_id": .id, "status": status, "phase": phase, "result": .optional(outcome),
            "cause": .optional(.one(of: Cause.self)), "message": .optional(.text), "event": .text, "ref": .text,
            "branch": .text, "tag": .text, "commit": .text, "priority": .integer(-100...100), "actor": .text,
            "trusted": .flag, "origin_id": .optional(.id), "rerun": .optional(.one(of: RerunKind.self)),
            "group": .optional(.text), "created_at": .time, "started_at": .optional(.time),
            "finished_at": .optional(.time), "duration_ms": .optional(.count), "cancelled_by": .optional(.text),
            "cancel_reason": .optional(.text), "seq": .count,
        ]), example: "{\(runMembers)}")

    /// One of a list, with how far it has come while it has not ended.
    static let listedRun = Component(
        "ListedRun",
        Schema.component(run).adding([
            "progress": .optional(.object(["jobs": .count, "finished": .count, "awaits_approval": .flag]))
        ]), example: "{\(runMembers),\"progress\":null}")

    private static let runMembers = """
        "id":7,"number":3,"pipeline_id":1,"pipeline_name":"widgets","pipeline_version":2,"project_id":1,\
        "status":"success","phase":"finished","result":"success","cause":null,"message":null,"event":"manual",\
        "ref":"main","branch":"main","tag":"","commit":"3f786850e387550fdab836ed7e6dc881de23001b","priority":0,\
        "actor":"octo","trusted":true,"origin_id":null,"rerun":null,"group":null,\
        "created_at":"2026-01-31T12:00:00.000Z","started_at":"2026-01-31T12:00:01.000Z",\
        "finished_at":"2026-01-31T12:01:01.000Z","duration_ms":60000,"cancelled_by":null,"cancel_reason":null,"seq":12
        """

    static let waiting = Component(
        "Waiting",
        .object([
            "job": .text, "step": .optional(.text), "kind": .one(of: WaitingReason.Kind.self), "message": .text,
            "position": .optional(.count),
            "candidates": .list(of: .object(["agent": .text, "lacks": .text])),
            "front": .list(
                of: .object([
                    "run_id": .id, "pipeline_name": .text, "number": .id, "job": .text, "holds": .flag,
                ])),
            "remaining_ms": .optional(.count),
        ]),
        example: """
            {"job":"build","step":null,"kind":"no_agent","message":"No agent has the label os=windows.",\
            "position":1,"candidates":[{"agent":"one","lacks":"label os=windows (it has os=linux)"}],"front":[],"remaining_ms":null}
            """)

    static let concurrency = Component(
        "Concurrency",
        .object([
            "group": .text, "limit": .id, "order": .one(of: ConcurrencyPlan.Order.self),
            "on_new": .one(of: ConcurrencyPlan.OnNew.self),
        ]), example: #"{"group":"deploy","limit":1,"order":"created","on_new":"queue"}"#)

    static let retry = Component(
        "Retry",
        .object([
            "max": .id, "on": .list(of: .one(of: RetryPlan.Reason.self)), "exit_codes": .list(of: .int),
            "backoff_ms": .count,
        ]), example: #"{"max":2,"on":["exit"],"exit_codes":[75],"backoff_ms":5000}"#)

    /// True, false, or the exit codes that are allowed.
    static let allowFailure = Schema.either([.flag, .list(of: .int)])

    static let attempt = Component(
        "StepAttempt",
        .object([
            "id": .id, "number": .id, "agent": .optional(.text), "status": status, "phase": phase,
            "result": .optional(outcome), "cause": .optional(.one(of: Cause.self)), "message": .optional(.text),
            "exit_code": .optional(.int), "signal": .optional(.int), "created_at": .time,
            "started_at": .optional(.time), "finished_at": .optional(.time), "duration_ms": .optional(.int),
            "outputs": outputs,
            "usage": .object([
                "cpu_user_ms": .count, "cpu_system_ms": .count, "memory_peak_bytes": .count, "wall_ms": .count,
            ]),
            "log": .object([
                "state": .one(of: LogState.self), "bytes": .count, "lines": .count, "sha256": .optional(.text),
                "dropped_bytes": .count,
            ]),
        ]),
        example: """
            {"id":9,"number":1,"agent":"one","status":"success","phase":"finished","result":"success","cause":"exit",\
            "message":null,"exit_code":0,"signal":null,"created_at":"2026-01-31T12:00:00.000Z",\
            "started_at":"2026-01-31T12:00:01.000Z","finished_at":"2026-01-31T12:00:03.000Z","duration_ms":2000,\
            "outputs":{"version":"1.2"},"usage":{"cpu_user_ms":900,"cpu_system_ms":100,"memory_peak_bytes":1048576,\
            "wall_ms":2000},"log":{"state":"complete","bytes":6,"lines":1,\
            "sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","dropped_bytes":0}}
            """)

    static let step = Component(
        "Step",
        .object([
            "id": .id, "name": .text, "key": .text, "title": .text, "status": status, "phase": phase,
            "result": .optional(outcome), "cause": .optional(.one(of: Cause.self)), "message": .optional(.text),
            "stage": .optional(.one(of: StepPlan.Stage.self)), "built_in": .flag, "needs": .list(of: .text),
            "needs_may_fail": .list(of: .text), "timeout_ms": .optional(.count), "allow_failure": allowFailure,
            "retry": .optional(.component(retry)), "retries": .count, "waiting": .list(of: .component(waiting)),
            "attempt": .optional(.id), "agent": .optional(.text), "exit_code": .optional(.int),
            "started_at": .optional(.time), "finished_at": .optional(.time), "duration_ms": .optional(.int),
            "attempts": .list(of: .component(attempt)),
        ]),
        example: """
            {"id":8,"name":"compile","key":"build/compile","title":"compile","status":"success","phase":"finished",\
            "result":"success","cause":"exit","message":null,"stage":"body","built_in":false,"needs":["checkout"],\
            "needs_may_fail":[],"timeout_ms":3600000,"allow_failure":false,"retry":\(retry.example),"retries":0,\
            "waiting":[],"attempt":1,"agent":"one","exit_code":0,"started_at":"2026-01-31T12:00:01.000Z",\
            "finished_at":"2026-01-31T12:00:03.000Z","duration_ms":2000,"attempts":[\(attempt.example)]}
            """)

    static let job = Component(
        "Job",
        .object([
            "id": .id, "name": .text, "title": .text, "status": status, "phase": phase, "result": .optional(outcome),
            "cause": .optional(.one(of: Cause.self)), "message": .optional(.text), "group": .optional(.text),
            "matrix": .map(scalar), "needs": .list(of: .text), "needs_may_fail": .list(of: .text), "priority": .int,
            "timeout_ms": .optional(.count), "allow_failure": allowFailure, "retry": .optional(.component(retry)),
            "concurrency": .optional(.component(concurrency)), "environment": .optional(.text), "retries": .count,
            "carried_from": .optional(.id), "outputs": outputs, "agent": .optional(.text),
            "queued_at": .optional(.time), "started_at": .optional(.time), "finished_at": .optional(.time),
            "duration_ms": .optional(.int),
            "attempts": .list(
                of: .object([
                    "id": .id, "number": .id, "agent": .optional(.text), "result": .optional(outcome),
                    "cause": .optional(.one(of: Cause.self)), "message": .optional(.text), "outputs": outputs,
                    "started_at": .optional(.time), "finished_at": .optional(.time), "duration_ms": .optional(.int),
                ])),
            "waiting": .list(of: .component(waiting)), "steps": .list(of: .component(step)),
        ]),
        example: """
            {"id":8,"name":"build","title":"Build","status":"success","phase":"finished","result":"success",\
            "cause":null,"message":null,"group":"build","matrix":{},"needs":[],"needs_may_fail":[],"priority":0,\
            "timeout_ms":null,"allow_failure":false,"retry":null,"concurrency":null,"environment":null,"retries":0,\
            "carried_from":null,"outputs":{"version":"1.2"},"agent":"one","queued_at":"2026-01-31T12:00:00.000Z",\
            "started_at":"2026-01-31T12:00:01.000Z","finished_at":"2026-01-31T12:01:01.000Z","duration_ms":60000,\
            "attempts":[],"waiting":[],"steps":[\(step.example)]}
            """)

    static let runDetail = Component(
        "RunDetail",
        .component(run).adding([
            "inputs": outputs, "concurrency": .optional(.component(concurrency)),
            "approvals": .list(of: .component(approval)), "jobs": .list(of: .component(job)),
            "waiting": .list(of: .component(waiting)),
        ]),
        example: """
            {\(runMembers),"inputs":{},"concurrency":null,"approvals":[],"jobs":[\(job.example)],"waiting":[]}
            """)

    static let event = Component(
        "RunEvent",
        .object([
            "seq": .id, "id": .id, "at": .time, "type": .one(of: EventRow.Kind.self),
            "data": .object(Schema.Members(all: [], required: [], isClosed: false)),
        ]),
        example: """
            {"seq":1,"id":40,"at":"2026-01-31T12:00:00.000Z","type":"execution_update",\
            "data":{"execution_id":7,"status":"running","pipeline_name":"widgets","message":"The run has begun."}}
            """)

    static let events = Component(
        "RunEvents",
        .object(["items": .list(of: .component(event)), "after": .count, "next_after": .count, "total": .count]),
        example: "{\"items\":[\(event.example)],\"after\":0,\"next_after\":1,\"total\":1}")

    static let runStart = Schema.input([
        "ref": .text(0...1024), "branch": .text(0...1024), "tag": .text(0...1024), "commit": .text(0...64),
        "inputs": .map(scalar), "priority": .integer(-100...100), "untrusted": .flag,
        "reported_by": .text(1...64, pattern: "^[A-Za-z0-9._-]+$"),
    ])

    static let rerun = Schema.input([
        "from": .text(1...4096), "mode": .one(of: ["all", "failed", "from"]), "job": .text(1...4096),
        "step": .text(1...256), "latest": .flag,
    ])
}
