import ControllerCore

extension Schemas {
    private static let times: Set<String> = [
        "status", "phase", "result", "queued_at", "started_at", "finished_at",
    ]

    /// A job or a step. Steps have a stage; jobs have a group, a matrix, a priority, an environment and an approval. What stands
    /// when is only in a run's graph.
    static let node = Component(
        "GraphNode",
        .object(
            [
                "id": .text, "kind": .one(of: ["job", "step"]), "job": .text, "step": .optional(.text), "name": .text,
                "built_in": .flag, "needs": .list(of: .text), "needs_may_fail": .list(of: .text),
                "timeout_ms": .optional(.count), "allow_failure": allowFailure, "retry": .optional(.component(retry)),
                "stage": .optional(.one(of: StepPlan.Stage.self)), "group": .optional(.text), "matrix": .map(scalar),
                "priority": .int, "concurrency": .optional(.component(concurrency)), "environment": .optional(.text),
                "approval": .flag, "status": .optional(status), "phase": .optional(phase),
                "result": .optional(outcome), "queued_at": .optional(.time), "started_at": .optional(.time),
                "finished_at": .optional(.time),
            ],
            maybe: times.union(["stage", "group", "matrix", "priority", "concurrency", "environment", "approval"])),
        example: """
            {"id":"build/compile","kind":"step","job":"build","step":"compile","name":"compile","built_in":false,\
            "needs":[],"needs_may_fail":[],"timeout_ms":null,"allow_failure":false,"retry":null,"stage":"body",\
            "status":"success","phase":"finished","result":"success","queued_at":null,"started_at":"2026-01-31T12:00:01.000Z",\
            "finished_at":"2026-01-31T12:00:03.000Z"}
            """)

    private static let parts: KeyValuePairs<String, Schema> = [
        "nodes": .list(of: .component(node)),
        "edges": .list(of: .object(["from": .text, "to": .text, "allow_failure": .flag])),
        "groups": .list(
            of: .object(
                [
                    "id": .text, "axes": .list(of: .text), "cells": .list(of: .text), "statuses": .map(.count),
                ], maybe: ["statuses"])),
    ]

    /// Of a definition that does not run.
    static let graph = Component(
        "Graph", .object(parts), example: "{\"nodes\":[\(node.example)],\"edges\":[],\"groups\":[]}")

    static let runGraph = Component(
        "RunGraph", Schema.object(parts).adding(["critical_path": .list(of: .text)]),
        example: "{\"nodes\":[\(node.example)],\"edges\":[],\"groups\":[],\"critical_path\":[\"build\"]}")
}
